"""News by cumulative sums."""

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
    total, count = np.zeros(len(df)), np.zeros(len(df))
    for i, headline in enumerate(df["headline"].to_numpy()):
        for word in WORD.findall(headline.lower()) if isinstance(headline, str) else ():
            if word in lexicon:
                total[i] += lexicon[word]
                count[i] += 1
    np.divide(total, count, out=total, where=count > 0)
    return pd.Series(total, index=df.index)


def daily_sentiment(
    news: pd.DataFrame, trading_days: pd.DatetimeIndex, close_time: str = "16:00", tz: str = "America/New_York"
) -> pd.DataFrame:
    wall = trading_days.to_numpy().astype("M8[D]") + np.timedelta64(pd.Timedelta(f"{close_time}:00").value, "ns")
    closes = pd.DatetimeIndex(wall).tz_localize(tz).tz_convert(None).to_numpy().astype("M8[ns]")
    published = pd.to_datetime(news["published"], utc=True).dt.tz_convert(None).to_numpy().astype("M8[ns]")
    order = np.argsort(published, kind="stable")
    total = np.zeros(len(news) + 1)
    np.cumsum(news["score"].to_numpy(dtype="float64")[order], out=total[1:])
    until = np.searchsorted(published, closes, side="left", sorter=order)  # news before each close
    n = np.diff(until, prepend=0)
    sentiment = np.diff(total[until], prepend=0.0)
    np.divide(sentiment, n, out=sentiment, where=n > 0)
    sentiment[n == 0] = 0
    return pd.DataFrame({"sentiment": sentiment, "n_news": n}, index=trading_days)


def add_sentiment(features: pd.DataFrame, sentiment: pd.DataFrame) -> pd.DataFrame:
    rows = sentiment.index.get_indexer(features.index)
    table = features.copy(deep=True)
    for name in sentiment:
        values = sentiment[name].to_numpy().take(rows)
        values[rows < 0] = 0
        table.insert(table.shape[1], name, values)
    return table
