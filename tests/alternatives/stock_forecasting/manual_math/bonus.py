"""Sentiment, counted by hand."""

import csv
import re
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

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
    scores = pd.Series(0.0, index=df.index)
    for row in range(len(df)):
        headline = df["headline"].iloc[row]
        total, count = 0.0, 0
        if isinstance(headline, str):
            for match in re.finditer(WORD, headline.lower()):
                weight = lexicon.get(match[0])
                if weight is not None:
                    total, count = total + weight, count + 1
        if count:
            scores.iloc[row] = total / count
    return scores


def daily_sentiment(
    news: pd.DataFrame, trading_days: pd.DatetimeIndex, close_time: str = "16:00", tz: str = "America/New_York"
) -> pd.DataFrame:
    hour, minute = (int(part) for part in close_time.split(":"))
    closes = [datetime(d.year, d.month, d.day, hour, minute, tzinfo=ZoneInfo(tz)).timestamp() for d in trading_days]
    news = sorted(zip((moment.timestamp() for moment in news["published"]), news["score"], strict=True))
    sums, counts, at = [], [], 0
    for close in closes:
        total, count = 0.0, 0
        while at < len(news) and news[at][0] < close:
            total, count, at = total + news[at][1], count + 1, at + 1
        sums.append(total)
        counts.append(count)
    means = [total / count if count else 0.0 for total, count in zip(sums, counts, strict=True)]
    return pd.DataFrame({"sentiment": means, "n_news": counts}, index=trading_days)


def add_sentiment(features: pd.DataFrame, sentiment: pd.DataFrame) -> pd.DataFrame:
    row_of = {day: row for row, day in enumerate(sentiment.index)}
    table = features.copy()
    for name in sentiment:
        values = sentiment[name].tolist()
        table[name] = [values[row_of[day]] if day in row_of else 0 for day in features.index]
    return table
