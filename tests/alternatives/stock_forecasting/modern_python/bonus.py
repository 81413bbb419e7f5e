"""Sentiment of headlines, dated by the close that comes after them."""

from __future__ import annotations

import csv
import re
from datetime import time
from pathlib import Path
from zoneinfo import ZoneInfo

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


def score(headline: str | float, lexicon: dict[str, float]) -> float:
    match headline:
        case str() if weights := [w for word in WORD.findall(headline.lower()) if (w := lexicon.get(word)) is not None]:
            return sum(weights) / len(weights)
        case _:
            return 0.0


def score_headlines(df: pd.DataFrame, lexicon: dict[str, float]) -> pd.Series:
    scores = np.fromiter((score(headline, lexicon) for headline in df["headline"]), dtype=np.float64, count=len(df))
    return pd.Series(scores, index=df.index, name="score")


def daily_sentiment(
    news: pd.DataFrame, trading_days: pd.DatetimeIndex, close_time: str = "16:00", tz: str = "America/New_York"
) -> pd.DataFrame:
    clock = time.fromisoformat(close_time).replace(tzinfo=ZoneInfo(tz))
    closes = pd.to_datetime([pd.Timestamp.combine(day.date(), clock) for day in trading_days], utc=True).as_unit("ns")
    calendar = pd.DataFrame({"moment": closes, "day": trading_days})
    told = pd.DataFrame({"moment": pd.DatetimeIndex(pd.to_datetime(news["published"], utc=True)).as_unit("ns")})
    told = told.assign(score=news["score"].to_numpy(dtype="float64")).sort_values("moment")
    dated = pd.merge_asof(told, calendar, on="moment", direction="forward", allow_exact_matches=False)
    table = dated.dropna(subset="day").groupby("day")["score"].agg(sentiment="mean", n_news="size")
    return table.reindex(trading_days).fillna(0).astype({"sentiment": float, "n_news": int})


def add_sentiment(features: pd.DataFrame, sentiment: pd.DataFrame) -> pd.DataFrame:
    joined = features.merge(sentiment, how="left", left_index=True, right_index=True)
    return joined.fillna(dict.fromkeys(sentiment.columns, 0))
