"""Bonus: sentiment of headlines, counted up to each close."""

import csv
import re
from datetime import time
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
    scores = np.zeros(len(df))
    for i, headline in enumerate(df["headline"].to_numpy(dtype="object", na_value="")):
        weights = np.array([lexicon[word] for word in WORD.findall(headline.lower()) if word in lexicon])
        if weights.size:
            scores[i] = weights.mean()
    return pd.Series(scores, index=df.index)


def daily_sentiment(
    news: pd.DataFrame, trading_days: pd.DatetimeIndex, close_time: str = "16:00", tz: str = "America/New_York"
) -> pd.DataFrame:
    at = time.fromisoformat(close_time)
    hours = np.timedelta64(at.hour * 3600 + at.minute * 60 + at.second, "s")
    local = pd.DatetimeIndex(trading_days.to_numpy().astype("datetime64[D]") + hours).tz_localize(tz)
    closes = local.as_unit("ns").asi8
    moments = pd.DatetimeIndex(pd.to_datetime(news["published"], utc=True)).as_unit("ns").asi8
    place = np.searchsorted(closes, moments, side="right")  # the first close after the news; len(closes): none
    size = len(closes) + 1
    count = np.bincount(place, minlength=size)[:-1]
    total = np.bincount(place, weights=news["score"].to_numpy("float64"), minlength=size)[:-1]
    return pd.DataFrame({"sentiment": total / np.maximum(count, 1), "n_news": count}, index=trading_days)


def add_sentiment(features: pd.DataFrame, sentiment: pd.DataFrame) -> pd.DataFrame:
    rows = sentiment.index.get_indexer(features.index)  # -1: not there
    table = features.copy()
    for name in sentiment:
        table[name] = np.where(rows >= 0, sentiment[name].to_numpy()[rows], 0) if len(sentiment) else 0
    return table
