"""Task 1: the table, every number of it a float64."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from helpers import float64, is_number
from matplotlib.figure import Figure

TARGET = "SalePrice"

COLUMNS = [
    "MSSubClass", "MSZoning", "LotFrontage", "LotArea", "Street", "Alley", "LotShape", "LandContour",
    "Utilities", "LotConfig", "LandSlope", "Neighborhood", "Condition1", "Condition2", "BldgType",
    "HouseStyle", "OverallQual", "OverallCond", "YearBuilt", "YearRemodAdd", "RoofStyle", "RoofMatl",
    "Exterior1st", "Exterior2nd", "MasVnrType", "MasVnrArea", "ExterQual", "ExterCond", "Foundation",
    "BsmtQual", "BsmtCond", "BsmtExposure", "BsmtFinType1", "BsmtFinSF1", "BsmtFinType2", "BsmtFinSF2",
    "BsmtUnfSF", "TotalBsmtSF", "Heating", "HeatingQC", "CentralAir", "Electrical", "1stFlrSF", "2ndFlrSF",
    "LowQualFinSF", "GrLivArea", "BsmtFullBath", "BsmtHalfBath", "FullBath", "HalfBath", "BedroomAbvGr",
    "KitchenAbvGr", "KitchenQual", "TotRmsAbvGrd", "Functional", "Fireplaces", "FireplaceQu", "GarageType",
    "GarageYrBlt", "GarageFinish", "GarageCars", "GarageArea", "GarageQual", "GarageCond", "PavedDrive",
    "WoodDeckSF", "OpenPorchSF", "EnclosedPorch", "3SsnPorch", "ScreenPorch", "PoolArea", "PoolQC", "Fence",
    "MiscFeature", "MiscVal", "MoSold", "YrSold", "SaleType", "SaleCondition",
]


def load_data(path: str | Path) -> pd.DataFrame:
    table = pd.read_csv(path, keep_default_na=False, na_values=("NA", ""))
    absent = [name for name in ("Id", *COLUMNS) if name not in table]
    if absent:
        raise ValueError(f"{path}: no column {', '.join(absent)}")
    table = table.set_index("Id")
    return table.astype({name: "float64" for name in table if is_number(table[name])})


def summarize(df: pd.DataFrame) -> pd.DataFrame:
    holes = df.isna().to_numpy().sum(axis=0)
    parts = [df.iloc[:, i] for i in range(df.shape[1])]
    summary = pd.DataFrame(index=df.columns)
    summary["dtype"] = [str(part.dtype) for part in parts]
    summary["missing"] = holes
    summary["missing_pct"] = np.divide(100.0 * holes, len(df), out=np.zeros(len(holes)), where=len(df) > 0)
    summary["unique"] = [part.nunique(dropna=True) for part in parts]
    numbers = [pd.Series(float64(part)) if is_number(part) else None for part in parts]
    for measure in ("mean", "std", "min", "max", "skew"):
        summary[measure] = np.array([np.nan if x is None else getattr(x, measure)() for x in numbers], dtype="float64")
    return summary


def pearson(x: np.ndarray, y: np.ndarray) -> float:
    """NaN unless both vary over the rows that have both."""
    both = np.isfinite(x) & np.isfinite(y)
    x, y = x[both], y[both]
    if len(x) < 2 or x.min() == x.max() or y.min() == y.max():
        return np.nan
    x, y = (v - v.mean() for v in (x, y))
    return float(np.clip(x @ y / np.sqrt((x @ x) * (y @ y)), -1.0, 1.0))


def top_correlations(df: pd.DataFrame, target: str = TARGET, k: int = 10) -> pd.Series:
    y = float64(df[target])
    others = [name for name in df.columns if name != target and is_number(df[name])]
    r = pd.Series([pearson(float64(df[name]), y) for name in others], index=others, dtype="float64")
    r = r[r.notna()]
    return r.iloc[np.argsort(-r.abs().to_numpy(), kind="stable")[:k]]


def plot_target(df: pd.DataFrame) -> Figure:
    prices = float64(df[TARGET])
    prices = prices[~np.isnan(prices)]
    figure = plt.figure(figsize=(11, 4), layout="constrained")
    grid = figure.add_gridspec(1, 2)
    for cell, values, name in zip(grid, (prices, np.log1p(prices)), ("SalePrice [$]", "log1p(SalePrice)")):
        axis = figure.add_subplot(cell)
        counts, edges = np.histogram(values, bins=32)
        axis.stairs(counts, edges, fill=True)
        axis.set_title(name)
        axis.set_xlabel(name)
        axis.set_ylabel("houses")
    return figure


def plot_relationships(df: pd.DataFrame, features: list[str]) -> Figure:
    """With the least squares line in each axis."""
    n = int(np.ceil(np.sqrt(len(features))))
    figure = plt.figure(figsize=(4 * n, 4 * n), layout="constrained")
    y = float64(df[TARGET])
    for position, feature in enumerate(features, start=1):
        x = float64(df[feature])
        axis = figure.add_subplot(n, n, position)
        axis.scatter(x, y, s=9, alpha=0.5)
        both = np.isfinite(x) & np.isfinite(y)
        if len(np.unique(x[both])) > 1:
            ends = np.array([x[both].min(), x[both].max()])
            slope = np.polynomial.Polynomial.fit(x[both], y[both], 1)
            axis.plot(ends, slope(ends), color="black", linewidth=1)
        axis.set_xlabel(feature)
        axis.set_ylabel(TARGET)
    return figure
