"""A Lexicon that scores, and merge_asof forward to the next close."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

WORD: re.Pattern[str] = re.compile(r"[a-z]+(?:['’-][a-z]+)*")
SENTIMENT: list[str] = ["sentiment", "n_news"]


def read_lexicon(path: str | Path) -> dict[str, float]:
    with open(path, newline="", encoding="utf-8") as file:
        return {row["word"]: float(row["weight"]) for row in csv.DictReader(file)}


def read_news(path: str | Path) -> pd.DataFrame:
    news = pd.read_csv(path, dtype={"headline": "str"})
    return news.assign(published=pd.to_datetime(news["published"], utc=True))


@dataclass(frozen=True)
class Lexicon:
    weights: dict[str, float]

    def score(self, headlines: pd.Series) -> pd.Series:
        numbered = headlines.reset_index(drop=True)
        words = numbered.str.lower().str.findall(WORD).explode()
        known = words.map(self.weights).astype("float64").dropna()
        means = known.groupby(level=0).mean().reindex(numbered.index, fill_value=0.0)
        return means.set_axis(headlines.index).rename("score")


def score_headlines(df: pd.DataFrame, lexicon: dict[str, float]) -> pd.Series:
    return Lexicon(lexicon).score(df["headline"])


@dataclass(frozen=True)
class Exchange:
    close_time: str
    tz: str

    def closes(self, days: pd.DatetimeIndex) -> pd.DataFrame:
        hour = pd.Timedelta(f"{self.close_time}:00")
        local = (days.as_unit("ns") + hour).tz_localize(self.tz)
        return pd.DataFrame({"close": local.tz_convert("UTC").as_unit("ns"), "day": days})


def daily_sentiment(
    news: pd.DataFrame, trading_days: pd.DatetimeIndex, close_time: str = "16:00", tz: str = "America/New_York"
) -> pd.DataFrame:
    published = pd.DatetimeIndex(pd.to_datetime(news["published"], utc=True)).as_unit("ns")
    told = pd.DataFrame({"published": published, "score": news["score"].to_numpy("float64")}).sort_values("published")
    dated = pd.merge_asof(
        told,
        Exchange(close_time, tz).closes(trading_days),
        left_on="published",
        right_on="close",
        direction="forward",
        allow_exact_matches=False,
    ).dropna(subset="day")
    by_day = dated.groupby("day")["score"]
    table = pd.DataFrame({"sentiment": by_day.mean(), "n_news": by_day.count()}).reindex(trading_days)
    return table.fillna(0).astype({"sentiment": "float64", "n_news": "int64"})


def add_sentiment(features: pd.DataFrame, sentiment: pd.DataFrame) -> pd.DataFrame:
    table = features.join(sentiment, how="left")
    return table.fillna(dict.fromkeys(sentiment.columns, 0))
