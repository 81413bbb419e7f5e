"""One float64 matrix is filled column by column, scaled in place, and handed out as float32."""

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype
from sklearn.exceptions import NotFittedError

TARGET = "SalePrice"
QUALITY = np.array(["Po", "Fa", "TA", "Gd", "Ex"], dtype=object)
BASEMENT = np.array(["Unf", "LwQ", "Rec", "BLQ", "ALQ", "GLQ"], dtype=object)
LADDERS = {
    "ExterQual": QUALITY,
    "ExterCond": QUALITY,
    "HeatingQC": QUALITY,
    "KitchenQual": QUALITY,
    "BsmtQual": QUALITY,
    "BsmtCond": QUALITY,
    "FireplaceQu": QUALITY,
    "GarageQual": QUALITY,
    "GarageCond": QUALITY,
    "PoolQC": QUALITY,
    "BsmtExposure": np.array(["No", "Mn", "Av", "Gd"], dtype=object),
    "BsmtFinType1": BASEMENT,
    "BsmtFinType2": BASEMENT,
    "GarageFinish": np.array(["Unf", "RFn", "Fin"], dtype=object),
    "Functional": np.array(["Sal", "Sev", "Maj2", "Maj1", "Mod", "Min2", "Min1", "Typ"], dtype=object),
}
NO_NONE = frozenset(("ExterQual", "ExterCond", "HeatingQC", "KitchenQual", "Functional"))
NONE_CATEGORIES = frozenset(("Alley", "GarageType", "Fence", "MiscFeature"))
LIMIT = np.float64(np.finfo(np.float32).max)


def split(df: pd.DataFrame, val_fraction: float = 0.2, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    rows = np.arange(len(df))
    np.random.default_rng(seed).shuffle(rows)
    val, train = np.split(rows, [round(len(rows) * val_fraction)])
    return df.take(train), df.take(val)


def target(df: pd.DataFrame) -> pd.Series:
    y = df[TARGET].to_numpy("float64", na_value=np.nan, copy=True)
    np.log1p(y, out=y)
    return pd.Series(y.astype("float32"), index=df.index, name=TARGET, copy=False)


def to_price(y) -> np.ndarray:
    prices = np.array(y, dtype="float64")
    return np.expm1(prices, out=prices)


def codes(column: pd.Series, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Place of each word among `values`, -1 for another one; and where a word is missing."""
    return pd.Index(values, dtype=object).get_indexer(column.astype(object)), column.isna().to_numpy(bool)


def as_words(column: pd.Series) -> pd.Series:
    """Text, with None for a hole; 60, 60.0 and "60" are one code."""
    if is_numeric_dtype(column) and not is_bool_dtype(column):
        unique, inverse = np.unique(column.to_numpy("float64", na_value=np.nan), return_inverse=True)
        words = np.array([None if v != v else f"{v:g}" for v in unique], dtype=object)[inverse.reshape(-1)]
    else:
        known = column.notna().to_numpy(bool)
        words = np.empty(len(column), dtype=object)
        words[known] = [str(v) for v in column.to_numpy(object)[known]]
    if column.name in NONE_CATEGORIES:
        words[column.isna().to_numpy(bool)] = "none"
    return pd.Series(words, dtype=object)


class Preprocessor:
    __slots__ = ("columns_", "values_", "median_", "feature_names_", "mean_", "std_")

    def fit(self, df: pd.DataFrame) -> "Preprocessor":
        self.columns_ = [c for c in df.columns if c not in ("Id", TARGET)]
        self.values_, self.median_ = {}, {}
        names = []
        for c in self.columns_:
            if c not in LADDERS and (c == "MSSubClass" or c in NONE_CATEGORIES or not is_numeric_dtype(df[c])):
                self.values_[c] = pd.unique(as_words(df[c]).dropna())
                names += [f"{c}={value}" for value in self.values_[c]]
            else:
                x = self._numbers(df, c)
                self.median_[c] = 0.0 if np.isnan(x).all() else float(np.nanmedian(x))
                names.append(c)
        self.feature_names_ = np.array(names, dtype=object)
        raw = self._fill(df)
        self.mean_, self.std_ = raw.mean(axis=0), raw.std(axis=0)
        constant = raw.max(axis=0) == raw.min(axis=0)
        np.copyto(self.mean_, raw[0], where=constant)
        self.std_[constant] = 1.0
        return self

    def _numbers(self, df: pd.DataFrame, c: str) -> np.ndarray:
        """A new float64 array (houses,), holes NaN."""
        if c in LADDERS:
            place, missing = codes(df[c], LADDERS[c])
            x = place.astype("float64")
            x[place < 0] = np.nan
            if c not in NO_NONE:
                x[missing] = -1.0
            return x
        x = pd.to_numeric(df[c], errors="coerce").to_numpy("float64", na_value=np.nan, copy=True)
        x[~np.isfinite(x)] = np.nan
        if c == "MasVnrArea" and "MasVnrType" in df.columns and "MasVnrType" in self.columns_:
            bare = pd.Index(["None"], dtype=object).get_indexer(df["MasVnrType"].astype(object)) == 0
            x[bare & np.isnan(x)] = 0.0
        return x

    def _fill(self, df: pd.DataFrame) -> np.ndarray:
        out = np.zeros((len(df), len(self.feature_names_)), order="F")
        at = 0
        for c in self.columns_:
            if c in self.values_:
                place, _ = codes(as_words(df[c]), self.values_[c])
                rows = np.flatnonzero(place >= 0)
                out[rows, at + place[rows]] = 1.0
                at += len(self.values_[c])
            else:
                x = out[:, at]
                x[:] = self._numbers(df, c)
                x[np.isnan(x)] = self.median_[c]
                at += 1
        return out

    def transform(self, df: pd.DataFrame) -> pd.DataFrame:
        if not hasattr(self, "std_"):
            raise NotFittedError("Preprocessor is not fitted")
        absent = [c for c in self.columns_ if c not in df.columns]
        if absent:
            raise ValueError(f"columns are absent: {absent}")
        z = self._fill(df)
        z -= self.mean_
        z /= self.std_
        np.clip(z, -LIMIT, LIMIT, out=z)
        return pd.DataFrame(z.astype("float32"), index=df.index, columns=self.feature_names_, copy=False)

    def fit_transform(self, df: pd.DataFrame) -> pd.DataFrame:
        return self.fit(df).transform(df)
