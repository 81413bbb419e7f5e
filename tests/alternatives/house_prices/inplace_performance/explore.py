"""Whole tables at a time, no loops over rows."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

TARGET = "SalePrice"
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
COLUMNS = NAMES.split()


def load_data(path) -> pd.DataFrame:
    df = pd.read_csv(path, keep_default_na=False, na_values=("NA", ""), low_memory=False)
    absent = np.setdiff1d(["Id", *COLUMNS], df.columns.to_numpy("str"))
    if absent.size:
        raise ValueError(f"absent columns: {' '.join(absent)}")
    return df.set_index("Id")


def summarize(df: pd.DataFrame) -> pd.DataFrame:
    out = pd.DataFrame(index=df.columns)
    out["dtype"] = list(map(str, df.dtypes))
    out["missing"] = df.isna().to_numpy().sum(axis=0)
    out["missing_pct"] = out["missing"] * (100 / max(len(df), 1))
    out["unique"] = np.fromiter((pd.factorize(column)[1].size for _, column in df.items()), "int64", count=df.shape[1])
    numbers = df.select_dtypes("number").to_numpy("float64", na_value=np.nan)
    here = np.flatnonzero(df.columns.isin(df.select_dtypes("number").columns))
    table = np.full((df.shape[1], 5), np.nan)
    if numbers.size:
        frame = pd.DataFrame(numbers, copy=False)
        for j, f in enumerate((frame.mean, frame.std, frame.min, frame.max, frame.skew)):
            table[here, j] = f()
    out[["mean", "std", "min", "max", "skew"]] = table
    return out


def top_correlations(df: pd.DataFrame, target: str = TARGET, k: int = 10) -> pd.Series:
    names = df.select_dtypes("number").columns.drop(target)
    y = df[target].to_numpy("float64", na_value=np.nan)
    x = df[names].to_numpy("float64", na_value=np.nan, copy=True)
    hole = np.isnan(x) | np.isnan(y)[:, None]  # (n, columns)
    n = np.maximum((~hole).sum(axis=0), 1)
    y = np.where(hole, 0.0, y[:, None])
    varies = np.ones(len(names), bool)
    for a in (x, y):
        a[hole] = np.inf
        low = a.min(axis=0, initial=np.inf)
        a[hole] = -np.inf
        varies &= a.max(axis=0, initial=-np.inf) > low
        a[hole] = 0.0
        a -= a.sum(axis=0) / n
        a[hole] = 0.0
    with np.errstate(invalid="ignore", divide="ignore"):
        r = (x * y).sum(axis=0) / np.sqrt((x * x).sum(axis=0) * (y * y).sum(axis=0))
    r[~varies] = np.nan
    order = np.argsort(-np.abs(r), kind="stable")  # NaN goes last
    order = order[: min(k, int(np.isfinite(r).sum()))]
    return pd.Series(r[order], index=names[order])


def plot_target(df: pd.DataFrame) -> Figure:
    prices = df[TARGET].to_numpy("float64", na_value=np.nan)
    figure, axes = plt.subplots(1, 2, figsize=(9, 4), sharey=True)
    axes[0].hist(prices, bins=np.linspace(np.nanmin(prices), np.nanmax(prices) + 1, 31), histtype="stepfilled")
    log = np.log1p(prices)
    axes[1].hist(log, bins=np.linspace(np.nanmin(log), np.nanmax(log) + 1e-6, 31), histtype="stepfilled", color="C2")
    axes[0].set(title="SalePrice", xlabel="dollars", ylabel="houses")
    axes[1].set(title="log1p of SalePrice", xlabel="log1p(dollars)", ylabel="houses")
    return figure


def plot_relationships(df: pd.DataFrame, features: list[str]) -> Figure:
    side = int(np.ceil(len(features) ** 0.5))
    figure, axes = plt.subplots(side, side, figsize=(3 * side, 3 * side), squeeze=False, layout="constrained")
    dots = {"linestyle": "none", "marker": "o", "markersize": 2, "rasterized": True}
    for axis, feature in zip(axes.ravel(), features):
        axis.plot(df[feature].to_numpy("float64", na_value=np.nan), df[TARGET].to_numpy("float64"), **dots)
        axis.set(xlabel=feature, ylabel=TARGET)
    for axis in axes.ravel()[len(features) :]:
        axis.set_visible(False)
    return figure
