"""Bonus: the sentiment that is known at each close."""

import csv
import re
from pathlib import Path

import numpy as np
import pandas as pd

WORD = re.compile(r"[a-z]+(?:['\u2019-][a-z]+)*")
SENTIMENT = ["sentiment", "n_news"]


def read_lexicon(path: str | Path) -> dict[str, float]:
    with open(path, newline="", encoding="utf-8") as file:
        return {row["word"]: float(row["weight"]) for row in csv.DictReader(file)}


def read_news(path: str | Path) -> pd.DataFrame:
    news = pd.read_csv(path, dtype={"headline": "str"})
    return news.assign(published=pd.to_datetime(news["published"], utc=True))


def score_headlines(df: pd.DataFrame, lexicon: dict[str, float]) -> pd.Series:
    means = []
    for headline in df["headline"].where(df["headline"].notna(), ""):
        weights = list(filter(lambda weight: weight is not None, map(lexicon.get, WORD.findall(headline.lower()))))
        means.append(sum(weights) / len(weights) if weights else 0)
    return pd.Series(means, index=df.index, dtype=np.float64)


def daily_sentiment(
    news: pd.DataFrame, trading_days: pd.DatetimeIndex, close_time: str = "16:00", tz: str = "America/New_York"
) -> pd.DataFrame:
    closes = pd.to_datetime([f"{day.date()}T{close_time}" for day in trading_days]).tz_localize(tz)
    totals = pd.DataFrame(0.0, index=trading_days, columns=["total", "n_news"])
    published = pd.to_datetime(news["published"], utc=True)
    before = None
    for row, close in enumerate(closes):
        fresh = published < close if before is None else (published < close) & (published >= before)
        totals.iloc[row] = news.loc[fresh, "score"].sum(), fresh.sum()
        before = close
    sentiment = (totals["total"] / totals["n_news"].replace(0, 1)).rename("sentiment")
    return pd.concat([sentiment, totals["n_news"].astype("int64")], axis=1)


def add_sentiment(features: pd.DataFrame, sentiment: pd.DataFrame) -> pd.DataFrame:
    table = features.copy()
    days = features.index.intersection(sentiment.index)
    for column in sentiment.columns:
        table[column] = 0.0
        table.loc[days, column] = sentiment.loc[days, column]
    return table
