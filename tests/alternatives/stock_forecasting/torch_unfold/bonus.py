"""Bonus: news in buckets between the closes."""

import csv
import re
from pathlib import Path

import numpy as np
import pandas as pd
import torch

WORD = re.compile(r"[a-z]+(?:['\u2019-][a-z]+)*")
SENTIMENT = ["sentiment", "n_news"]


def read_lexicon(path: str | Path) -> dict[str, float]:
    with open(path, newline="", encoding="utf-8") as file:
        return {row["word"]: float(row["weight"]) for row in csv.DictReader(file)}


def read_news(path: str | Path) -> pd.DataFrame:
    news = pd.read_csv(path, dtype={"headline": "str"})
    return news.assign(published=pd.to_datetime(news["published"], utc=True))


def score_headlines(df: pd.DataFrame, lexicon: dict[str, float]) -> pd.Series:
    words = [WORD.findall(text.lower()) if isinstance(text, str) else [] for text in df["headline"].tolist()]
    pairs = [(row, lexicon[word]) for row, found in enumerate(words) for word in found if word in lexicon]
    rows = torch.tensor([row for row, _ in pairs], dtype=torch.long)
    weights = torch.tensor([weight for _, weight in pairs], dtype=torch.float64)
    total = torch.zeros(len(df), dtype=torch.float64).index_add(0, rows, weights)
    count = torch.bincount(rows, minlength=len(df))
    return pd.Series(total.div(count.clamp(min=1)).numpy(), df.index)


def nanoseconds(moments: pd.DatetimeIndex) -> torch.Tensor:
    return torch.from_numpy(moments.tz_convert("UTC").as_unit("ns").asi8.copy())


def daily_sentiment(
    news: pd.DataFrame, trading_days: pd.DatetimeIndex, close_time: str = "16:00", tz: str = "America/New_York"
) -> pd.DataFrame:
    n = len(trading_days)
    clock = pd.Timedelta(close_time if close_time.count(":") == 2 else close_time + ":00")
    closes = nanoseconds((trading_days + clock).tz_localize(tz))
    published = nanoseconds(pd.DatetimeIndex(pd.to_datetime(news["published"], utc=True)))
    bucket = torch.bucketize(published, closes, right=True)  # n: after the last close
    scores = torch.tensor(news["score"].tolist(), dtype=torch.float64)
    total = torch.zeros(n + 1, dtype=torch.float64).scatter_add(0, bucket, scores)[:n]
    count = torch.bincount(bucket, minlength=n + 1)[:n]
    mean = torch.where(count > 0, total / count, 0.0)
    return pd.DataFrame({"sentiment": mean.numpy(), "n_news": count.numpy()}, index=trading_days)


def add_sentiment(features: pd.DataFrame, sentiment: pd.DataFrame) -> pd.DataFrame:
    place = torch.from_numpy(sentiment.index.get_indexer(features.index).copy())
    values = torch.from_numpy(np.ascontiguousarray(sentiment.to_numpy("float64", copy=True)))
    values = torch.cat([values, values.new_zeros(1, values.shape[1])])[place]  # -1, the last row, is all zeros
    return pd.concat([features, pd.DataFrame(values.numpy(), features.index, sentiment.columns)], axis=1)
