"""Bonus: news, dated to the first close after them."""

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


def require_columns(df: pd.DataFrame, *names: str) -> None:
    missing = [name for name in names if name not in df.columns]
    if missing:
        raise ValueError(f"expected the columns {', '.join(names)}; found no {', '.join(missing)}.")


def score_headlines(df: pd.DataFrame, lexicon: dict[str, float]) -> pd.Series:
    require_columns(df, "headline")

    def score(headline: str) -> float:
        known = [word for word in WORD.findall(headline.lower()) if word in lexicon]
        if not known:
            return 0.0
        return sum(lexicon[word] for word in known) / len(known)

    texts = df["headline"].astype("object").fillna("").astype("str")
    return pd.Series([score(text) for text in texts], index=df.index, dtype="float64", name="score")


def daily_sentiment(
    news: pd.DataFrame, trading_days: pd.DatetimeIndex, close_time: str = "16:00", tz: str = "America/New_York"
) -> pd.DataFrame:
    require_columns(news, "published", "score")
    if trading_days.tz is not None or not trading_days.is_monotonic_increasing:
        raise ValueError("trading_days: expected ascending days without time zone.")
    for stamp in news["published"].head(1):
        if pd.Timestamp(stamp).tzinfo is None:
            raise ValueError(f"published: expected stamps with a time zone, found {stamp}.")
    day_of_close = {
        pd.Timestamp.combine(day.date(), pd.Timestamp(close_time).time()).tz_localize(tz): day for day in trading_days
    }
    closes = pd.Series(day_of_close.values(), index=pd.DatetimeIndex(day_of_close.keys(), tz=tz), dtype="object")
    published = pd.to_datetime(news["published"], utc=True)
    place = closes.index.searchsorted(pd.DatetimeIndex(published).tz_convert(tz), side="right")
    in_time = place < len(closes)
    days = closes.iloc[place[in_time]].to_list()
    scores = pd.Series(news["score"].to_numpy()[in_time], index=pd.DatetimeIndex(days), dtype="float64")
    by_day = scores.groupby(level=0)
    return pd.DataFrame(
        {
            "sentiment": by_day.mean().reindex(trading_days).fillna(0.0),
            "n_news": by_day.count().reindex(trading_days).fillna(0).astype("int64"),
        },
        index=trading_days,
    )


def add_sentiment(features: pd.DataFrame, sentiment: pd.DataFrame) -> pd.DataFrame:
    twice = features.columns.intersection(sentiment.columns)
    if len(twice):
        raise ValueError(f"the features already have {', '.join(twice)}.")
    added = sentiment.loc[sentiment.index.isin(features.index)].reindex(features.index).fillna(0)
    table = features.copy()
    table[list(sentiment.columns)] = added
    return table
