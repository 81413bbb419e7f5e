import statistics

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype
from scipy import special, stats
from sklearn.exceptions import NotFittedError

TARGET = "SalePrice"


def none_columns():
    basement = {"BsmtQual", "BsmtCond", "BsmtExposure", "BsmtFinType1", "BsmtFinType2"}
    garage = {"GarageType", "GarageFinish", "GarageQual", "GarageCond"}
    return basement | garage | {"Alley", "FireplaceQu", "PoolQC", "Fence", "MiscFeature"}


def ladders():
    quality = "Po Fa TA Gd Ex"
    named = {
        "ExterQual": quality,
        "ExterCond": quality,
        "HeatingQC": quality,
        "KitchenQual": quality,
        "BsmtQual": quality,
        "BsmtCond": quality,
        "FireplaceQu": quality,
        "GarageQual": quality,
        "GarageCond": quality,
        "PoolQC": quality,
        "BsmtExposure": "No Mn Av Gd",
        "BsmtFinType1": "Unf LwQ Rec BLQ ALQ GLQ",
        "BsmtFinType2": "Unf LwQ Rec BLQ ALQ GLQ",
        "GarageFinish": "Unf RFn Fin",
        "Functional": "Sal Sev Maj2 Maj1 Mod Min2 Min1 Typ",
        "LandSlope": "Sev Mod Gtl",
        "Utilities": "ELO NoSeWa NoSewr AllPub",
    }
    return {column: tuple(words.split()) for column, words in named.items()}


LADDERS, NONE = ladders(), none_columns()


def split(df, val_fraction=0.2, seed=0):
    rng = np.random.default_rng(seed)
    everyone = rng.permutation(len(df))
    chosen = rng.choice(len(df), size=round(len(df) * val_fraction), replace=False)
    return df.iloc[everyone[~np.isin(everyone, chosen)]], df.iloc[chosen]


def target(df):
    return pd.Series(special.log1p(df[TARGET].to_numpy("float64", na_value=np.nan)), df.index).astype("float32")


def to_price(y):
    return special.expm1(np.asarray(y, dtype="float64"))


def read_ladder(column):
    words = LADDERS[column.name]
    place = {word: rung for rung, word in enumerate(words, start=1)}
    empty = 0.0 if column.name in NONE else np.nan
    return np.array([empty if pd.isna(word) else place.get(word, np.nan) for word in column], dtype=float)


def read_number(column):
    values = pd.to_numeric(column, errors="coerce").to_numpy(dtype="float64", na_value=np.nan)
    return np.where(np.abs(values) < np.inf, values, np.nan)


def read_words(column):
    """Text of each house; "" for a hole."""
    if is_numeric_dtype(column) and not is_bool_dtype(column):
        words = ["" if np.isnan(v) else format(v, "g") for v in read_number(column)]
    else:
        words = ["" if pd.isna(v) else str(v) for v in column]
    if column.name in NONE:
        words = [word or "none" for word in words]
    return np.array(words, dtype=object)


class Preprocessor:
    """Keeps the training rows' unscaled features; `scipy.stats.zmap` compares others with them."""

    def fit(self, df):
        self.columns_ = [c for c in df.columns if c not in (TARGET, "Id")]
        self.median_, self.values_, self.logs_ = {}, {}, set()
        for c in self.columns_:
            if c in LADDERS:
                rungs = read_ladder(df[c])
                known = rungs[~np.isnan(rungs)].tolist()
                self.median_[c] = statistics.median_low(known) if known else 0.0  # a rung, not between two
            elif self._is_category(df, c):
                self.values_[c] = np.array(sorted(set(read_words(df[c])) - {""}), dtype=object)
            else:
                known = self._number(df, c)
                known = known[~np.isnan(known)].tolist()
                self.median_[c] = statistics.median(known) if known else 0.0
                if known and min(known) >= 0 and max(known) > 5 * (1 + self.median_[c]):
                    self.logs_.add(c)
        features = self._encode(df)
        self.feature_names_ = list(features)
        self.training_ = self._matrix(features, len(df))
        return self

    def _is_category(self, df, c):
        return c == "MSSubClass" or c in NONE or not is_numeric_dtype(df[c])

    def _number(self, df, c):
        values = read_number(df[c])
        if c == "MasVnrArea" and "MasVnrType" in self.columns_:
            values[np.isnan(values) & (read_words(df["MasVnrType"]) == "None")] = 0.0
        return values

    def _encode(self, df):
        features = {}
        for c in self.columns_:
            if c in self.values_:
                words = read_words(df[c])
                features.update({f"{c}={value}": (words == value).astype(float) for value in self.values_[c]})
                continue
            values = read_ladder(df[c]) if c in LADDERS else self._number(df, c)
            features[c] = np.where(np.isnan(values), self.median_[c], values)
            if c in self.logs_:
                features[f"log {c}"] = special.log1p(np.maximum(features[c], 0.0))
        return features

    @staticmethod
    def _matrix(features, n):
        return np.stack(list(features.values()), axis=1) if features else np.empty((n, 0))

    def transform(self, df):
        if getattr(self, "training_", None) is None:
            raise NotFittedError("fit has to come before transform")
        absent = [c for c in self.columns_ if c not in df.columns]
        if absent:
            raise ValueError(f"columns absent: {', '.join(map(str, absent))}")
        raw = self._matrix(self._encode(df), len(df))
        with np.errstate(all="ignore"):
            z = stats.zmap(raw, self.training_, axis=0) if raw.size else raw
        varies = np.ptp(self.training_, axis=0) > 0
        z = np.where(varies, z, 0.0).clip(-1e12, 1e12)
        return pd.DataFrame(z.astype("float32"), index=df.index, columns=self.feature_names_)

    def fit_transform(self, df):
        return self.fit(df).transform(df)
