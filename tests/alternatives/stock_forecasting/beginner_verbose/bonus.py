"""Bonus: news."""

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
    scores = []
    for headline in df["headline"]:
        if not isinstance(headline, str):
            headline = ""
        total = 0.0
        count = 0
        for word in WORD.findall(headline.lower()):
            if word in lexicon:
                total = total + lexicon[word]
                count = count + 1
        if count == 0:
            scores.append(0.0)
        else:
            scores.append(total / count)
    return pd.Series(scores, index=df.index, dtype="float64")


def daily_sentiment(
    news: pd.DataFrame, trading_days: pd.DatetimeIndex, close_time: str = "16:00", tz: str = "America/New_York"
) -> pd.DataFrame:
    hour, minute = close_time.split(":")[:2]
    closes = []
    scores_of_day = []
    for day in trading_days:
        close = pd.Timestamp(year=day.year, month=day.month, day=day.day, hour=int(hour), minute=int(minute), tz=tz)
        closes.append(close)
        scores_of_day.append([])

    for moment, score in zip(news["published"], news["score"]):
        for i in range(len(closes)):
            if moment < closes[i]:
                scores_of_day[i].append(score)
                break

    table = pd.DataFrame(index=trading_days)
    means = []
    counts = []
    for scores in scores_of_day:
        counts.append(len(scores))
        if len(scores) > 0:
            means.append(sum(scores) / len(scores))
        else:
            means.append(0.0)
    table["sentiment"] = pd.Series(means, index=trading_days, dtype="float64")
    table["n_news"] = pd.Series(counts, index=trading_days, dtype="int64")
    return table


def add_sentiment(features: pd.DataFrame, sentiment: pd.DataFrame) -> pd.DataFrame:
    result = features.copy()
    for name in sentiment.columns:
        value_of_day = dict(zip(sentiment.index, sentiment[name]))
        values = []
        for day in features.index:
            values.append(value_of_day.get(day, 0))
        result[name] = values
    return result
