"""What the headlines say until each close."""

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
    headlines = df["headline"].reset_index(drop=True).fillna("").astype("str")
    words = headlines.str.lower().str.findall(WORD).explode()
    means = words.map(lexicon).astype("float64").groupby(level=0).mean()  # words of no weight are NaN
    return pd.Series(means.reindex(range(len(df))).fillna(0.0).to_numpy(dtype="float64"), index=df.index)


def daily_sentiment(
    news: pd.DataFrame, trading_days: pd.DatetimeIndex, close_time: str = "16:00", tz: str = "America/New_York"
) -> pd.DataFrame:
    local = trading_days.normalize() + pd.to_timedelta(close_time + ":00")
    closes = local.tz_localize(tz).tz_convert("UTC").as_unit("ns")
    edges = closes.insert(0, pd.Timestamp.min.tz_localize("UTC"))
    published = pd.to_datetime(news["published"], utc=True).dt.as_unit("ns")
    day = pd.cut(published, edges, right=False, labels=False)  # [close before, close)
    groups = news.assign(day=day.to_numpy()).groupby("day")["score"]
    table = pd.DataFrame({"sentiment": groups.mean(), "n_news": groups.count()}).reindex(np.arange(len(closes)))
    table.index = trading_days
    return table.fillna(0).astype({"sentiment": "float64", "n_news": "int64"})


def add_sentiment(features: pd.DataFrame, sentiment: pd.DataFrame) -> pd.DataFrame:
    aligned, _ = sentiment.align(features, join="right", axis=0)
    return features.join(aligned.where(aligned.notna(), 0))
