from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

TARGET: Final = "SalePrice"
NAMES = """
    MSSubClass MSZoning LotFrontage LotArea Street Alley LotShape LandContour Utilities LotConfig LandSlope Neighborhood
    Condition1 Condition2 BldgType HouseStyle OverallQual OverallCond YearBuilt YearRemodAdd RoofStyle RoofMatl
    Exterior1st Exterior2nd MasVnrType MasVnrArea ExterQual ExterCond Foundation BsmtQual BsmtCond BsmtExposure
    BsmtFinType1 BsmtFinSF1 BsmtFinType2 BsmtFinSF2 BsmtUnfSF TotalBsmtSF Heating HeatingQC CentralAir Electrical
    1stFlrSF 2ndFlrSF LowQualFinSF GrLivArea BsmtFullBath BsmtHalfBath FullBath HalfBath BedroomAbvGr KitchenAbvGr
    KitchenQual TotRmsAbvGrd Functional Fireplaces FireplaceQu GarageType GarageYrBlt GarageFinish GarageCars GarageArea
    GarageQual GarageCond PavedDrive WoodDeckSF OpenPorchSF EnclosedPorch 3SsnPorch ScreenPorch PoolArea PoolQC Fence
    MiscFeature MiscVal MoSold YrSold SaleType SaleCondition
"""
COLUMNS: Final[list[str]] = NAMES.split()


def load_data(path: str | Path) -> pd.DataFrame:
    if not (file := Path(path)).is_file():
        raise FileNotFoundError(f"no such table: {file}")
    with file.open(newline="", encoding="utf-8-sig") as text:
        df = pd.read_csv(text, keep_default_na=False, na_values=["NA", ""], dtype_backend="numpy_nullable")
    if absent := [name for name in ("Id", *COLUMNS) if name not in df.columns]:
        raise ValueError(f"{file.name} has no {'; no '.join(absent)}")
    return df.set_index("Id")


class Row(NamedTuple):
    dtype: str
    missing: int
    missing_pct: float
    unique: int
    mean: float = math.nan
    std: float = math.nan
    min: float = math.nan
    max: float = math.nan
    skew: float = math.nan

    @classmethod
    def of(cls, column: pd.Series) -> Row:
        present = column.dropna()
        n, holes = len(column), len(column) - len(present)
        general = column.dtype.name, holes, (100 * holes / n if n else math.nan), present.nunique()
        match column.dtype.kind:
            case "i" | "u" | "f":
                x = pd.Series(present.to_numpy("float64"))
                return cls(*general, x.mean(), x.std(), x.min(), x.max(), x.skew())
            case _:
                return cls(*general)


def summarize(df: pd.DataFrame) -> pd.DataFrame:
    rows = [Row.of(column) for _, column in df.items()]
    return pd.DataFrame(rows, columns=Row._fields, index=df.columns)


def top_correlations(df: pd.DataFrame, target: str = TARGET, k: int = 10) -> pd.Series:
    numbers = df.select_dtypes("number").astype("float64")
    y = numbers.pop(target)
    strength = {
        name: r
        for name, x in numbers.items()
        if (both := x.notna() & y.notna()).sum() > 1
        and x[both].min() < x[both].max()
        and not math.isnan(r := x[both].corr(y[both]))
    }
    order = sorted(strength, key=lambda name: abs(strength[name]), reverse=True)[:k]
    return pd.Series([strength[name] for name in order], index=pd.Index(order, dtype=object), dtype="float64", name="r")


def prices_of(df: pd.DataFrame) -> np.ndarray:
    return df[TARGET].to_numpy("float64", na_value=np.nan)


def histogram(axis: Axes, values: np.ndarray, *, title: str, xlabel: str) -> None:
    axis.hist(values[~np.isnan(values)], bins="auto", density=True, color="tab:green")
    axis.set(title=title, xlabel=xlabel, ylabel="share of the houses per unit")


def plot_target(df: pd.DataFrame) -> Figure:
    figure = Figure(figsize=(10, 4), layout="tight")
    left, right = figure.subplots(1, 2)
    histogram(left, p := prices_of(df), title="SalePrice", xlabel="SalePrice [dollars]")
    histogram(right, np.log1p(p), title="log1p(SalePrice)", xlabel="log1p(SalePrice)")
    return figure


def grid_shape(n: int, widest: int = 3) -> tuple[int, int]:
    return -(-n // widest), min(n, widest)


def plot_relationships(df: pd.DataFrame, features: Sequence[str] | Iterable[str]) -> Figure:
    features = [*features]
    rows, columns = grid_shape(len(features))
    figure = Figure(figsize=(4 * columns, 3 * rows), layout="tight")
    for place, feature in enumerate(features, start=1):
        axis = figure.add_subplot(rows, columns, place)
        axis.scatter(df[feature].to_numpy("float64", na_value=np.nan), prices_of(df), marker="x", s=12)
        axis.set_xlabel(feature)
        axis.set_ylabel(TARGET)
    return figure
