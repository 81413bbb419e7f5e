"""News."""

import csv
import re
from pathlib import Path

import numpy as np
import pandas as pd

WORD = re.compile("[a-z]+(?:['\u2019-][a-z]+)*")
SENTIMENT = ["sentiment", "n_news"]


def read_lexicon(path: str | Path) -> dict[str, float]:
    with open(path, newline="", encoding="utf-8") as file:
        return {row["word"]: float(row["weight"]) for row in csv.DictReader(file)}


def read_news(path: str | Path) -> pd.DataFrame:
    news = pd.read_csv(path, dtype={"headline": "str"})
    return news.assign(published=pd.to_datetime(news["published"], utc=True))


def score_headlines(df: pd.DataFrame, lexicon: dict[str, float]) -> pd.Series:
    scores = []
    for headline in df["headline"]:
        weights = []
        if not pd.isna(headline):
            for word in WORD.findall(headline.lower()):
                if word in lexicon:
                    weights.append(lexicon[word])
        scores.append(np.mean(weights) if weights else 0.0)
    return pd.Series(scores, index=df.index, dtype=float)


def daily_sentiment(
    news: pd.DataFrame, trading_days: pd.DatetimeIndex, close_time: str = "16:00", tz: str = "America/New_York"
) -> pd.DataFrame:
    hour, minute = map(int, close_time.split(":"))
    published = pd.to_datetime(news["published"], utc=True)
    rows = []
    before = None
    for day in trading_days:
        close = pd.Timestamp(year=day.year, month=day.month, day=day.day, hour=hour, minute=minute, tz=tz)
        told = published < close
        if before is not None:
            told = told & (published >= before)
        scores = news["score"][told.to_numpy()]
        rows.append({"sentiment": scores.mean() if len(scores) else 0.0, "n_news": len(scores)})
        before = close
    result = pd.DataFrame(rows, columns=SENTIMENT)
    result.index = trading_days
    return result


def add_sentiment(features: pd.DataFrame, sentiment: pd.DataFrame) -> pd.DataFrame:
    result = features.copy()
    for name in sentiment.columns:
        result[name] = sentiment[name].reindex(features.index, fill_value=0)
    return result
