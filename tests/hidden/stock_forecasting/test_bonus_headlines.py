"""Bonus, from headlines to numbers, and numbers beside the features: against sums by hand."""

import numpy as np
import pandas as pd

from grader.suite import as_array, as_frame, as_series, assert_close, check, recipe, require, require_columns

CONSONANTS, VOWELS = list("bcdfglmnprstv"), list("aeiou")
EXACT = {"rtol": 1e-6, "atol": 1e-6}  # for float32, too


def words(rng: np.random.Generator, n: int) -> list[str]:
    """Invented words of six letters, none within another."""
    found = set()
    while len(found) < n:
        found.add("".join(str(rng.choice(letters)) for letters in (CONSONANTS, VOWELS) * 3))
    return sorted(found)


def scores(student, headlines: list[str], lexicon: dict[str, float], index: pd.Index | None = None) -> pd.Series:
    table = pd.DataFrame({"headline": headlines}, index)
    return as_series(student.bonus.score_headlines(table, lexicon), "score_headlines' result")


@check(
    title="A headline's score is the mean weight of its words in the lexicon, each as often as it occurs; 0 if none is",
    hint="Divide by the words that were found: not by all words, not by the lexicon. The index is the table's.",
)
def test_headlines_mean(student, rng):
    known, strange = np.split(np.array(words(rng, 16)), 2)
    lexicon = dict(zip(map(str, known), rng.uniform(-1, 1, 8).tolist(), strict=True))
    headlines, wanted = [], []
    for n_known in (0, 1, 2, 3, 5, 0, 4):
        own = list(rng.choice(known, n_known)) + list(known[:1]) * (2 if n_known > 2 else 0)
        headlines.append(" ".join(rng.permutation([*own, *rng.choice(strange, 4)])))
        wanted.append(sum(lexicon[word] for word in own) / len(own) if own else 0.0)
    index = pd.Index(rng.permutation(np.arange(40, 47)))
    result = scores(student, headlines, lexicon, index)
    assert_close(result.to_numpy(), wanted, "the scores", **EXACT)
    require(result.index.tolist() == index.tolist(), "the index is the table's", got=result.index.tolist())


@check(
    title="Words are compared as wholes and in lower case",
    hint="WORD.findall(headline.lower()): no word within a longer one, punctuation is no part of it, a hyphen is.",
)
def test_headlines_words(student, rng):
    first, second, third = words(rng, 3)
    joined = f"{first}-{second}"
    # No two mixtures of these weights agree.
    lexicon = {first: 0.5, second: -0.25, joined: 0.125}
    for headline, wanted, case in (
        (first.upper(), 0.5, "in capitals"),
        (f"{second.capitalize()},", -0.25, "with a comma"),
        (f'"{first}!"', 0.5, "in quotation marks"),
        (f"({second})?", -0.25, "in brackets"),
        (f"{first}s un{first} {second}ed", 0.0, "within longer words"),
        (joined, 0.125, "with a hyphen, in the lexicon"),
        (f"{third}-{first}", 0.0, "with a hyphen, not in the lexicon"),
        (f"{first}'s", 0.0, "with an apostrophe, not in the lexicon"),
    ):
        # Whether a headline without a known word is 0 or missing is another check's matter.
        got = np.nan_to_num(as_array(scores(student, [headline], lexicon), "score_headlines' result"))
        assert_close(got, [wanted], "the score of a word", case=case, **EXACT)


def tables(rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Features of 20 days, and what is known of the same days' news, with a column of its own."""
    days = pd.bdate_range("2021-05-03", periods=20, name="Date")
    features = pd.DataFrame(rng.normal(size=(20, 3)), days, ["return", "rsi", "macd"])
    sentiment = {
        "sentiment": rng.uniform(0.1, 1, 20),
        "n_news": rng.integers(1, 9, 20),
        "surprise": rng.normal(size=20),
    }
    return features, pd.DataFrame(sentiment, days)


@check(
    title="add_sentiment adds all of sentiment's columns to the features, which stay as they are",
    hint="The result has the features' columns and rows, and each column of sentiment; work on a copy.",
)
def test_add_columns(student, rng):
    features, sentiment = tables(rng)
    kept = student.make(recipe("yahoo_same", features))
    result = as_frame(student.bonus.add_sentiment(kept, sentiment), "add_sentiment's result")
    names = [*features, *sentiment]
    require(
        sorted(map(str, result)) == sorted(names), "the columns are these", expected=names, got=list(map(str, result))
    )
    for name in names:
        wanted = (features if name in features else sentiment)[name].to_numpy()
        assert_close(result[name].to_numpy(), wanted, name, **EXACT)
    after = as_frame(student.tools.yahoo_same(kept), "the features")
    require(bool(after.equals(features)), "the caller's features stay as they were", got=list(map(str, after)))


@check(
    title="Sentiment is matched by day: 0 where it has none, and no day is added or lost",
    hint="reindex sentiment to the features' days, then fill with 0: neither row by row nor an outer or inner join.",
)
def test_add_by_day(student, rng):
    features, sentiment = tables(rng)
    gone = rng.choice(np.arange(2, 18), 3, replace=False)
    features, sentiment = features.iloc[4:].drop(features.index[18]), sentiment.drop(sentiment.index[[*gone, 12, 13]])
    result = as_frame(student.bonus.add_sentiment(features, sentiment), "add_sentiment's result")
    same = result.index.tolist() == features.index.tolist()
    require(same, "the days are the features'", expected=len(features), got=len(result))
    require_columns(result, ["sentiment", "n_news"], "add_sentiment's result")
    for name in ("sentiment", "n_news"):
        values = dict(zip(sentiment.index, sentiment[name], strict=True))
        assert_close(result[name].to_numpy(), [values.get(day, 0.0) for day in features.index], name, **EXACT)
