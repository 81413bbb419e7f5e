"""Bonus · News: what the headlines of a day say about the next one, and from when on it may be used."""

import csv
import re
from pathlib import Path

import numpy as np
import pandas as pd

WORD = re.compile(r"[a-z]+(?:['’-][a-z]+)*")
SENTIMENT = ["sentiment", "n_news"]


def read_lexicon(path: str | Path) -> dict[str, float]:
    """Words in lower case with their weights, from a CSV file with the columns `word` and `weight`. Given."""
    with open(path, newline="", encoding="utf-8") as file:
        return {row["word"]: float(row["weight"]) for row in csv.DictReader(file)}


def read_news(path: str | Path) -> pd.DataFrame:
    """`published` (time stamps in UTC) and `headline`, from a CSV file with these columns. Given."""
    news = pd.read_csv(path, dtype={"headline": "str"})
    return news.assign(published=pd.to_datetime(news["published"], utc=True))


def score_headlines(df: pd.DataFrame, lexicon: dict[str, float]) -> pd.Series:
    """How good or bad each headline sounds.

    Args:
        df: has a column `headline`.
        lexicon: word in lower case -> weight, from −1 (bad) to 1 (good).

    Returns:
        The mean weight of a headline's words that are in the lexicon, each as often as it occurs; 0 if none is. Words are
        compared as wholes (`WORD`) and in lower case. float64, with the index of `df`.
    """
    raise NotImplementedError("Bonus: write score_headlines().")


def daily_sentiment(
    news: pd.DataFrame, trading_days: pd.DatetimeIndex, close_time: str = "16:00", tz: str = "America/New_York"
) -> pd.DataFrame:
    """The sentiment that is known at the close of each trading day, and was not at the close before.

    Args:
        news: `published`, time stamps with a time zone, whichever; and `score`.
        trading_days: days without time zone, ascending.
        close_time: of the exchange, in its own time.
        tz: the exchange's time zone.

    Returns:
        For each trading day `sentiment`, the mean score of the news published before its close and not before the close of
        the trading day before, or 0 where there are none; and `n_news`, their number. So what comes at the close or later, on
        a weekend or on a holiday counts for the next trading day; what comes after the last close is left out, and what
        comes before the first one counts for the first day.
    """
    raise NotImplementedError("Bonus: write daily_sentiment().")


def add_sentiment(features: pd.DataFrame, sentiment: pd.DataFrame) -> pd.DataFrame:
    """The features with a column more for each of `sentiment`'s, matched by day; 0 on days that `sentiment` does not have.

    Args:
        features: see `build_features`; not changed.
        sentiment: see `daily_sentiment`.
    """
    raise NotImplementedError("Bonus: write add_sentiment().")
