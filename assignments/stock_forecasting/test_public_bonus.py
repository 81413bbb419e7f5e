"""Self-checks of the bonus, bonus.py: `pytest -k bonus`."""

import pandas as pd

from grader.suite import as_array, as_frame, as_series, assert_close, check, require_equal

LEXICON = {"gains": 1.0, "slump": -1.0, "record": 0.5}


@check(
    title="A headline's score is the mean weight of its words that the lexicon has, or 0",
    hint="WORD.findall(headline.lower()); divide by the number of words found in the lexicon, not by all of them.",
)
def test_bonus_headlines(student):
    cases = {
        "Record GAINS, and gains again": 2.5 / 3,  # each as often as it occurs
        "Slump ends": -1.0,
        "Slumps and slumping sales": 0.0,  # other words than slump
        "": 0.0,
    }
    df = pd.DataFrame({"headline": list(cases)}, index=[7, 3, 5, 1])
    scores = as_series(student.bonus.score_headlines(df, LEXICON), "score_headlines' result")
    for got, (headline, wanted) in zip(as_array(scores, "the scores", shape=(4,)), cases.items(), strict=True):
        assert_close(got, wanted, "the score", case=f"{headline!r}, with gains 1, slump -1, record 0.5")
    require_equal(list(scores.index), [7, 3, 5, 1], "the index is the table's")


def daily(student, news: list[tuple[str, float]], days: list[str], zone: str) -> pd.DataFrame:
    """daily_sentiment of news (time, score), told in the time of `zone`, on these trading days of New York."""
    published = pd.Series(pd.to_datetime([time for time, _ in news])).dt.tz_localize(zone)
    table = pd.DataFrame({"published": published, "score": [score for _, score in news]})
    result = as_frame(student.bonus.daily_sentiment(table, pd.DatetimeIndex(days)), "daily_sentiment's result")
    require_equal([str(pd.Timestamp(day).date()) for day in result.index], days, "there is a row for each trading day")
    return result


@check(
    title="What comes at the close or later counts for the next trading day, over weekends too",
    hint="Make the days' closes, then closes.searchsorted(published, side='right') is the place of the next close.",
)
def test_bonus_close(student):
    news = [("2024-03-01 15:59", 1.0), ("2024-03-01 16:00", 0.5), ("2024-03-03 12:00", -1.0)]
    news += [("2024-03-04 09:00", 0.2), ("2024-03-05 18:00", 0.9)]
    got = daily(student, news, ["2024-03-01", "2024-03-04", "2024-03-05"], "America/New_York")
    case = "Friday 15:59 (1), 16:00 (0.5), Sunday (-1), Monday 9:00 (0.2), Tuesday 18:00 (0.9), New York's time"
    assert_close(got["sentiment"], [1.0, -0.1, 0.0], "sentiment of Friday, Monday, Tuesday", case=case)
    assert_close(got["n_news"], [1, 3, 0], "n_news of Friday, Monday, Tuesday", case=case)


@check(
    title="The close is at 16:00 by the exchange's clock, in summer and in winter",
    hint="(days + pd.Timedelta('16:00:00')).tz_localize(tz): do not add a fixed number of hours to UTC.",
)
def test_bonus_clocks(student):
    news = [("2024-03-08 20:30", 1.0), ("2024-03-11 20:30", -1.0)]
    got = daily(student, news, ["2024-03-08", "2024-03-11", "2024-03-12"], "UTC")
    case = (
        "20:30 UTC is 15:30 in New York on the 8th (1), and 16:30 on the 11th (-1), when clocks have been set forward"
    )
    assert_close(got["sentiment"], [1.0, 0.0, -1.0], "sentiment of the 8th, 11th and 12th", case=case)


@check(
    title="add_sentiment joins by day, is neutral where there is nothing, and changes nothing else",
    hint="features.join(sentiment.reindex(features.index).fillna(0.0)): a new table, the caller's stays as it is.",
)
def test_bonus_add(student):
    days = pd.to_datetime(["2024-03-04", "2024-03-05", "2024-03-06"])
    features = pd.DataFrame({"return": [0.1, 0.2, 0.3]}, index=days)
    sentiment = pd.DataFrame({"sentiment": [0.5, -1.0], "n_news": [2, 1]}, index=days[[2, 0]])
    got = as_frame(student.bonus.add_sentiment(features, sentiment), "add_sentiment's result")
    case = "features of three days; sentiment of the third (0.5, 2 news) and of the first (-1, 1)"
    require_equal(list(got.columns), ["return", "sentiment", "n_news"], "the columns are added at the end", case)
    assert_close(got["return"], [0.1, 0.2, 0.3], "return", case=case)
    assert_close(got["sentiment"], [-1.0, 0.0, 0.5], "sentiment", case=case)
    assert_close(got["n_news"], [1, 0, 2], "n_news", case=case)
    require_equal(len(got), 3, "there are as many days as before", case)
