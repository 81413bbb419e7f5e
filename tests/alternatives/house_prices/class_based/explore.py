"""Task 1: read the houses, describe them, draw them."""

from dataclasses import asdict, dataclass
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import skew

TARGET = "SalePrice"

COLUMNS = (
    "MSSubClass MSZoning LotFrontage LotArea Street Alley LotShape LandContour Utilities LotConfig "
    "LandSlope Neighborhood Condition1 Condition2 BldgType HouseStyle OverallQual OverallCond YearBuilt "
    "YearRemodAdd RoofStyle RoofMatl Exterior1st Exterior2nd MasVnrType MasVnrArea ExterQual ExterCond "
    "Foundation BsmtQual BsmtCond BsmtExposure BsmtFinType1 BsmtFinSF1 BsmtFinType2 BsmtFinSF2 BsmtUnfSF "
    "TotalBsmtSF Heating HeatingQC CentralAir Electrical 1stFlrSF 2ndFlrSF LowQualFinSF GrLivArea "
    "BsmtFullBath BsmtHalfBath FullBath HalfBath BedroomAbvGr KitchenAbvGr KitchenQual TotRmsAbvGrd "
    "Functional Fireplaces FireplaceQu GarageType GarageYrBlt GarageFinish GarageCars GarageArea "
    "GarageQual GarageCond PavedDrive WoodDeckSF OpenPorchSF EnclosedPorch 3SsnPorch ScreenPorch PoolArea "
    "PoolQC Fence MiscFeature MiscVal MoSold YrSold SaleType SaleCondition "
).split()


@dataclass(frozen=True)
class HouseFile:
    """A CSV file of houses."""

    path: Path
    missing_words: tuple[str, ...] = ("NA", "")
    index: str = "Id"

    def read(self) -> pd.DataFrame:
        table = pd.read_csv(self.path, na_values=list(self.missing_words), keep_default_na=False)
        self.check(table)
        words = {column: "category" for column in table.select_dtypes(["str", "object"])}  # few words, many houses
        return table.astype(words).set_index(self.index)

    def check(self, table: pd.DataFrame) -> None:
        absent = {self.index, *COLUMNS} - set(table.columns)
        if absent:
            raise ValueError(f"{self.path} has no {', no '.join(sorted(absent))}.")


@dataclass
class ColumnSummary:
    dtype: object
    missing: int
    missing_pct: float
    unique: int
    mean: float = np.nan
    std: float = np.nan
    min: float = np.nan
    max: float = np.nan
    skew: float = np.nan

    @classmethod
    def of(cls, column: pd.Series) -> "ColumnSummary":
        present = column.dropna()
        missing = len(column) - len(present)
        summary = cls(column.dtype, missing, 100 * missing / len(column) if len(column) else np.nan, present.nunique())
        if pd.api.types.is_numeric_dtype(column) and len(present):
            summary.measure(present.to_numpy("float64"))
        return summary

    def measure(self, x: np.ndarray) -> None:
        self.mean, self.min, self.max = x.mean(), x.min(), x.max()
        self.std = x.std(ddof=1) if len(x) > 1 else np.nan
        self.skew = float(skew(x)) if self.min < self.max else np.nan


class Correlations:
    """Pearson's r of the numeric columns with one of them."""

    def __init__(self, df: pd.DataFrame, target: str) -> None:
        self.numbers = df.select_dtypes(["number", "bool"]).astype("float64")
        self.target = self.numbers.pop(target)

    def r(self, name: str) -> float:
        pair = pd.DataFrame({"x": self.numbers[name], "y": self.target}).dropna()
        if len(pair) < 2 or (pair.max() == pair.min()).any():
            return np.nan
        return pair["x"].corr(pair["y"])

    def strongest(self, k: int) -> pd.Series:
        rs = pd.Series({name: self.r(name) for name in self.numbers}, dtype="float64").dropna()
        return rs.reindex(rs.abs().sort_values(ascending=False).index[:k])


class Panel:
    """A figure with a few axes in a row, wrapped after `wide` of them."""

    def __init__(self, n: int, wide: int = 3) -> None:
        rows, columns = -(-n // wide), min(n, wide)
        self.figure, axes = plt.subplots(rows, columns, figsize=(4.5 * columns, 3.8 * rows), squeeze=False)
        self.axes: list[Axes] = list(axes.flat)
        for spare in self.axes[n:]:
            spare.remove()

    def finish(self) -> Figure:
        self.figure.tight_layout()
        return self.figure


def load_data(path: str | Path) -> pd.DataFrame:
    return HouseFile(Path(path)).read()


def summarize(df: pd.DataFrame) -> pd.DataFrame:
    summaries = [asdict(ColumnSummary.of(df.iloc[:, i])) for i in range(df.shape[1])]
    return pd.DataFrame(summaries, index=df.columns, columns=list(ColumnSummary.__dataclass_fields__))


def top_correlations(df: pd.DataFrame, target: str = TARGET, k: int = 10) -> pd.Series:
    return Correlations(df, target).strongest(k)


def plot_target(df: pd.DataFrame) -> Figure:
    panel = Panel(2)
    price = df[TARGET].dropna().to_numpy("float64")
    for axis, (name, values) in zip(panel.axes, {"SalePrice": price, "log1p(SalePrice)": np.log1p(price)}.items()):
        axis.hist(values, bins="fd", histtype="stepfilled", alpha=0.7)
        axis.set(title=f"Distribution of {name}", xlabel=name, ylabel="houses")
    return panel.finish()


def plot_relationships(df: pd.DataFrame, features: list[str]) -> Figure:
    panel = Panel(len(features))
    for axis, feature in zip(panel.axes, features):
        axis.scatter(feature, TARGET, data=df[[feature, TARGET]].astype("float64"), s=6, alpha=0.5)
        axis.set(xlabel=feature, ylabel=TARGET)
    return panel.finish()
