"""News and when it is known."""

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
    def score(text):
        found = [lexicon[word] for word in WORD.findall(text.lower()) if word in lexicon]
        return sum(found) / len(found) if found else 0.0

    return pd.Series([score(text) for text in df["headline"].fillna("")], index=df.index, dtype="float64")


def daily_sentiment(
    news: pd.DataFrame, trading_days: pd.DatetimeIndex, close_time: str = "16:00", tz: str = "America/New_York"
) -> pd.DataFrame:
    closes = (trading_days + pd.Timedelta(f"{close_time}:00")).tz_localize(tz)
    place = closes.searchsorted(pd.DatetimeIndex(pd.to_datetime(news["published"], utc=True)), side="right")
    groups = news["score"].astype(float).groupby(place)
    table = pd.DataFrame({"sentiment": groups.mean(), "n_news": groups.size()})
    return table.reindex(range(len(closes)), fill_value=0).set_axis(trading_days)


def add_sentiment(features: pd.DataFrame, sentiment: pd.DataFrame) -> pd.DataFrame:
    return features.join(sentiment.reindex(features.index, fill_value=0))
