"""Task 2: `fit` makes a list of functions, one a feature; `transform` calls them."""

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
from sklearn.exceptions import NotFittedError

TARGET = "SalePrice"

_RUNGS = {
    "Po Fa TA Gd Ex": "ExterQual ExterCond HeatingQC KitchenQual BsmtQual BsmtCond FireplaceQu GarageQual GarageCond PoolQC",
    "Unf LwQ Rec BLQ ALQ GLQ": "BsmtFinType1 BsmtFinType2",
    "No Mn Av Gd": "BsmtExposure",
    "Unf RFn Fin": "GarageFinish",
    "Sal Sev Maj2 Maj1 Mod Min2 Min1 Typ": "Functional",
}
LADDERS = {column: words.split() for words, columns in _RUNGS.items() for column in columns.split()}
NONE = {column for column in LADDERS if column.startswith(("Bsmt", "Garage"))}
NONE |= {"FireplaceQu", "PoolQC", "Alley", "GarageType", "Fence", "MiscFeature"}


def split(df: pd.DataFrame, val_fraction: float = 0.2, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    keys = pd.Series(np.random.default_rng([seed, 1]).random(len(df))).sort_values().index.to_numpy()
    n_val = int(np.rint(len(df) * val_fraction))
    return df.iloc[keys[: len(df) - n_val]], df.iloc[keys[len(df) - n_val :]]


def target(df: pd.DataFrame) -> pd.Series:
    prices = df[TARGET].astype("float64")
    return prices.apply(np.log1p).astype(np.float32)


def to_price(y: np.ndarray | pd.Series) -> np.ndarray:
    y = np.asarray(y, dtype="float64")
    return np.exp(y) - 1.0


def read_ladder(df: pd.DataFrame, column: str) -> np.ndarray:
    words = [None, *LADDERS[column]] if column in NONE else LADDERS[column]
    return np.array(
        [
            float(words.index(None if hole else word)) if (None if hole else word) in words else np.nan
            for word, hole in zip(df[column].astype(object), df[column].isna())
        ],
        dtype="float64",
    )


def read_number(df: pd.DataFrame, column: str) -> np.ndarray:
    number = pd.to_numeric(df[column].astype(object), errors="coerce").to_numpy("float64", na_value=np.nan).copy()
    if column == "MasVnrArea" and "MasVnrType" in df.columns:
        number[np.isnan(number) & df["MasVnrType"].isin({"None"}).to_numpy(bool)] = 0
    number[np.isinf(number)] = np.nan
    return number


def read_words(df: pd.DataFrame, column: str) -> np.ndarray:
    hole = df[column].isna().to_numpy(bool)
    values = df[column].astype(object).where(~hole, "")
    words = ["%g" % word if isinstance(word, (int, float, np.number)) else str(word) for word in values]
    words = np.array(words, dtype=object)
    words[hole] = "none" if column in NONE else ""
    return words


class Preprocessor:
    def fit(self, df: pd.DataFrame) -> "Preprocessor":
        self._columns = [column for column in df.columns if column not in ("Id", TARGET)]
        self._makers = {}
        for column in self._columns:
            self._makers.update(self._choose(df, column))
        self._scales = {}
        for name, make in self._makers.items():
            values = make(df)
            low, high = values.min(), values.max()
            self._scales[name] = (values.mean(), values.std()) if low < high else (low, 1.0)
        return self

    def _is_category(self, df: pd.DataFrame, column: str) -> bool:
        if column in LADDERS:
            return False
        return column in NONE or column == "MSSubClass" or not pd.api.types.is_numeric_dtype(df[column])

    def _choose(self, df: pd.DataFrame, column: str) -> Iterator[tuple[str, Callable[[pd.DataFrame], np.ndarray]]]:
        if self._is_category(df, column):
            for value in sorted(set(read_words(df, column)) - {""}):
                yield f"{column}={value}", lambda table, value=value: (read_words(table, column) == value).astype("float64")
            return
        read = read_ladder if column in LADDERS else read_number
        known = pd.Series(read(df, column)).dropna()
        fill = known.quantile(0.5) if len(known) else 0.0
        yield str(column), lambda table: np.nan_to_num(read(table, column), nan=fill)

    @property
    def feature_names_(self) -> list[str]:
        return list(self._scales)

    def transform(self, df: pd.DataFrame) -> pd.DataFrame:
        if not hasattr(self, "_scales"):
            raise NotFittedError("transform needs fit first")
        for column in self._columns:
            if column not in df.columns:
                raise ValueError(f"{column} was there in fit and is absent now")
        features = {
            name: ((make(df) - mean) / std).astype("float32")
            for (name, make), (mean, std) in zip(self._makers.items(), self._scales.values())
        }
        return pd.DataFrame(features, index=df.index)

    def fit_transform(self, df: pd.DataFrame) -> pd.DataFrame:
        return self.fit(df).transform(df)
