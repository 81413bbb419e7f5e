"""Headlines dealt out to closes."""

import csv
import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from statistics import fmean

import pandas as pd

WORD = re.compile("[a-z]+(?:['\u2019-][a-z]+)*")
SENTIMENT = ["sentiment", "n_news"]


def read_lexicon(path: str | Path) -> dict[str, float]:
    with open(path, newline="", encoding="utf-8") as file:
        return {row["word"]: float(row["weight"]) for row in csv.DictReader(file)}


def read_news(path: str | Path) -> pd.DataFrame:
    news = pd.read_csv(path, dtype={"headline": "str"})
    return news.assign(published=pd.to_datetime(news["published"], utc=True))


def scorer(lexicon: dict[str, float]) -> Callable[[object], float]:
    def score(headline: object) -> float:
        words = (match.group() for match in WORD.finditer(headline.lower())) if isinstance(headline, str) else ()
        weights = [lexicon[word] for word in words if word in lexicon]
        return fmean(weights) if weights else 0.0

    return score


def score_headlines(df: pd.DataFrame, lexicon: dict[str, float]) -> pd.Series:
    return df["headline"].map(scorer(lexicon)).astype("float64")


def daily_sentiment(
    news: pd.DataFrame, trading_days: pd.DatetimeIndex, close_time: str = "16:00", tz: str = "America/New_York"
) -> pd.DataFrame:
    closes = [pd.Timestamp(f"{day:%Y-%m-%d} {close_time}", tz=tz) for day in trading_days]
    scores = defaultdict(list)
    for published, score in zip(news["published"], news["score"], strict=True):
        scores[bisect_right(closes, published)].append(float(score))
    rows = [(fmean(scores[place]) if place in scores else 0.0, len(scores.get(place, ()))) for place in range(len(closes))]
    table = pd.DataFrame(rows, index=trading_days, columns=SENTIMENT)
    return table.astype({"sentiment": "float64", "n_news": "int64"})


def add_sentiment(features: pd.DataFrame, sentiment: pd.DataFrame) -> pd.DataFrame:
    def on(name: str) -> list[float]:
        known = sentiment[name].to_dict()
        return [known.get(day, 0) for day in features.index]

    return features.assign(**{name: on(name) for name in sentiment})
