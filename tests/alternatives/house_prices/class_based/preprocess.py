"""Task 2: one small encoder for each column, and one scaler behind them."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from sklearn.exceptions import NotFittedError

TARGET = "SalePrice"


@dataclass
class Encoder:
    """Learns from a table how to turn its column into features."""

    column: str

    @property
    def names(self) -> list[str]:
        return [str(self.column)]

    def learn(self, df: pd.DataFrame) -> "Encoder":
        raise NotImplementedError

    def features(self, df: pd.DataFrame) -> list[np.ndarray]:
        raise NotImplementedError


@dataclass
class Number(Encoder):
    fill: float = 0.0

    def read(self, df: pd.DataFrame) -> pd.Series:
        values = df[self.column]
        if isinstance(values.dtype, pd.CategoricalDtype):
            values = values.astype(object)
        return pd.to_numeric(values, errors="coerce").astype("float64").replace([-np.inf, np.inf], np.nan)

    def learn(self, df: pd.DataFrame) -> "Number":
        median = self.read(df).median()
        self.fill = 0.0 if np.isnan(median) else float(median)
        return self

    def features(self, df: pd.DataFrame) -> list[np.ndarray]:
        return [self.read(df).fillna(self.fill).to_numpy()]


@dataclass
class LogNumber(Number):
    """A size, and its logarithm as a second feature."""

    @property
    def names(self) -> list[str]:
        return [self.column, f"log {self.column}"]

    def features(self, df: pd.DataFrame) -> list[np.ndarray]:
        (x,) = super().features(df)
        return [x, np.log1p(np.maximum(x, 0))]


@dataclass
class VeneerArea(Number):
    """MasVnrArea: no veneer, no area."""

    def read(self, df: pd.DataFrame) -> pd.Series:
        area = super().read(df)
        if "MasVnrType" not in df:
            return area
        none = df["MasVnrType"].isin(["None"]).to_numpy()
        return area.where(~(none & area.isna().to_numpy()), 0.0)


@dataclass
class Ladder(Number):
    words: tuple[str, ...] = ()
    has_none: bool = False

    def read(self, df: pd.DataFrame) -> pd.Series:
        rung = {word: float(i) for i, word in enumerate(self.words, 1)}
        rungs = df[self.column].astype(object).map(rung).astype("float64")
        return rungs.where(df[self.column].notna(), 0.0) if self.has_none else rungs


@dataclass
class Category(Encoder):
    has_none: bool = False
    values: list[str] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        return [f"{self.column}={value}" for value in self.values]

    def read(self, df: pd.DataFrame) -> pd.Series:
        words = df[self.column].astype(object)
        text = words.map(lambda word: str(word).removesuffix(".0"), na_action="ignore")
        return text.where(words.notna(), "none" if self.has_none else np.nan)

    def learn(self, df: pd.DataFrame) -> "Category":
        self.values = sorted(self.read(df).dropna().unique())
        return self

    def features(self, df: pd.DataFrame) -> list[np.ndarray]:
        words = self.read(df)
        return [words.eq(value).to_numpy("float64") for value in self.values]


class HouseEncoders:
    """Knows which encoder is right for which column."""

    QUALITY = ("Po", "Fa", "TA", "Gd", "Ex")
    BASEMENT = ("Unf", "LwQ", "Rec", "BLQ", "ALQ", "GLQ")
    WITHOUT_NONE = {
        "ExterQual": QUALITY,
        "ExterCond": QUALITY,
        "HeatingQC": QUALITY,
        "KitchenQual": QUALITY,
        "Functional": ("Sal", "Sev", "Maj2", "Maj1", "Mod", "Min2", "Min1", "Typ"),
        "LandSlope": ("Sev", "Mod", "Gtl"),
        "PavedDrive": ("N", "P", "Y"),
        "LotShape": ("IR3", "IR2", "IR1", "Reg"),
    }
    WITH_NONE = {
        "BsmtQual": QUALITY,
        "BsmtCond": QUALITY,
        "FireplaceQu": QUALITY,
        "GarageQual": QUALITY,
        "GarageCond": QUALITY,
        "PoolQC": QUALITY,
        "BsmtExposure": ("No", "Mn", "Av", "Gd"),
        "BsmtFinType1": BASEMENT,
        "BsmtFinType2": BASEMENT,
        "GarageFinish": ("Unf", "RFn", "Fin"),
    }
    NONE_CATEGORIES = {"Alley", "GarageType", "Fence", "MiscFeature"}
    SIZES = {"LotArea", "GrLivArea", "1stFlrSF", "LotFrontage"}

    @classmethod
    def choose(cls, df: pd.DataFrame, column: str) -> Encoder:
        if column in cls.WITHOUT_NONE:
            return Ladder(column, words=cls.WITHOUT_NONE[column])
        if column in cls.WITH_NONE:
            return Ladder(column, words=cls.WITH_NONE[column], has_none=True)
        if column in cls.NONE_CATEGORIES:
            return Category(column, has_none=True)
        if column == "MSSubClass" or not pd.api.types.is_numeric_dtype(df[column]):
            return Category(column)
        if column == "MasVnrArea":
            return VeneerArea(column)
        return LogNumber(column) if column in cls.SIZES else Number(column)


@dataclass
class Scaler:
    mean: np.ndarray
    std: np.ndarray

    @classmethod
    def of(cls, X: np.ndarray) -> "Scaler":
        constant = np.ptp(X, axis=0) == 0
        return cls(np.where(constant, X[:1].ravel(), X.mean(0)), np.where(constant, 1.0, X.std(0)))

    def __call__(self, X: np.ndarray) -> np.ndarray:
        return (X - self.mean) / self.std


class Preprocessor:
    def __init__(self) -> None:
        self.encoders: list[Encoder] | None = None
        self.scaler: Scaler | None = None

    def fit(self, df: pd.DataFrame) -> "Preprocessor":
        columns = [column for column in df if column not in {"Id", TARGET}]
        self.encoders = [HouseEncoders.choose(df, column).learn(df) for column in columns]
        self.scaler = Scaler.of(self._encode(df))
        return self

    @property
    def feature_names_(self) -> list[str]:
        return [name for encoder in self._fitted() for name in encoder.names]

    def _fitted(self) -> list[Encoder]:
        if self.encoders is None:
            raise NotFittedError("This Preprocessor is not fitted yet.")
        return self.encoders

    def _encode(self, df: pd.DataFrame) -> np.ndarray:
        features = [feature for encoder in self._fitted() for feature in encoder.features(df)]
        return np.stack(features, axis=1) if features else np.empty((len(df), 0))

    def transform(self, df: pd.DataFrame) -> pd.DataFrame:
        absent = [str(encoder.column) for encoder in self._fitted() if encoder.column not in df]
        if absent:
            raise ValueError(f"columns are absent: {', '.join(absent)}")
        return pd.DataFrame(self.scaler(self._encode(df)), df.index, self.feature_names_, dtype="float32")

    def fit_transform(self, df: pd.DataFrame) -> pd.DataFrame:
        return self.fit(df).transform(df)


class LogPrice:
    """The target and its inverse."""

    @staticmethod
    def of(df: pd.DataFrame) -> pd.Series:
        return np.log1p(df[TARGET].astype("float64")).astype("float32").rename("LogPrice")

    @staticmethod
    def back(y) -> np.ndarray:
        return np.expm1(np.asarray(y).astype("float64"))


def target(df: pd.DataFrame) -> pd.Series:
    return LogPrice.of(df)


def to_price(y: np.ndarray | pd.Series) -> np.ndarray:
    return LogPrice.back(y)


def split(df: pd.DataFrame, val_fraction: float = 0.2, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    order = np.random.RandomState(seed).permutation(len(df))
    val, train = np.split(order, [round(len(df) * val_fraction)])
    return df.take(train), df.take(val)
