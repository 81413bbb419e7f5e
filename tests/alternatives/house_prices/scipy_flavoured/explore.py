import math
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy import stats

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


def load_data(path):
    path = Path(path)
    present = pd.read_csv(path, nrows=0).columns
    absent = [name for name in ["Id"] + COLUMNS if name not in present]
    if absent:
        raise ValueError(f"{len(absent)} columns are absent: {absent}")
    return pd.read_csv(path, index_col="Id", keep_default_na=False, na_values={name: ["NA", ""] for name in present})


def numeric(column):
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def present_values(column):
    return column.dropna().to_numpy("float64")


def describe(values):
    """Mean, std, min, max and skew; NaN where there are too few values."""
    if values.size == 0:
        return dict.fromkeys(["mean", "std", "min", "max", "skew"], math.nan)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # SciPy warns of constant columns
        d = stats.describe(values, ddof=1)
    low, high = d.minmax
    return {"mean": d.mean, "std": math.sqrt(d.variance), "min": low, "max": high, "skew": d.skewness}


def summarize(df):
    rows = {}
    for place, name in enumerate(df.columns):
        column = df.iloc[:, place]
        holes = int(column.isna().sum())
        row = {"dtype": str(column.dtype), "missing": holes, "missing_pct": 100 * holes / max(1, len(df))}
        row["unique"] = column.nunique()
        row.update(describe(present_values(column) if numeric(column) else np.empty(0)))
        rows[name] = row
    columns = ["dtype", "missing", "missing_pct", "unique", "mean", "std", "min", "max", "skew"]
    return pd.DataFrame(list(rows.values()), index=list(rows), columns=columns)


def top_correlations(df, target=TARGET, k=10):
    result = {}
    y = df[target].to_numpy("float64", na_value=np.nan)
    for name in df.columns:
        if name == target or not numeric(df[name]):
            continue
        x = df[name].to_numpy("float64", na_value=np.nan)
        both = ~(np.isnan(x) | np.isnan(y))
        if both.sum() >= 2 and np.ptp(x[both]) > 0 and np.ptp(y[both]) > 0:
            result[name] = stats.pearsonr(x[both], y[both]).statistic
    names = sorted(result, key=lambda name: abs(result[name]), reverse=True)
    return pd.Series({name: float(result[name]) for name in names[:k]}, dtype=float)


def density(axis, values, label):
    values = values[np.isfinite(values)]
    axis.hist(values, bins=40, density=True, alpha=0.5)
    if len(np.unique(values)) > 2:
        x = np.linspace(values.min(), values.max(), 200)
        axis.plot(x, stats.gaussian_kde(values)(x), linewidth=2)
    axis.set_xlabel(label)
    axis.set_ylabel("density")


def plot_target(df):
    prices = df[TARGET].to_numpy("float64", na_value=np.nan)
    figure, axes = plt.subplots(1, 2, figsize=(11, 4), constrained_layout=True)
    density(axes[0], prices, "price ($)")
    axes[0].set_title("Prices are skewed")
    density(axes[1], np.log1p(prices), "log1p(price)")
    axes[1].set_title("Their logarithms hardly")
    return figure


def plot_relationships(df, features):
    n = len(features)
    columns = min(n, 2)
    rows = math.ceil(n / columns)
    figure, axes = plt.subplots(rows, columns, figsize=(9, 3.5 * rows), squeeze=False)
    axes = axes.ravel()
    y = df[TARGET].to_numpy("float64", na_value=np.nan)
    for axis, feature in zip(axes, features):
        x = df[feature].to_numpy("float64", na_value=np.nan)
        axis.scatter(x, y, s=8, color="0.4")
        known = ~np.isnan(x) & ~np.isnan(y)
        if known.sum() > 1 and np.ptp(x[known]) > 0:
            fit = stats.linregress(x[known], y[known])
            ends = np.array([x[known].min(), x[known].max()])
            axis.plot(ends, fit.intercept + fit.slope * ends, color="C3")
        axis.set_xlabel(feature)
        axis.set_ylabel(TARGET)
    for axis in axes[n:]:
        axis.axis("off")
    return figure
