"""Task 2: features, in float64 until the very end."""

import math

import numpy as np
import pandas as pd
from helpers import float64, is_number

TARGET = "SalePrice"

_QUALITY = {"Po": 1.0, "Fa": 2.0, "TA": 3.0, "Gd": 4.0, "Ex": 5.0}
_FINISH = {"Unf": 1.0, "LwQ": 2.0, "Rec": 3.0, "BLQ": 4.0, "ALQ": 5.0, "GLQ": 6.0}
# column -> (rung of each word, rung of NA)
_LADDERS = {name: (_QUALITY, math.nan) for name in ("ExterQual", "ExterCond", "HeatingQC", "KitchenQual")}
_LADDERS |= {name: (_QUALITY, 0.0) for name in ("BsmtQual", "BsmtCond", "FireplaceQu", "GarageQual", "GarageCond")}
_LADDERS |= {
    "PoolQC": (_QUALITY, 0.0),
    "BsmtExposure": ({"No": 1.0, "Mn": 2.0, "Av": 3.0, "Gd": 4.0}, 0.0),
    "BsmtFinType1": (_FINISH, 0.0),
    "BsmtFinType2": (_FINISH, 0.0),
    "GarageFinish": ({"Unf": 1.0, "RFn": 2.0, "Fin": 3.0}, 0.0),
    "Functional": (
        {"Sal": 1.0, "Sev": 2.0, "Maj2": 3.0, "Maj1": 4.0, "Mod": 5.0, "Min2": 6.0, "Min1": 7.0, "Typ": 8.0},
        math.nan,
    ),
    "Utilities": ({"ELO": 1.0, "NoSeWa": 2.0, "NoSewr": 3.0, "AllPub": 4.0}, math.nan),
}
_NO_SUCH_THING = frozenset({"Alley", "GarageType", "Fence", "MiscFeature"})
_LARGEST = float(np.finfo("float32").max)


def split(df: pd.DataFrame, val_fraction: float = 0.2, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    n_val = math.floor(val_fraction * len(df) + 0.5)
    in_val = np.zeros(len(df), dtype=bool)
    order = np.random.Generator(np.random.PCG64(seed)).permutation(len(df))
    in_val[order[:n_val]] = True
    shuffled = df.iloc[order]
    return shuffled[~in_val[order]].copy(), shuffled[in_val[order]].copy()


def target(df: pd.DataFrame) -> pd.Series:
    return pd.Series(np.log1p(float64(df[TARGET])), index=df.index).astype("float32")


def to_price(y: np.ndarray | pd.Series) -> np.ndarray:
    return np.expm1(float64(y))


def _ladder(values: pd.Series) -> np.ndarray:
    rungs, none = _LADDERS[values.name]
    return float64(values.astype(object).map(rungs).astype("float64").mask(values.isna(), none))


def _number(values: pd.Series) -> np.ndarray:
    x = values if is_number(values) else pd.to_numeric(values.astype(object), errors="coerce")
    x = float64(x)
    return np.where(np.isfinite(x), x, np.nan)


def _text(values: pd.Series) -> list[str | None]:
    """None for a hole."""
    none = "none" if values.name in _NO_SUCH_THING else None

    def word(value: object, hole: bool) -> str | None:
        if hole:
            return none
        return format(float(value), "g") if isinstance(value, (int, float, np.number)) else str(value)

    return [word(value, hole) for value, hole in zip(values.astype(object), values.isna())]


class Preprocessor:
    def fit(self, df: pd.DataFrame) -> "Preprocessor":
        columns = [column for column in df.columns if column not in ("Id", TARGET)]
        self.categories_ = {}
        self.medians_ = {}
        for column in columns:
            if self._is_category(df, column):
                self.categories_[column] = pd.Index(sorted({w for w in _text(df[column]) if w is not None}), dtype=object)
        self.columns_ = columns
        self.veneer_known_ = "MasVnrType" in columns
        for column in columns:
            if column not in self.categories_:
                x = self._read(df, column)
                self.medians_[column] = float(np.nanmedian(x)) if np.isfinite(x).any() else 0.0
        names = []
        for column in columns:
            names += [f"{column}={v}" for v in self.categories_[column]] if column in self.categories_ else [str(column)]
        self.feature_names_ = pd.Index(names, dtype=object)
        X = self._encode(df)
        self.constant_ = X.min(axis=0) == X.max(axis=0)
        self.mean_ = np.where(self.constant_, X[0], X.mean(axis=0))
        n = len(X)
        deviation = np.sqrt(((X - self.mean_) ** 2).sum(axis=0) / max(n - 1, 1))
        self.std_ = np.where(self.constant_, 1.0, deviation)
        return self

    def _is_category(self, df: pd.DataFrame, column: str) -> bool:
        if column in _LADDERS:
            return False
        return column == "MSSubClass" or column in _NO_SUCH_THING or not is_number(df[column])

    def _read(self, df: pd.DataFrame, column: str) -> np.ndarray:
        if column in _LADDERS:
            return _ladder(df[column])
        x = _number(df[column])
        if column == "MasVnrArea" and self.veneer_known_:
            no_veneer = np.array([word == "None" for word in _text(df["MasVnrType"])], dtype=bool)
            x = np.where(np.isnan(x) & no_veneer, 0.0, x)
        return x

    def _encode(self, df: pd.DataFrame) -> np.ndarray:
        blocks = [np.zeros((len(df), 0))]
        for column in self.columns_:
            if column in self.categories_:
                values = self.categories_[column]
                switches = np.vstack([np.eye(len(values)), np.zeros(len(values))])  # the last row for all others
                blocks.append(switches[values.get_indexer(pd.Index(_text(df[column]), dtype=object))])
            else:
                x = self._read(df, column)
                blocks.append(np.where(np.isnan(x), self.medians_[column], x).reshape(-1, 1))
        return np.concatenate(blocks, axis=1)

    def transform(self, df: pd.DataFrame) -> pd.DataFrame:
        if "mean_" not in vars(self):
            raise ValueError("fit the preprocessor first")
        absent = [str(column) for column in self.columns_ if column not in df.columns]
        if absent:
            raise ValueError(f"the table has no {', '.join(absent)}")
        Z = np.where(self.constant_, 0.0, (self._encode(df) - self.mean_) / self.std_)
        Z = np.clip(Z, -_LARGEST, _LARGEST)
        return pd.DataFrame(Z, index=df.index, columns=self.feature_names_).astype("float32")

    def fit_transform(self, df: pd.DataFrame) -> pd.DataFrame:
        return self.fit(df).transform(df)
