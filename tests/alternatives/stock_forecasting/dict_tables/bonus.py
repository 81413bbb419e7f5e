"""News by close."""

import csv
import re
from pathlib import Path

import numpy as np
import pandas as pd

WORD = re.compile("[a-z]+(?:['\u2019-][a-z]+)*")
SENTIMENT = ["sentiment", "n_news"]

OF_A_DAY = {"sentiment": ("score", "mean"), "n_news": ("score", "size")}
NEUTRAL = {"sentiment": 0.0, "n_news": 0}


def read_lexicon(path: str | Path) -> dict[str, float]:
    with open(path, newline="", encoding="utf-8") as file:
        return {row["word"]: float(row["weight"]) for row in csv.DictReader(file)}


def read_news(path: str | Path) -> pd.DataFrame:
    news = pd.read_csv(path, dtype={"headline": "str"})
    return news.assign(published=pd.to_datetime(news["published"], utc=True))


def score_headlines(df: pd.DataFrame, lexicon: dict[str, float]) -> pd.Series:
    def score(headline: str) -> float:
        weights = [*filter(lambda w: w is not None, map(lexicon.get, WORD.findall(headline.lower())))]
        return float(np.mean(weights or [0.0]))

    known = {text: score(text) for text in set(df["headline"].dropna())}
    return pd.Series([known.get(text, 0.0) for text in df["headline"]], index=df.index, dtype="float64")


def daily_sentiment(
    news: pd.DataFrame, trading_days: pd.DatetimeIndex, close_time: str = "16:00", tz: str = "America/New_York"
) -> pd.DataFrame:
    clock = dict(zip(("hours", "minutes"), map(int, close_time.split(":"))))
    closes = (trading_days + pd.DateOffset(**clock)).tz_localize(tz)
    next_close = pd.Series(trading_days, index=closes.tz_convert("UTC"))
    published = pd.to_datetime(news["published"], utc=True)
    place = next_close.index.get_indexer(published + pd.Timedelta(1, "ns"), method="bfill")
    day = pd.Series(trading_days).reindex(place).to_numpy()  # NaT after the last close
    table = news.assign(day=day).groupby("day").agg(**OF_A_DAY).reindex(trading_days)
    return table.fillna(NEUTRAL).astype({name: type(value) for name, value in NEUTRAL.items()})


def add_sentiment(features: pd.DataFrame, sentiment: pd.DataFrame) -> pd.DataFrame:
    columns = {name: features.index.map(sentiment[name].to_dict().get) for name in sentiment}
    return features.assign(**{name: pd.Series(values, features.index, dtype="float64").fillna(0.0) for name, values in columns.items()})
