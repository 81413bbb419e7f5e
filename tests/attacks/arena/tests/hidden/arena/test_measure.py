"""Hidden checks of numbers and tables."""

import numpy as np
import pandas as pd

from grader.suite import as_float, as_frame, assert_close, check, require_equal


@check(title="total adds", hint="sum")
def test_total(student, rng):
    values = rng.normal(size=6)
    assert_close(as_float(student.measure.total(values), "the total"), values.sum(), "the total")


@check(title="spread is largest minus smallest", hint="max and min")
def test_spread(student, rng):
    values = rng.normal(size=6)
    assert_close(as_float(student.measure.spread(values), "the spread"), np.ptp(values), "the spread")
    with student.raises(ValueError):
        student.measure.spread(values[:0])


@check(title="rmse is the root of the mean squared error", hint="in this order")
def test_rmse(student, rng):
    actual, predicted = rng.normal(size=(2, 9))
    expected = np.sqrt(np.mean((actual - predicted) ** 2))
    assert_close(as_float(student.measure.rmse(actual, predicted), "the error"), expected, "the error")


@check(title="standardized columns have mean 0 and deviation 1", hint="axis=0")
def test_standardize(student, rng):
    x = rng.normal(3, 2, size=(8, 3))
    assert_close(student.measure.standardize(x), (x - x.mean(0)) / x.std(0), "the columns")


@check(title="gaps are filled with the median", hint="fillna")
def test_clean(student, rng):
    frame = pd.DataFrame(rng.normal(size=(7, 2)), columns=["a", "b"])
    frame.iloc[2, 0] = frame.iloc[5, 1] = np.nan
    got = as_frame(student.measure.clean(frame), "what clean gives")
    assert_close(got.to_numpy(float), frame.fillna(frame.median()).to_numpy(), "the table")


@check(title="describe counts, averages and finds the largest", hint="three keys")
def test_describe(student, rng):
    values = [float(value) for value in rng.normal(size=5)]
    expected = {"n": 5, "mean": float(np.mean(values)), "largest": max(values)}
    assert_close(student.measure.describe(values), expected, "the description")


@check(title="a word in capitals is refused, any other measured", hint="raise ValueError")
def test_refuse(student, rng):
    for capital in rng.permutation([False] * 6 + [True] * 6):
        word = "".join(rng.choice(list("abcdef"), size=int(rng.integers(3, 30))))
        if capital:
            with student.raises(ValueError):
                student.measure.refuse(word.upper())
        else:
            require_equal(student.measure.refuse(word), len(word), "its length")
