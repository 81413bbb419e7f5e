"""Bonus, the day that news counts for: against a walk over the closes, one item of news after the other."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from grader.suite import as_array, as_frame, assert_close, check, require, require_columns

NEW_YORK = "America/New_York"
EXACT = {"rtol": 1e-6, "atol": 1e-6}  # means of a few scores, for float32, too


def news_of(rng: np.random.Generator, stamps: Sequence[pd.Timestamp], tz: str = "UTC") -> pd.DataFrame:
    """Items with scores of their own, all above 0.1, as a part of a larger table in no order."""
    published = pd.DatetimeIndex([stamp.tz_convert(tz) for stamp in stamps]).as_unit("ns")
    news = pd.DataFrame({"published": published, "score": rng.uniform(0.1, 1, len(stamps))})
    return news.iloc[rng.permutation(len(news))]


def at(day: str, clock: str, tz: str = NEW_YORK) -> pd.Timestamp:
    return pd.Timestamp(f"{day} {clock}", tz=tz)


def walk(news: pd.DataFrame, days: pd.DatetimeIndex, clock: str = "16:00", tz: str = NEW_YORK) -> pd.DataFrame:
    """Each item counts for the first day whose close is later than the item."""
    closes = [at(f"{day:%Y-%m-%d}", clock, tz) for day in days]
    scores = [[] for _ in days]
    for stamp, score in zip(news["published"], news["score"], strict=True):
        for own, close in zip(scores, closes, strict=True):
            if stamp < close:
                own.append(score)
                break
    means = [sum(own) / len(own) if own else 0.0 for own in scores]
    return pd.DataFrame({"sentiment": means, "n_news": list(map(len, scores))}, days)


def require_daily(student, news: pd.DataFrame, days: pd.DatetimeIndex, *settings: str, case: str) -> pd.DataFrame:
    """`daily_sentiment` is what the walk gives."""
    wanted = walk(news, days, *settings)
    result = as_frame(student.bonus.daily_sentiment(news, days, *settings), "daily_sentiment's result", case=case)
    require_columns(result, list(wanted), "daily_sentiment's result")
    rows = isinstance(result.index, pd.DatetimeIndex) and result.index.tolist() == days.tolist()
    require(rows, "there is one row for each of trading_days", expected=len(days), got=len(result), case=case)
    assert_close(result["n_news"].to_numpy(), wanted["n_news"].to_numpy(), "n_news", case=case, **EXACT)
    assert_close(result["sentiment"].to_numpy(), wanted["sentiment"].to_numpy(), "sentiment", case=case, **EXACT)
    return result


def require_counted(student, news: pd.DataFrame, days: pd.DatetimeIndex, *settings: str, case: str) -> None:
    """Each item, none of which shares its day with another, counts for the right one; empty days are others' matter."""
    wanted = walk(news, days, *settings)
    result = as_frame(student.bonus.daily_sentiment(news, days, *settings), "daily_sentiment's result", case=case)
    require_columns(result, list(wanted), "daily_sentiment's result")
    require(result.index.is_unique, "each day comes once", got=len(result), case=case)
    own = wanted.index[wanted["n_news"] > 0]
    counted = result.index[as_array(result["n_news"], "n_news", case=case) > 0]
    expected, got = (", ".join(sorted(str(day)[:10] for day in found)) for found in (own, counted))
    require(got == expected, "the days with news are right", expected=expected, got=got, case=case)
    scores = result["sentiment"].loc[own].to_numpy()
    assert_close(
        scores, wanted["sentiment"].loc[own].to_numpy(), "sentiment of a day with one item", case=case, **EXACT
    )


@check(
    title="News before the close counts for the day, news at the close or later for the next; a day has their mean",
    hint="15:59:59 is before 16:00, 16:00:00 is not. Use close_time. Several items a day, in any order: mean, not sum; "
    "n_news is how many they are.",
)
def test_daily_close(student, rng):
    days = pd.bdate_range("2021-01-25", periods=5)  # Monday to Friday
    for clock, before, after in (("16:00", "15:59:59", "16:00:01"), ("13:00", "12:59:59", "13:00:01")):
        hours = [clock, before, after, "09:45:00", "14:30:00", "19:20:00"]
        # Each of the first four days has from one to six items, and all six moments occur.
        moments = [rng.choice(hours, int(rng.integers(1, 4)), replace=False) for _ in range(3)] + [hours]
        stamps = [at(f"{day:%Y-%m-%d}", hour) for day, own in zip(days, moments, strict=False) for hour in own]
        # What is late for the last day or early for the first is another check's matter.
        require_daily(student, news_of(rng, stamps, NEW_YORK), days, clock, case=f"a week, closing at {clock}")


@check(
    title="News of weekends and holidays counts for the next of trading_days",
    hint="Look for the first close after the news among trading_days. Earlier than all is the first day's, later is left out.",
)
def test_daily_closed_days(student, rng):
    days = pd.DatetimeIndex(["2021-02-10", "2021-02-11", "2021-02-12", "2021-02-16", "2021-02-17"])  # 15th: a holiday
    for day, hour in (("13", "11:00"), ("14", "11:00"), ("15", "11:00"), ("15", "20:15"), ("16", "09:31")):
        stamp = at(f"2021-02-{day}", hour)
        require_counted(student, news_of(rng, [stamp], NEW_YORK), days, case=f"one item, {stamp:%A, %d %B, %H:%M}")
    for early in (at("2021-02-08", "12:00"), at("2021-02-06", "12:00")):
        require_counted(student, news_of(rng, [early], NEW_YORK), days, case="news before the first day")
    late = [at("2021-02-11", "12:00"), at("2021-02-18", "10:00"), at("2021-02-20", "12:00")]
    require_counted(student, news_of(rng, late, NEW_YORK), days, case="one item, and two after the last close")


@check(
    title="The close is told by the exchange's clock, summer and winter, whatever zone the news is in",
    hint="16:00 in New York is 21:00 UTC in winter and 20:00 in summer: tz_localize the closes with tz, never with an "
    "offset. Of the news, neither drop the zone nor take the date by UTC.",
)
def test_daily_clocks(student, rng):
    changes = {NEW_YORK: ("2021-03-14", "2021-11-07"), "Europe/London": ("2021-03-28", "2021-10-31")}
    for tz, sundays in (changes | {"Asia/Tokyo": ("2021-06-13",)}).items():
        for sunday in sundays:
            days = pd.bdate_range(pd.Timestamp(sunday) - pd.Timedelta(days=4), periods=6)
            closes = [at(f"{day:%Y-%m-%d}", "16:00", tz) for day in days]
            gaps = rng.permutation([1, 60, 1_200, 3_000, 5_400, 20_000])  # seconds; an hour off tells four of them
            gaps = [pd.Timedelta(seconds=int(gap)) for gap in gaps]
            before = [close - gap for close, gap in zip(closes, gaps, strict=True)]
            # After the close only where the next day is one of trading: weekends are another check's matter.
            evenings = [place for place in range(5) if days[place + 1] - days[place] == pd.Timedelta(days=1)]
            after = [closes[place] + gaps[place + 1] for place in evenings]
            for zone in ("UTC", "Asia/Kolkata") if tz == NEW_YORK else ("UTC",):
                for stamps, side in ((before, "before"), (after, "after")):
                    case = f"{side} the close in {tz}, around {sunday}, news in {zone}"
                    require_counted(student, news_of(rng, stamps, zone), days, "16:00", tz, case=case)


@check(
    title="A day without news has sentiment 0 and n_news 0, a whole number as all of n_news",
    hint="reindex to trading_days, fill with 0: no mean of other days, nothing carried over; also without any news at all. "
    "reindex makes floats of n_news: make it whole numbers again.",
)
def test_daily_neutral(student, rng):
    days = pd.bdate_range("2021-05-03", periods=12)
    some = np.sort(rng.choice(np.arange(1, 11), 4, replace=False))
    stamps = [at(f"{days[place]:%Y-%m-%d}", "10:00") for place in some]
    for news, case in (
        (news_of(rng, stamps), "news on four of twelve days"),
        (news_of(rng, stamps).iloc[:0], "no news at all"),
    ):
        numbers = require_daily(student, news, days, case=case)["n_news"]
        whole = all(isinstance(number, int | np.integer) for number in numbers)
        require(whole, "n_news are whole numbers", expected="an integer dtype", got=str(numbers.dtype), case=case)


@check(
    title="News that comes later changes no earlier day",
    hint="No mean, deviation, filling or smoothing over days that are still to come.",
)
def test_sentiment_causal(student, rng):
    days = pd.bdate_range("2021-05-03", periods=15)
    features = pd.DataFrame(rng.normal(size=(15, 2)), days, ["a", "b"])
    stamps = [at(f"{day:%Y-%m-%d}", f"{hour}:30") for day in days[::2] for hour in (9, 14)]
    news, today = news_of(rng, stamps), int(rng.choice([5, 7]))  # a day without news, before one with news
    later = news["published"] > at(f"{days[today + 1]:%Y-%m-%d}", "00:01")
    extra = news_of(rng, [at(f"{day:%Y-%m-%d}", "11:11") for day in days[today + 1 :]])
    changed = pd.concat([news[~later], news[later].assign(score=-3.0), extra], ignore_index=True)
    tables = []
    for table in (news, news[~later], changed):
        daily = as_frame(student.bonus.daily_sentiment(table, days), "daily_sentiment's result")
        both = as_frame(student.bonus.add_sentiment(features, daily), "add_sentiment's result")
        require_columns(both, ["sentiment", "n_news"], "add_sentiment's result")
        require(len(both) == len(days), "there is a row for each day", expected=len(days), got=len(both))
        tables.append(both[["sentiment", "n_news"]].to_numpy(dtype="float64"))
    told, past = tables[0], slice(0, today + 1)
    require(bool(np.abs(told[past, 0]).max() > 0), "news before that day counts", got="sentiment 0 on all days")
    for other, case in ((tables[1], "without the later news"), (tables[2], "with other news later")):
        assert_close(other[past], told[past], "what was known by then", case=case, **EXACT)
        moved = bool(np.abs(other[today + 1 :] - told[today + 1 :]).max() > 1e-3)
        require(moved, "later days are told by the later news", got="the same table", case=case)
