"""Task 2: from table to numbers, with every assumption checked."""

import logging

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype
from sklearn.exceptions import NotFittedError

log = logging.getLogger(__name__)

TARGET = "SalePrice"
NEVER_FEATURES = frozenset({"Id", TARGET})


def split(df: pd.DataFrame, val_fraction: float = 0.2, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    if not 0 <= val_fraction <= 1:
        raise ValueError(f"val_fraction must lie between 0 and 1, and it is {val_fraction}")
    rows = np.arange(len(df))
    np.random.default_rng(seed).shuffle(rows)
    n_train = len(df) - int(round(val_fraction * len(df)))
    train, val = df.iloc[rows[:n_train]].copy(), df.iloc[rows[n_train:]].copy()
    if train.empty or val.empty:
        log.warning("%d rows leave one part empty", len(df))
    return train, val


def target(df: pd.DataFrame) -> pd.Series:
    if TARGET not in df.columns:
        raise ValueError(f"the table has no {TARGET}")
    prices = pd.to_numeric(df[TARGET], errors="raise").to_numpy("float64", na_value=np.nan)
    if (prices <= -1).any():
        raise ValueError("prices must not be negative")
    return pd.Series(np.log1p(prices), index=df.index, name="log1p", dtype="float32")


def to_price(y: np.ndarray | pd.Series) -> np.ndarray:
    with np.errstate(over="ignore"):
        return np.expm1(np.array(y, dtype="float64"))


def none_columns() -> set[str]:
    names = """Alley BsmtQual BsmtCond BsmtExposure BsmtFinType1 BsmtFinType2 FireplaceQu GarageType GarageFinish
               GarageQual GarageCond PoolQC Fence MiscFeature"""
    return set(names.split())


def ladders() -> dict[str, tuple[str, ...]]:
    quality, finish = ("Po", "Fa", "TA", "Gd", "Ex"), ("Unf", "LwQ", "Rec", "BLQ", "ALQ", "GLQ")
    return {
        **{column: quality for column in ("ExterQual", "ExterCond", "HeatingQC", "KitchenQual", "PoolQC")},
        **{column: quality for column in ("BsmtQual", "BsmtCond", "FireplaceQu", "GarageQual", "GarageCond")},
        **{column: finish for column in ("BsmtFinType1", "BsmtFinType2")},
        "BsmtExposure": ("No", "Mn", "Av", "Gd"),
        "GarageFinish": ("Unf", "RFn", "Fin"),
        "Functional": ("Sal", "Sev", "Maj2", "Maj1", "Mod", "Min2", "Min1", "Typ"),
        "LandSlope": ("Sev", "Mod", "Gtl"),
        "PavedDrive": ("N", "P", "Y"),
    }


NONE, LADDERS = none_columns(), ladders()


def _holes(values: pd.Series) -> np.ndarray:
    return values.isna().to_numpy(dtype=bool)


def read_numbers(df: pd.DataFrame, column: str) -> np.ndarray:
    values, holes = df[column], _holes(df[column])
    if column in LADDERS:
        order = pd.CategoricalDtype(LADDERS[column], ordered=True)
        words = values.astype(object)
        known = words.isin(LADDERS[column])
        strange = set(map(str, words[~known.to_numpy() & ~holes]))
        if strange:
            log.warning("%s: %s is no rung, taken for a hole", column, ", ".join(sorted(strange)))
        rungs = words.where(known, None).astype(order).cat.codes.to_numpy("float64") + 1.0
        rungs[~known.to_numpy()] = np.nan
        if column in NONE:
            rungs[holes] = 0.0
        return rungs
    numbers = pd.to_numeric(values.astype(object), errors="coerce").to_numpy("float64", na_value=np.nan).copy()
    if column == "MasVnrArea" and "MasVnrType" in df.columns:
        kind = df["MasVnrType"].astype(object).where(df["MasVnrType"].notna(), "?")
        numbers[np.isnan(numbers) & kind.eq("None").to_numpy(dtype=bool)] = 0.0
    numbers[~np.isfinite(numbers)] = np.nan
    return numbers


def read_categories(df: pd.DataFrame, column: str) -> np.ndarray:
    holes = _holes(df[column])
    words = np.empty(len(df), dtype=object)
    for i, (value, hole) in enumerate(zip(df[column], holes, strict=True)):
        if hole:
            words[i] = "none" if column in NONE else None
        elif isinstance(value, (int, float, np.integer, np.floating)) and float(value).is_integer():
            words[i] = str(int(value))
        else:
            words[i] = str(value)
    return words


class Preprocessor:
    def fit(self, df: pd.DataFrame) -> "Preprocessor":
        if not isinstance(df, pd.DataFrame):
            raise TypeError(f"fit takes a DataFrame, not a {type(df).__name__}")
        if len(df) == 0:
            raise ValueError("there is nothing to learn from no rows")
        self.columns_ = [column for column in df.columns if column not in NEVER_FEATURES]
        self.categories_: dict[str, list[str]] = {}
        self.fill_: dict[str, float] = {}
        for column in self.columns_:
            if self._is_category(df, column):
                self.categories_[column] = sorted({word for word in read_categories(df, column) if word is not None})
                continue
            numbers = read_numbers(df, column)
            present = numbers[~np.isnan(numbers)]
            if not present.size:
                log.warning("%s has no value in the training rows", column)
            self.fill_[column] = float(np.median(present)) if present.size else 0.0
        encoded = self._encode(df)
        self.mean_, self.std_ = {}, {}
        for name, values in encoded.items():
            constant = bool((values == values[0]).all())
            self.mean_[name] = values[0] if constant else values.mean()
            self.std_[name] = 1.0 if constant else values.std()
        self.feature_names_ = list(encoded)
        log.info("%d columns give %d features", len(self.columns_), len(encoded))
        return self

    def _is_category(self, df: pd.DataFrame, column: str) -> bool:
        if column in LADDERS:
            return False
        if column == "MSSubClass" or column in NONE or is_bool_dtype(df[column]):
            return True
        return not is_numeric_dtype(df[column])

    def _encode(self, df: pd.DataFrame) -> dict[str, np.ndarray]:
        features: dict[str, np.ndarray] = {}
        for column in self.columns_:
            if column in self.categories_:
                words = read_categories(df, column)
                for value in self.categories_[column]:
                    features[f"{column}[{value}]"] = np.equal(words, value).astype("float64")
            else:
                numbers = read_numbers(df, column)
                missing = np.isnan(numbers)
                numbers[missing] = self.fill_[column]
                features[str(column)] = numbers
        return features

    def transform(self, df: pd.DataFrame) -> pd.DataFrame:
        if not hasattr(self, "feature_names_"):
            raise NotFittedError("fit the Preprocessor before it transforms anything")
        absent = [str(column) for column in self.columns_ if column not in df.columns]
        if absent:
            raise ValueError(f"columns that fit saw are absent: {', '.join(absent)}")
        limit = np.finfo("float32").max
        scaled = {
            name: np.clip((values - self.mean_[name]) / self.std_[name], -limit, limit).astype("float32")
            for name, values in self._encode(df).items()
        }
        features = pd.DataFrame(scaled, index=df.index, columns=self.feature_names_)
        if not np.isfinite(features.to_numpy()).all():
            raise RuntimeError("a feature came out as NaN or infinite")
        return features

    def fit_transform(self, df: pd.DataFrame) -> pd.DataFrame:
        return self.fit(df).transform(df)
