"""Numbers and tables."""

import numpy as np
import pandas as pd


def total(values):
    """The sum, a float."""
    return float(np.sum(values))


def spread(values):
    """The difference between the largest and the smallest; without values a ValueError."""
    return float(np.max(values) - np.min(values))


def rmse(actual, predicted):
    """The root of the mean squared error, a float."""
    return float(np.sqrt(np.mean((np.asarray(actual) - np.asarray(predicted)) ** 2)))


def standardize(x):
    """Each column of an (n, d) array with mean 0 and standard deviation 1; the input stays as it is."""
    return (x - x.mean(axis=0)) / x.std(axis=0)


def clean(frame: pd.DataFrame) -> pd.DataFrame:
    """A copy with each column's gaps filled by its median."""
    return frame.fillna(frame.median())


def describe(values):
    """`{"n": …, "mean": …, "largest": …}`."""
    return {"n": len(values), "mean": float(np.mean(values)), "largest": float(np.max(values))}


def refuse(word):
    """The length of a word in lower case; a ValueError for any other."""
    if word != word.lower():
        raise ValueError("expected lower case")
    return len(word)
