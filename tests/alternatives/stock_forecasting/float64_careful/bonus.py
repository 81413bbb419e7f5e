"""Bonus: news between two closes, compared as moments in UTC."""

import csv
import re
from pathlib import Path
from statistics import fmean

import numpy as np
import pandas as pd
from helpers import doubles

WORD = re.compile(r"[a-z]+(?:['\u2019-][a-z]+)*")
SENTIMENT = ["sentiment", "n_news"]


def read_lexicon(path: str | Path) -> dict[str, float]:
    with open(path, newline="", encoding="utf-8") as file:
        return {row["word"]: float(row["weight"]) for row in csv.DictReader(file)}


def read_news(path: str | Path) -> pd.DataFrame:
    news = pd.read_csv(path, dtype={"headline": "str"})
    return news.assign(published=pd.to_datetime(news["published"], utc=True))


def score_headlines(df: pd.DataFrame, lexicon: dict[str, float]) -> pd.Series:
    def score(headline) -> float:
        text = "" if pd.isna(headline) else str(headline).lower()
        weights = [float(lexicon[match.group()]) for match in WORD.finditer(text) if match.group() in lexicon]
        return fmean(weights) if weights else 0.0

    return pd.Series(doubles([score(headline) for headline in df["headline"]]), index=df.index)


def daily_sentiment(
    news: pd.DataFrame, trading_days: pd.DatetimeIndex, close_time: str = "16:00", tz: str = "America/New_York"
) -> pd.DataFrame:
    offset = pd.to_datetime(f"1970-01-01 {close_time}") - pd.Timestamp(0)
    closes = (trading_days.normalize() + offset).tz_localize(tz).tz_convert(None).to_numpy(dtype="datetime64[ns]")
    published = pd.to_datetime(news["published"], utc=True).dt.tz_convert(None).to_numpy(dtype="datetime64[ns]")
    order = np.argsort(published, kind="stable")
    scores = doubles(news["score"])[order]
    ends = np.searchsorted(published[order], closes, side="left")  # news before each close
    begins = np.concatenate([np.zeros(1, dtype=int), ends])[: len(ends)]
    means = [fmean(scores[low:high]) if high > low else 0.0 for low, high in zip(begins, ends)]
    counts = np.asarray(ends - begins, dtype="int64")
    return pd.DataFrame({"sentiment": doubles(means), "n_news": counts}, index=trading_days)


def add_sentiment(features: pd.DataFrame, sentiment: pd.DataFrame) -> pd.DataFrame:
    known = sentiment.reindex(index=features.index)
    added = {name: known[name].fillna(0.0).astype(np.float64) for name in known.columns}
    return features.assign(**added)
