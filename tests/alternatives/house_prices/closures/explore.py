"""Loading and looking."""

from functools import partial
from itertools import chain, filterfalse, islice

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from pandas.api.types import is_bool_dtype, is_numeric_dtype

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
COLUMNS = list(NAMES.split())


def load_data(path):
    table = pd.read_csv(path, na_values=["NA", ""], keep_default_na=False)
    absent = list(filterfalse(set(table.columns).__contains__, chain(["Id"], COLUMNS)))
    if absent:
        raise ValueError("the file lacks " + " ".join(absent))
    return table.set_index("Id")


def summarize(df):
    def numeric_only(statistic):
        def measured(column):
            if not is_numeric_dtype(column) or is_bool_dtype(column):
                return np.nan
            return float(statistic(column.astype("float64").dropna()))

        return measured

    columns = {
        "dtype": lambda c: str(c.dtype),
        "missing": lambda c: int(c.isna().sum()),
        "missing_pct": lambda c: 100.0 * c.isna().sum() / max(len(c), 1),
        "unique": lambda c: len(c.dropna().unique()),
    }
    columns |= {name: numeric_only(getattr(pd.Series, name)) for name in ("mean", "std", "min", "max", "skew")}
    names = list(df.columns)
    return pd.DataFrame(
        {title: [function(df[name]) for name in names] for title, function in columns.items()},
        index=pd.Index(names, dtype=df.columns.dtype),
    )


def top_correlations(df, target=TARGET, k=10):
    price = df[target].astype("float64")

    def pairs():
        for name in df.select_dtypes("number").columns:
            if name == target:
                continue
            both = pd.DataFrame({"a": df[name].astype("float64"), "b": price}).dropna()
            if both["a"].nunique() > 1 and both["b"].nunique() > 1:
                yield name, float(np.corrcoef(both["a"], both["b"])[0, 1])

    ranked = sorted(pairs(), key=lambda pair: -abs(pair[1]))
    return pd.Series(dict(islice(ranked, k)), dtype="float64", name=target)


def painter(figure):
    """Returns a function that hands out labelled axes, one after the other."""

    def labelled(axis, draw, *data, title="", xlabel="", ylabel=""):
        draw(axis)(*data)
        axis.set_title(title)
        axis.set_xlabel(xlabel)
        axis.set_ylabel(ylabel)
        return axis

    return labelled


def plot_target(df):
    figure, (left, right) = plt.subplots(ncols=2, figsize=(9, 3.5), layout="constrained")
    paint = painter(figure)
    bars = lambda axis: partial(axis.hist, bins=25, edgecolor="white")  # noqa: E731
    paint(left, bars, df[TARGET].to_numpy(), title="Prices", xlabel="dollars", ylabel="number of houses")
    log = np.log1p(df[TARGET].to_numpy("float64"))
    paint(right, bars, log, title="Their logarithms", xlabel="log(1 + dollars)", ylabel="number of houses")
    return figure


def plot_relationships(df, features):
    features = list(features)
    figure, axes = plt.subplots(len(features), 1, figsize=(5, 3 * len(features)), layout="constrained", squeeze=False)
    paint = painter(figure)
    dots = lambda axis: partial(axis.plot, marker=".", linestyle="none", alpha=0.5)  # noqa: E731
    for axis, name in zip(axes.flat, features):
        paint(axis, dots, df[name], df[TARGET], title=f"{TARGET} over {name}", xlabel=name, ylabel=TARGET)
    return figure
