"""Bonus: a calendar of closes, and the news between them."""

import bisect
import csv
import re
from collections import Counter
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Lexicon:
    weights: dict[str, float]

    def score(self, headline: object) -> float:
        words = Counter(WORD.findall(headline.lower())) if isinstance(headline, str) else Counter()
        known = {word: times for word, times in words.items() if word in self.weights}
        return sum(times * self.weights[word] for word, times in known.items()) / max(sum(known.values()), 1)


def score_headlines(df: pd.DataFrame, lexicon: dict[str, float]) -> pd.Series:
    return df["headline"].astype("object").map(Lexicon(lexicon).score).astype("float64").rename("score")


@dataclass
class Day:
    total: float = 0.0
    n_news: int = 0

    def add(self, score: float) -> None:
        self.total += score
        self.n_news += 1

    @property
    def sentiment(self) -> float:
        return self.total / self.n_news if self.n_news else 0.0


def daily_sentiment(
    news: pd.DataFrame, trading_days: pd.DatetimeIndex, close_time: str = "16:00", tz: str = "America/New_York"
) -> pd.DataFrame:
    closes = [pd.Timestamp(f"{day.date()} {close_time}", tz=tz) for day in trading_days]
    days = [Day() for _ in closes]
    for item in news[["published", "score"]].itertuples(index=False):
        place = bisect.bisect_right(closes, item.published)
        if place < len(days):
            days[place].add(item.score)
    table = pd.DataFrame({name: [getattr(day, name) for day in days] for name in SENTIMENT}, index=trading_days)
    return table.astype({"sentiment": "float64", "n_news": "int64"})


def add_sentiment(features: pd.DataFrame, sentiment: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([features, sentiment.reindex(features.index, fill_value=0)], axis="columns")
