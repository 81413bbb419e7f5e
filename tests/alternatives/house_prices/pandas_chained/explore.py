"""Task 1: load the houses and look at them."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

TARGET = "SalePrice"

COLUMNS = """
    MSSubClass MSZoning LotFrontage LotArea Street Alley LotShape LandContour Utilities LotConfig LandSlope
    Neighborhood Condition1 Condition2 BldgType HouseStyle OverallQual OverallCond YearBuilt YearRemodAdd RoofStyle
    RoofMatl Exterior1st Exterior2nd MasVnrType MasVnrArea ExterQual ExterCond Foundation BsmtQual BsmtCond
    BsmtExposure BsmtFinType1 BsmtFinSF1 BsmtFinType2 BsmtFinSF2 BsmtUnfSF TotalBsmtSF Heating HeatingQC CentralAir
    Electrical 1stFlrSF 2ndFlrSF LowQualFinSF GrLivArea BsmtFullBath BsmtHalfBath FullBath HalfBath BedroomAbvGr
    KitchenAbvGr KitchenQual TotRmsAbvGrd Functional Fireplaces FireplaceQu GarageType GarageYrBlt GarageFinish
    GarageCars GarageArea GarageQual GarageCond PavedDrive WoodDeckSF OpenPorchSF EnclosedPorch 3SsnPorch
    ScreenPorch PoolArea PoolQC Fence MiscFeature MiscVal MoSold YrSold SaleType SaleCondition
""".split()


def _complete(df: pd.DataFrame) -> pd.DataFrame:
    absent = pd.Index(["Id", *COLUMNS]).difference(df.columns, sort=False)
    if not absent.empty:
        raise ValueError(f"columns are missing: {', '.join(absent)}")
    return df


def load_data(path: str | Path) -> pd.DataFrame:
    """Read the CSV into pandas' nullable dtypes: whole numbers with holes stay whole numbers."""
    return (
        pd.read_csv(path, keep_default_na=False, na_values=["NA", ""], dtype_backend="numpy_nullable")
        .pipe(_complete)
        .set_index("Id")
    )


def numeric_part(df: pd.DataFrame) -> pd.DataFrame:
    return df.select_dtypes("number", exclude="timedelta").astype("float64")


def summarize(df: pd.DataFrame) -> pd.DataFrame:
    """One row a column."""
    numbers = numeric_part(df)
    moments = {how: getattr(numbers, how)() for how in ("mean", "std", "min", "max", "skew")}
    return (
        df.dtypes.rename("dtype")
        .to_frame()
        .assign(
            missing=df.isna().sum(),
            missing_pct=df.isna().mean().mul(100),
            unique=df.nunique(),
        )
        .join(pd.DataFrame(moments, dtype="float64"))
    )


def top_correlations(df: pd.DataFrame, target: str = TARGET, k: int = 10) -> pd.Series:
    """Signed Pearson r of the k columns closest to the target."""
    return (
        numeric_part(df)
        .corr()
        .loc[:, target]
        .drop(target)
        .dropna()
        .sort_values(key=abs, ascending=False)
        .head(k)
    )


def plot_target(df: pd.DataFrame) -> Figure:
    """Histograms of the price and of its logarithm."""
    figure, axes = plt.subplots(1, 2, figsize=(10, 4))
    price = df[TARGET].astype("float64")
    price.plot.hist(bins=40, ax=axes[0], title="Sale price", xlabel="SalePrice (dollars)", ylabel="houses")
    price.pipe(np.log1p).plot.hist(bins=40, ax=axes[1], title="Its logarithm", xlabel="log1p(SalePrice)", ylabel="houses")
    figure.tight_layout()
    return figure


def plot_relationships(df: pd.DataFrame, features: list[str]) -> Figure:
    """A scatter plot of the price over each feature."""
    figure, axes = plt.subplots(1, len(features), figsize=(4 * len(features), 4), squeeze=False)
    numbers = df[[*features, TARGET]].astype("float64")
    for feature, axis in zip(features, axes.flat):
        numbers.plot.scatter(x=feature, y=TARGET, ax=axis, alpha=0.4, s=8)
    figure.tight_layout()
    return figure
