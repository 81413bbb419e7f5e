"""Each column becomes a closure that remembers what it learnt."""

import random
from functools import wraps
from itertools import chain

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype
from sklearn.exceptions import NotFittedError

TARGET = "SalePrice"
MEANT = frozenset(
    """Alley BsmtQual BsmtCond BsmtExposure BsmtFinType1 BsmtFinType2 FireplaceQu GarageType GarageFinish
    GarageQual GarageCond PoolQC Fence MiscFeature""".split()
)


def all_ladders():
    for name in ("ExterQual", "ExterCond", "HeatingQC", "KitchenQual"):
        yield name, "Po Fa TA Gd Ex"
    for name in ("BsmtQual", "BsmtCond", "FireplaceQu", "GarageQual", "GarageCond", "PoolQC"):
        yield name, "Po Fa TA Gd Ex"
    for name in ("BsmtFinType1", "BsmtFinType2"):
        yield name, "Unf LwQ Rec BLQ ALQ GLQ"
    yield "BsmtExposure", "No Mn Av Gd"
    yield "GarageFinish", "Unf RFn Fin"
    yield "Functional", "Sal Sev Maj2 Maj1 Mod Min2 Min1 Typ"
    yield "LotShape", "IR3 IR2 IR1 Reg"
    yield "LandSlope", "Sev Mod Gtl"
    yield "PavedDrive", "N P Y"
    yield "CentralAir", "N Y"


LADDERS = {name: words.split() for name, words in all_ladders()}


def split(df, val_fraction=0.2, seed=0):
    rows = list(range(len(df)))
    random.Random(seed).shuffle(rows)
    cut = len(rows) - int(len(rows) * val_fraction + 0.5)
    return df.iloc[rows[:cut]], df.iloc[rows[cut:]]


def target(df):
    return df[TARGET].astype("float64").apply(np.log1p).astype(np.float32)


def to_price(y):
    return np.expm1(np.array(y, dtype=np.float64).ravel())


def standardised(raw):
    """From values (houses, n) of the training rows to a function that scales others alike."""
    varies = (raw != raw[:1]).any(axis=0)
    centre = np.where(varies, raw.mean(axis=0), raw[0])
    width = np.where(varies, raw.std(axis=0, ddof=min(1, len(raw) - 1)), 1.0)
    return lambda values: np.clip((values - centre) / width, -1e9, 1e9).astype("float32")


def number_reader(name, with_veneer):
    def read(df):
        values = pd.to_numeric(df[name], errors="coerce").to_numpy("float64", na_value=np.nan, copy=True)
        values[np.isinf(values)] = np.nan
        if name == "MasVnrArea" and with_veneer:
            bare = df["MasVnrType"].eq("None").fillna(False).to_numpy(bool)
            values[bare & np.isnan(values)] = 0.0
        return values

    return read


def ladder_reader(name):
    height = {word: rung for rung, word in enumerate(LADDERS[name])}
    lowest = -1.0 if name in MEANT else np.nan

    def rung(word):
        return lowest if pd.isna(word) else height.get(word, np.nan)

    return lambda df: np.array([rung(word) for word in df[name]], dtype="float64")


def filled(reader):
    """Decorates a reader: what `fit`'s rows had in the middle replaces the holes."""

    def learn(df):
        known = reader(df)
        known = known[~np.isnan(known)]
        middle = np.median(known) if known.size else 0.0

        @wraps(reader)
        def read(table):
            values = reader(table)
            return np.where(np.isnan(values), middle, values)

        return read

    return learn


def key(name):
    def of(value):
        if pd.isna(value):
            return "nothing" if name in MEANT else None
        try:
            return format(float(value), "g")
        except (TypeError, ValueError):
            return str(value)

    return of


def category(name, df):
    keyed = key(name)
    values = list(dict.fromkeys(k for k in map(keyed, df[name]) if k is not None))

    def indicators(table):
        words = list(map(keyed, table[name]))
        return np.array([[word == value for value in values] for word in words], dtype="float64")

    return [f"{name} is {value}" for value in values], indicators


def learn_column(name, df):
    """Names of the features that a column gives, and a function from a table to their unscaled values."""
    if name in LADDERS:
        return [name], filled(ladder_reader(name))(df)
    if name in MEANT or name == "MSSubClass" or not is_numeric_dtype(df[name]):
        return category(name, df)
    return [name], filled(number_reader(name, "MasVnrType" in df))(df)


def fitted_only(method):
    @wraps(method)
    def checked(self, *args):
        if not hasattr(self, "features_"):
            raise NotFittedError(f"{method.__name__} before fit")
        return method(self, *args)

    return checked


class Preprocessor:
    def fit(self, df):
        names = [name for name in df.columns if name != TARGET and name != "Id"]
        learnt = [learn_column(name, df) for name in names]
        self.columns_ = names
        self.feature_names_ = tuple(chain.from_iterable(features for features, _ in learnt))
        self.features_ = [(len(f), read, standardised(read(df).reshape(len(df), len(f)))) for f, read in learnt]
        return self

    @fitted_only
    def transform(self, df):
        absent = [name for name in self.columns_ if name not in df.columns]
        if absent:
            raise ValueError("the table lacks " + ", ".join(map(str, absent)))
        blocks = (scale(read(df).reshape(len(df), n)) for n, read, scale in self.features_)
        scaled = np.concatenate([np.empty((len(df), 0), "float32"), *blocks], axis=1)
        return pd.DataFrame(scaled, index=df.index, columns=list(self.feature_names_))

    def fit_transform(self, df):
        return self.fit(df).transform(df)
