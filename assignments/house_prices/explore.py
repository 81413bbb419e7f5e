"""Task 1 · Load the table of houses and look at it before modelling anything.

The file is Kaggle's "House Prices": one row a house, 79 columns that describe it, and its `SalePrice` in dollars.
Two things in it mislead: a cell that says `NA` mostly means that the house has no such thing (no pool, no alley), and
a cell that says `None` is an ordinary word that pandas would read as missing.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

TARGET = "SalePrice"

# What describes a house, in the file's order. `Id` comes before them, `SalePrice` (unless it is to be predicted) after.
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


def load_data(path: str | Path) -> pd.DataFrame:
    """Read a table of houses from a CSV file.

    Only the cell `NA` and the empty cell are missing; every other word is a value, `None` (MasVnrType) included.

    Args:
        path: Kaggle's train.csv, its test.csv (which has no `SalePrice`), or a file with the same columns.

    Returns:
        One row a house, indexed by `Id`; the file's other columns in the file's order.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: `Id` or one of `COLUMNS` is absent; the message names every absent one.
    """
    # Hint: read_csv has its own list of words that it takes for missing; `keep_default_na` is how to say no to it.
    raise NotImplementedError("Task 1: write load_data().")


def numeric_part(df: pd.DataFrame) -> pd.DataFrame:
    """The numeric columns of `df` as float64, missing values as NaN. Given: pandas has many dtypes for numbers."""
    return df.select_dtypes("number").astype("float64")


def summarize(df: pd.DataFrame) -> pd.DataFrame:
    """Describe every column in one row.

    Args:
        df: any table.

    Returns:
        One row a column of `df`, in the same order, indexed by the column's name, with the columns
        `dtype` (its name), `missing` (cells), `missing_pct` (0 to 100), `unique` (values, missing not counted), and
        `mean`, `std` (ddof 1), `min`, `max`, `skew`, which are NaN where the column is not numeric.
    """
    numbers = numeric_part(df)
    raise NotImplementedError("Task 1: write summarize().")


def top_correlations(df: pd.DataFrame, target: str = TARGET, k: int = 10) -> pd.Series:
    """The numeric columns that go most closely with the target, up or down.

    Args:
        df: a table whose `target` column is numeric.
        target: the column to compare with; never in the answer itself.
        k: how many columns to name, at most.

    Returns:
        Pearson's r by column, signed, the largest |r| first. Each r uses the rows where both values are present;
        a column that never varies has no r and is left out.
    """
    raise NotImplementedError("Task 1: write top_correlations().")


def label_dollars(axis: plt.Axes, which: str) -> None:
    """Write the ticks of the `which` ("x" or "y") axis in thousands of dollars; the data stay in dollars. Given."""
    getattr(axis, f"{which}axis").set_major_formatter(lambda dollars, _: f"${dollars / 1000:,.0f}k")


def plot_target(df: pd.DataFrame) -> Figure:
    """Show why the logarithm of the price is what we predict.

    Args:
        df: a table with `SalePrice`, in dollars.

    Returns:
        A figure of two axes: on the left a histogram of `SalePrice`, on the right one of log1p(SalePrice);
        both have a title and labels on both axes.
    """
    raise NotImplementedError("Task 1: write plot_target().")


def plot_relationships(df: pd.DataFrame, features: list[str]) -> Figure:
    """Plot the price against each of a few numeric features.

    Args:
        df: a table with `SalePrice`, in dollars, and the features.
        features: names of columns, at least one.

    Returns:
        A figure with one scatter axis a feature, in the given order: the feature across, `SalePrice` upwards, and each
        axis labelled with its column's name.
    """
    raise NotImplementedError("Task 1: write plot_relationships().")
