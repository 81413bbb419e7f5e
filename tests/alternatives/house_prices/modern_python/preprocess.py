from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar, Protocol, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.exceptions import NotFittedError
from sklearn.utils import shuffle

TARGET = "SalePrice"
Floats = npt.NDArray[np.float64]

QUALITY = ("Po", "Fa", "TA", "Gd", "Ex")
FINISH = ("Unf", "LwQ", "Rec", "BLQ", "ALQ", "GLQ")


def split(df: pd.DataFrame, val_fraction: float = 0.2, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    positions = shuffle(np.arange(len(df)), random_state=seed)
    val = round(val_fraction * len(df))
    return df.take(positions[val:]), df.take(positions[:val])


def target(df: pd.DataFrame) -> pd.Series:
    prices = df[TARGET].to_numpy("float64", na_value=np.nan)
    return pd.Series(np.log1p(prices), index=df.index, dtype="float32", name=f"log1p({TARGET})")


def to_price(y: np.ndarray | pd.Series) -> np.ndarray:
    return np.expm1(np.asarray(y).astype(np.float64))


def rungs(name: str) -> tuple[str | None, ...] | None:
    """The words of a ladder, worst first; None among them stands for NA."""
    match name:
        case "ExterQual" | "ExterCond" | "HeatingQC" | "KitchenQual":
            return QUALITY
        case "BsmtQual" | "BsmtCond" | "FireplaceQu" | "GarageQual" | "GarageCond" | "PoolQC":
            return None, *QUALITY
        case "BsmtExposure":
            return None, "No", "Mn", "Av", "Gd"
        case "BsmtFinType1" | "BsmtFinType2":
            return None, *FINISH
        case "GarageFinish":
            return None, "Unf", "RFn", "Fin"
        case "Functional":
            return "Sal", "Sev", "Maj2", "Maj1", "Mod", "Min2", "Min1", "Typ"
        case _:
            return None


def as_numbers(column: pd.Series) -> Floats:
    values = pd.to_numeric(column, errors="coerce").to_numpy("float64", na_value=np.nan)
    return np.where(np.isfinite(values), values, np.nan)


class Encoder(Protocol):
    def names(self) -> list[str]: ...

    def encode(self, df: pd.DataFrame) -> Floats:
        """Unscaled features without holes (houses, len(names))."""
        ...


@dataclass(slots=True)
class Number:
    name: str
    veneer: bool = False
    fill: float = 0.0
    flagged: bool = False

    def learn(self, df: pd.DataFrame) -> Self:
        values = self.values(df)
        if (known := values[~np.isnan(values)]).size:
            self.fill = float(np.median(known))
        self.flagged = known.size < values.size
        return self

    def values(self, df: pd.DataFrame) -> Floats:
        values = as_numbers(df[self.name])
        if self.veneer:
            bare = [kind == "None" for kind in df["MasVnrType"].astype(object).where(df["MasVnrType"].notna(), None)]
            values = np.where(np.array(bare, bool) & np.isnan(values), 0.0, values)
        return values

    def names(self) -> list[str]:
        return [self.name, f"{self.name} (missing)"] if self.flagged else [self.name]

    def encode(self, df: pd.DataFrame) -> Floats:
        values = self.values(df)
        filled = np.where(hole := np.isnan(values), self.fill, values)
        return np.column_stack([filled, hole] if self.flagged else [filled]).astype("float64")


@dataclass(slots=True)
class Ladder(Number):
    words: tuple[str | None, ...] = ()

    def learn(self, df: pd.DataFrame) -> Self:
        Number.learn(self, df)
        self.flagged = False
        return self

    def values(self, df: pd.DataFrame) -> Floats:
        height = {word: float(rung) for rung, word in enumerate(self.words)}
        words = (None if pd.isna(word) else word for word in df[self.name])
        return np.fromiter((height.get(word, np.nan) for word in words), "float64", count=len(df))


@dataclass(slots=True)
class Category:
    NONE: ClassVar[set[str]] = {"Alley", "GarageType", "Fence", "MiscFeature"}
    name: str
    values: list[str] = field(default_factory=list)

    def words(self, df: pd.DataFrame) -> Iterator[str | None]:
        for value in df[self.name].astype(object):
            match value:
                case _ if pd.isna(value):
                    yield "(none)" if self.name in self.NONE else None
                case int() | float() | np.integer() | np.floating():
                    yield f"{float(value):g}"
                case _:
                    yield str(value)

    def learn(self, df: pd.DataFrame) -> Self:
        first, *rest = sorted({word for word in self.words(df) if word is not None}) or [""]
        self.values = rest or [first]  # the first value is where all indicators are off
        return self

    def names(self) -> list[str]:
        return [f"{self.name}[{value}]" for value in self.values]

    def encode(self, df: pd.DataFrame) -> Floats:
        column = np.array(list(self.words(df)), dtype=object).reshape(-1, 1)
        return (column == np.array(self.values, dtype=object)).astype("float64")


def encoder_for(column: pd.Series, table: pd.DataFrame) -> Encoder:
    name = column.name
    if words := rungs(name):
        return Ladder(name, words=words).learn(table)
    if name == "MSSubClass" or name in Category.NONE or not pd.api.types.is_numeric_dtype(column):
        return Category(name).learn(table)
    return Number(name, veneer=name == "MasVnrArea" and "MasVnrType" in table).learn(table)


@dataclass(slots=True)
class Preprocessor:
    encoders_: list[Encoder] | None = field(default=None, init=False)
    feature_names_: list[str] = field(default_factory=list, init=False)
    mean_: Floats = field(default=None, init=False, repr=False)
    std_: Floats = field(default=None, init=False, repr=False)

    def fit(self, df: pd.DataFrame) -> Self:
        columns = [name for name in df.columns if name not in {"Id", TARGET}]
        self.encoders_ = [encoder_for(df[name], df) for name in columns]
        self.feature_names_ = [feature for encoder in self.encoders_ for feature in encoder.names()]
        raw = self._encode(df)
        constant = np.ptp(raw, axis=0) == 0
        self.mean_ = np.where(constant, raw[0], raw.mean(axis=0))
        self.std_ = np.where(constant, 1.0, raw.std(axis=0))
        return self

    def _encode(self, df: pd.DataFrame) -> Floats:
        return np.concatenate([np.empty((len(df), 0)), *(e.encode(df) for e in self.encoders_)], axis=1)

    def transform(self, df: pd.DataFrame) -> pd.DataFrame:
        if self.encoders_ is None:
            raise NotFittedError("this Preprocessor has not been fitted")
        if absent := {encoder.name for encoder in self.encoders_} - set(df.columns):
            raise ValueError(f"the table has no column {', '.join(sorted(map(str, absent)))}")
        z = (self._encode(df) - self.mean_) / self.std_
        z = np.nan_to_num(z.clip(-3e38, 3e38)).astype("float32")
        return pd.DataFrame(z, index=df.index, columns=self.feature_names_)

    def fit_transform(self, df: pd.DataFrame) -> pd.DataFrame:
        return self.fit(df).transform(df)
