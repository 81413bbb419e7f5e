"""Bonus: headlines counted by a CountVectorizer."""

import csv
import re
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import CountVectorizer

WORD = re.compile(r"[a-z]+(?:['\u2019-][a-z]+)*")
SENTIMENT = ["sentiment", "n_news"]


def read_lexicon(path: str | Path) -> dict[str, float]:
    with open(path, newline="", encoding="utf-8") as file:
        return {row["word"]: float(row["weight"]) for row in csv.DictReader(file)}


def read_news(path: str | Path) -> pd.DataFrame:
    news = pd.read_csv(path, dtype={"headline": "str"})
    return news.assign(published=pd.to_datetime(news["published"], utc=True))


def score_headlines(df: pd.DataFrame, lexicon: dict[str, float]) -> pd.Series:
    if not lexicon or df.empty:
        return pd.Series(0.0, index=df.index, dtype="float64")
    counter = CountVectorizer(vocabulary=list(lexicon), tokenizer=WORD.findall, token_pattern=None, lowercase=True)
    counts = counter.transform(df["headline"].fillna("").astype("object"))  # (n, words)
    found = np.asarray(counts.sum(axis=1), dtype="float64").ravel()
    return pd.Series(counts @ np.array(list(lexicon.values())) / np.where(found > 0, found, 1), index=df.index)


def daily_sentiment(
    news: pd.DataFrame, trading_days: pd.DatetimeIndex, close_time: str = "16:00", tz: str = "America/New_York"
) -> pd.DataFrame:
    closes = pd.DatetimeIndex([f"{day:%Y-%m-%d} {close_time}" for day in trading_days]).tz_localize(tz).tz_convert("UTC")
    table = pd.DataFrame({"sentiment": 0.0, "n_news": 0}, index=trading_days)
    if len(news) and len(table):
        begin = pd.DatetimeIndex(["1700-01-01"], tz="UTC")
        between = pd.IntervalIndex.from_breaks(begin.append(closes).as_unit("us"), closed="left")
        moments = pd.DatetimeIndex(pd.to_datetime(news["published"], utc=True)).as_unit("us")
        scores = news["score"].groupby(between.get_indexer(moments))  # -1: after the last close
        for place, some in scores:
            if place >= 0:
                table.iloc[place] = [some.mean(), len(some)]
    return table.astype({"n_news": "int64"})


def add_sentiment(features: pd.DataFrame, sentiment: pd.DataFrame) -> pd.DataFrame:
    merged = features.merge(sentiment, how="left", left_index=True, right_index=True)
    return merged.fillna({name: 0 for name in sentiment})
