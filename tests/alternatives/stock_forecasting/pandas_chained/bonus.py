"""Bonus: headlines as a feature."""

import csv
import re
from pathlib import Path

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
    words = df["headline"].fillna("").str.lower().map(WORD.findall).reset_index(drop=True)
    return (
        words.explode()
        .map(pd.Series(lexicon, dtype="float64"))
        .groupby(level=0)
        .mean()  # words that are not in the lexicon are NaN, and left out
        .fillna(0.0)
        .set_axis(df.index)
        .astype("float64")
    )


def daily_sentiment(
    news: pd.DataFrame, trading_days: pd.DatetimeIndex, close_time: str = "16:00", tz: str = "America/New_York"
) -> pd.DataFrame:
    days = pd.DatetimeIndex(trading_days)
    closes = (days + pd.Timedelta(f"{close_time}:00")).tz_localize(tz).tz_convert("UTC").as_unit("ns")
    calendar = pd.DataFrame({"moment": closes, "day": days})
    told = pd.DataFrame({"moment": pd.to_datetime(news["published"], utc=True).dt.as_unit("ns"), "score": news["score"]})
    return (
        pd.merge_asof(
            told.dropna(subset="moment").sort_values("moment"),
            calendar,
            on="moment",
            direction="forward",
            allow_exact_matches=False,
        )
        .groupby("day")["score"]
        .agg(sentiment="mean", n_news="size")
        .reindex(days, fill_value=0)
        .astype({"sentiment": "float64", "n_news": "int64"})
    )


def add_sentiment(features: pd.DataFrame, sentiment: pd.DataFrame) -> pd.DataFrame:
    return features.join(sentiment).fillna(dict.fromkeys(sentiment.columns, 0))
