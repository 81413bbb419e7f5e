"""Task 2, with medians, means and deviations written out."""

import math

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

TARGET = "SalePrice"
QUALITY = ["Po", "Fa", "TA", "Gd", "Ex"]
FINISHED = ["Unf", "LwQ", "Rec", "BLQ", "ALQ", "GLQ"]
# Where NA means none, "NA" stands below the worst word.
RUNGS = {
    "ExterQual": QUALITY,
    "ExterCond": QUALITY,
    "HeatingQC": QUALITY,
    "KitchenQual": QUALITY,
    "BsmtQual": ["NA"] + QUALITY,
    "BsmtCond": ["NA"] + QUALITY,
    "FireplaceQu": ["NA"] + QUALITY,
    "GarageQual": ["NA"] + QUALITY,
    "GarageCond": ["NA"] + QUALITY,
    "PoolQC": ["NA"] + QUALITY,
    "BsmtExposure": ["NA", "No", "Mn", "Av", "Gd"],
    "BsmtFinType1": ["NA"] + FINISHED,
    "BsmtFinType2": ["NA"] + FINISHED,
    "GarageFinish": ["NA", "Unf", "RFn", "Fin"],
    "Functional": ["Sal", "Sev", "Maj2", "Maj1", "Mod", "Min2", "Min1", "Typ"],
}
NA_IS_A_VALUE = ["Alley", "GarageType", "Fence", "MiscFeature"]


def split(df, val_fraction=0.2, seed=0):
    n = len(df)
    n_val = math.floor(n * val_fraction + 0.5)
    order = np.argsort(np.random.default_rng(seed).random(n))
    return df.iloc[order[: n - n_val]].copy(), df.iloc[order[n - n_val :]].copy()


def target(df):
    return np.log(1 + df[TARGET].astype("float64")).astype("float32")


def to_price(y):
    return np.exp(np.array(y, dtype="float64")) - 1


def median(values):
    ordered = sorted(v for v in values if v == v)
    n = len(ordered)
    if n == 0:
        return 0.0
    return (ordered[(n - 1) // 2] + ordered[n // 2]) / 2


def number(value):
    """A float; NaN for everything that is none, infinity included."""
    try:
        value = float(value)
    except (TypeError, ValueError):
        return math.nan
    return value if math.isfinite(value) else math.nan


def missing(value):
    return value is None or value is pd.NA or value != value


def word(value, hole=None):
    if missing(value):
        return hole
    code = number(value)
    return str(value) if code != code else "%g" % code


def rung(value, words):
    value = "NA" if missing(value) else value
    return float(words.index(value)) if value in words else math.nan


class NotFitted(RuntimeError):
    pass


class Preprocessor:
    def __init__(self):
        self.fitted = False

    def fit(self, df):
        self.columns = [c for c in df.columns if c != "Id" and c != TARGET]
        self.middle, self.values = {}, {}
        for c in self.columns:
            if c in RUNGS:
                self.middle[c] = median(rung(v, RUNGS[c]) for v in df[c])
            elif c in NA_IS_A_VALUE or c == "MSSubClass" or not is_numeric_dtype(df[c]):
                words = {self._word(c, v) for v in df[c]}
                self.values[c] = sorted(words - {None})
            else:
                self.middle[c] = median(number(v) for v in df[c])
        self.feature_names_ = []
        for c in self.columns:
            self.feature_names_ += [f"{c} == {v}" for v in self.values[c]] if c in self.values else [c]
        raw = self._raw(df)
        n = raw.shape[0]
        self.mu = raw.sum(axis=0) / n
        self.sigma = (((raw - self.mu) ** 2).sum(axis=0) / n) ** 0.5
        same = (raw == raw[0]).all(axis=0)
        self.mu[same], self.sigma[same] = raw[0][same], 1.0
        self.fitted = True
        return self

    def _word(self, c, value):
        return word(value, hole="NA" if c in NA_IS_A_VALUE else None)

    def _raw(self, df):
        columns = []
        for c in self.columns:
            if c in self.values:
                words = [self._word(c, v) for v in df[c]]
                columns += [[float(w == v) for w in words] for v in self.values[c]]
                continue
            x = [rung(v, RUNGS[c]) for v in df[c]] if c in RUNGS else [number(v) for v in df[c]]
            fills = [self.middle[c]] * len(x)
            if c == "MasVnrArea" and "MasVnrType" in self.columns:
                # neither "None" nor a missing type has an area
                bare = [missing(v) or v == "None" for v in df["MasVnrType"]]
                fills = [0.0 if b else self.middle[c] for b in bare]
            columns.append([v if v == v else fill for v, fill in zip(x, fills)])
        return np.array(columns, dtype="float64").reshape(len(columns), len(df)).T

    def transform(self, df):
        if not self.fitted:
            raise NotFitted("fit the preprocessor first")
        lacking = [str(c) for c in self.columns if c not in df.columns]
        if lacking:
            raise ValueError("lacking: " + ", ".join(lacking))
        z = (self._raw(df) - self.mu) / self.sigma
        z = np.where(z > 1e30, 1e30, np.where(z < -1e30, -1e30, z))
        return pd.DataFrame(z, index=df.index, columns=self.feature_names_).astype("float32")

    def fit_transform(self, df):
        return self.fit(df).transform(df)
