"""News counted one by one."""

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
    scores = []
    for headline in df["headline"]:
        total, count = 0.0, 0
        for word in WORD.findall(headline.lower()):
            if word in lexicon:
                total += lexicon[word]
                count += 1
        scores.append(total / count if count else 0.0)
    return pd.Series(scores, index=df.index, dtype="float64")


def daily_sentiment(news, trading_days, close_time="16:00", tz="America/New_York"):
    closes = [pd.Timestamp(f"{day.date()} {close_time}", tz=tz) for day in trading_days]
    sums, counts = [0.0] * len(closes), [0] * len(closes)
    order = sorted(zip(pd.to_datetime(news["published"], utc=True), news["score"], strict=True), key=lambda item: item[0])
    i = 0
    for moment, score in order:
        while i < len(closes) and closes[i] <= moment:
            i += 1
        if i == len(closes):
            break
        sums[i] += float(score)
        counts[i] += 1
    means = [total / count if count else 0.0 for total, count in zip(sums, counts, strict=True)]
    return pd.DataFrame(
        {"sentiment": np.array(means, dtype="float64"), "n_news": np.array(counts, dtype="int64")}, index=trading_days
    )


def add_sentiment(features, sentiment):
    table = features.copy()
    for name in sentiment.columns:
        of_day = dict(zip(sentiment.index, sentiment[name], strict=True))
        table[name] = [of_day.get(day, 0) for day in features.index]
    return table
