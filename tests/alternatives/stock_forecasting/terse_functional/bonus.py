"""Closes are searched; groups are pandas'."""

import csv
import re

import numpy as np
import pandas as pd

WORD = re.compile(r"[a-z]+(?:['’-][a-z]+)*")
SENTIMENT = ["sentiment", "n_news"]


def read_lexicon(path):
    with open(path, newline="", encoding="utf-8") as file:
        return {row["word"]: float(row["weight"]) for row in csv.DictReader(file)}


def read_news(path):
    news = pd.read_csv(path, dtype={"headline": "str"})
    return news.assign(published=pd.to_datetime(news["published"], utc=True))


def score_headlines(df, lexicon):
    def score(text):
        weights = [lexicon[word] for word in WORD.findall(text.lower()) if word in lexicon]
        return np.mean(weights) if weights else 0.0

    return pd.Series([score(text) for text in df["headline"]], index=df.index, dtype="float64")


def daily_sentiment(news, trading_days, close_time="16:00", tz="America/New_York"):
    closes = pd.DatetimeIndex([f"{day:%Y-%m-%d} {close_time}" for day in trading_days]).tz_localize(tz)
    place = closes.searchsorted(pd.to_datetime(news["published"], utc=True).dt.tz_convert(tz), side="right")
    table = news["score"].groupby(place).agg(["mean", "size"]).reindex(range(len(closes)), fill_value=0)
    return table.set_axis(trading_days).set_axis(SENTIMENT, axis=1).astype({"sentiment": "float64", "n_news": "int64"})


def add_sentiment(features, sentiment):
    return pd.concat([features, sentiment.reindex(features.index, fill_value=0)], axis=1)
