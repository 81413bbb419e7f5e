"""Task 1: load and look."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn.feature_selection import r_regression
from sklearn.preprocessing import FunctionTransformer, scale

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

LOG = FunctionTransformer(np.log1p)


def load_data(path: str | Path) -> pd.DataFrame:
    header = pd.read_csv(path, nrows=0).columns
    absent = [column for column in ("Id", *COLUMNS) if column not in header]
    if absent:
        raise ValueError(f"absent: {absent}")
    return pd.read_csv(path, index_col="Id", keep_default_na=False, na_values={c: ["NA", ""] for c in header})


def summarize(df: pd.DataFrame) -> pd.DataFrame:
    summary = pd.DataFrame(
        {
            "dtype": [dtype.name for dtype in df.dtypes],
            "missing": df.isna().sum().to_numpy(),
            "missing_pct": (100 * df.isna().to_numpy().sum(axis=0) / len(df)) if len(df) else np.nan,
            "unique": [df.iloc[:, i].nunique() for i in range(df.shape[1])],
        },
        index=df.columns,
    )
    measures = pd.DataFrame(np.nan, index=range(df.shape[1]), columns=["mean", "std", "min", "max", "skew"])
    for i, dtype in enumerate(df.dtypes):
        if pd.api.types.is_numeric_dtype(dtype):
            column = df.iloc[:, i].astype("float64")
            measures.loc[i] = column.describe()[["mean", "std", "min", "max"]].tolist() + [column.skew()]
    return summary.assign(**{name: measures[name].to_numpy() for name in measures})


def top_correlations(df: pd.DataFrame, target: str = TARGET, k: int = 10) -> pd.Series:
    numbers = df.select_dtypes("number").astype("float64")
    rs = {}
    for column in numbers.columns.drop(target):
        pair = numbers[[column, target]].dropna()
        if (pair.nunique() > 1).all():
            x, y = scale(pair).T
            rs[column] = r_regression(x.reshape(-1, 1), y)[0]
    rs = pd.Series(rs, dtype="float64")
    return rs.loc[rs.abs().nlargest(k).index]


def plot_target(df: pd.DataFrame) -> Figure:
    figure, axes = plt.subplot_mosaic([["dollars", "logs"]], figsize=(10, 4), layout="constrained")
    prices = df[[TARGET]].astype("float64").dropna()
    axes["dollars"].hist(prices, bins=25)
    axes["dollars"].set(title="Price", xlabel="dollars", ylabel="count")
    axes["logs"].hist(LOG.transform(prices), bins=25)
    axes["logs"].set(title="Logarithm of the price", xlabel="log1p(dollars)", ylabel="count")
    return figure


def plot_relationships(df: pd.DataFrame, features: list[str]) -> Figure:
    figure, axes = plt.subplots(1, len(features), sharey=True, squeeze=False, figsize=(3.5 * len(features), 3.5))
    for feature, axis in zip(features, axes[0], strict=True):
        axis.scatter(df[feature].astype("float64"), df[TARGET].astype("float64"), s=7, alpha=0.4)
        axis.set(xlabel=feature, ylabel=TARGET)
    return figure
