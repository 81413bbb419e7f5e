"""Task 1: load and look."""

from pathlib import Path

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


def as_numbers_if_possible(cells: pd.Series) -> pd.Series:
    try:
        return pd.to_numeric(cells)
    except ValueError:
        return cells


def load_data(path: str | Path) -> pd.DataFrame:
    cells = pd.read_csv(path, dtype="str", na_filter=False)
    absent = [name for name in ["Id"] + COLUMNS if name not in cells.columns]
    if absent:
        raise ValueError("The table lacks: " + ", ".join(absent))
    df = cells.mask(cells.isin(["NA", ""])).apply(as_numbers_if_possible)
    return df.set_index("Id")


def summarize(df: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for _, column in df.items():
        row = {
            "dtype": column.dtype,
            "missing": int(column.isna().sum()),
            "missing_pct": 100.0 * float(column.isna().mean()),
            "unique": column.nunique(),
        }
        if pd.api.types.is_numeric_dtype(column):
            x = column.astype("float64")
            row.update(mean=x.mean(), std=x.std(), min=x.min(), max=x.max(), skew=x.skew())
        rows.append(row)
    names = ["dtype", "missing", "missing_pct", "unique", "mean", "std", "min", "max", "skew"]
    return pd.DataFrame(rows, columns=names, index=df.columns)


def top_correlations(df: pd.DataFrame, target: str = TARGET, k: int = 10) -> pd.Series:
    numbers = df.select_dtypes("number").astype("float64")
    y = numbers.pop(target)
    found = []
    for name, x in numbers.items():
        known = x.notna() & y.notna()
        if x[known].nunique() > 1 and y[known].nunique() > 1:
            found.append((name, np.corrcoef(x[known], y[known])[0, 1]))
    found.sort(key=lambda item: -abs(item[1]))
    return pd.Series(dict(found[:k]), dtype="float64", name=target)


def plot_target(df: pd.DataFrame) -> Figure:
    figure = Figure(figsize=(10, 4), layout="constrained")
    prices = df[TARGET].astype("float64").dropna()
    parts = figure.subfigures(1, 2)
    for part, values, label in zip(parts, (prices, np.log1p(prices)), ("SalePrice ($)", "log1p(SalePrice)")):
        axis = part.subplots()
        axis.hist(values, bins=40, histtype="step", linewidth=1.5)
        axis.set(title=label.split(" ")[0], xlabel=label, ylabel="houses")
    return figure


def plot_relationships(df: pd.DataFrame, features: list[str]) -> Figure:
    figure = Figure(figsize=(6, 3 * len(features)), layout="constrained")
    axes = figure.subplots(len(features), 1, squeeze=False).ravel()
    for axis, feature in zip(axes, features):
        axis.scatter(df[feature].astype("float64"), df[TARGET].astype("float64"), marker="x", s=8)
        axis.set_xlabel(feature)
        axis.set_ylabel(f"{TARGET} ($)")
        axis.yaxis.set_major_formatter(lambda dollars, _: f"{dollars / 1000:.0f}k")
    return figure
