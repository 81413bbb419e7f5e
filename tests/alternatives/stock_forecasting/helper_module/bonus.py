"""Bonus: news."""

import csv
import re
from collections import Counter
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
    scores = np.zeros(len(df))
    for row, headline in enumerate(df["headline"].fillna("").astype("str").str.lower()):
        counts = Counter(WORD.findall(headline))
        known = {word: counts[word] for word in counts.keys() & lexicon.keys()}
        if known:
            scores[row] = sum(n * lexicon[word] for word, n in known.items()) / sum(known.values())
    return pd.Series(scores, index=df.index)


def daily_sentiment(
    news: pd.DataFrame, trading_days: pd.DatetimeIndex, close_time: str = "16:00", tz: str = "America/New_York"
) -> pd.DataFrame:
    closes = pd.DatetimeIndex([f"{day.date()}T{close_time}" for day in trading_days]).tz_localize(tz).tz_convert("UTC")
    published = pd.DatetimeIndex(pd.to_datetime(news["published"], utc=True))
    closes, published = (stamps.as_unit("ns").asi8 for stamps in (closes, published))
    place = np.searchsorted(closes, published, side="right")
    known = place < len(closes)
    scores = news["score"].to_numpy(dtype="float64")[known]
    n = np.bincount(place[known], minlength=len(closes))
    total = np.bincount(place[known], weights=scores, minlength=len(closes))
    return pd.DataFrame({"sentiment": total / np.maximum(n, 1), "n_news": n}, index=trading_days)


def add_sentiment(features: pd.DataFrame, sentiment: pd.DataFrame) -> pd.DataFrame:
    same_days = sentiment.reindex(index=features.index).fillna(0.0)
    return pd.concat([features, same_days], axis="columns", sort=False)
