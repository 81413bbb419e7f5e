"""Load, summarise, correlate, draw: NumPy and bare figures."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

COLUMNS = """MSSubClass MSZoning LotFrontage LotArea Street Alley LotShape LandContour Utilities LotConfig LandSlope
Neighborhood Condition1 Condition2 BldgType HouseStyle OverallQual OverallCond YearBuilt YearRemodAdd RoofStyle RoofMatl
Exterior1st Exterior2nd MasVnrType MasVnrArea ExterQual ExterCond Foundation BsmtQual BsmtCond BsmtExposure BsmtFinType1
BsmtFinSF1 BsmtFinType2 BsmtFinSF2 BsmtUnfSF TotalBsmtSF Heating HeatingQC CentralAir Electrical 1stFlrSF 2ndFlrSF
LowQualFinSF GrLivArea BsmtFullBath BsmtHalfBath FullBath HalfBath BedroomAbvGr KitchenAbvGr KitchenQual TotRmsAbvGrd
Functional Fireplaces FireplaceQu GarageType GarageYrBlt GarageFinish GarageCars GarageArea GarageQual GarageCond
PavedDrive WoodDeckSF OpenPorchSF EnclosedPorch 3SsnPorch ScreenPorch PoolArea PoolQC Fence MiscFeature MiscVal MoSold
YrSold SaleType SaleCondition""".split()


def load_data(path):
    header = pd.read_csv(path, nrows=0).columns
    if absent := sorted({"Id", *COLUMNS} - set(header)):
        raise ValueError(f"absent: {' '.join(absent)}")
    return pd.read_csv(path, index_col="Id", keep_default_na=False, na_values=["NA", ""], low_memory=False)


def summarize(df):
    def describe(s):
        head = [s.dtype, s.isna().sum(), 100 * s.isna().mean(), s.nunique()]
        if not pd.api.types.is_numeric_dtype(s):
            return head + [np.nan] * 5
        x = s.astype("float64")
        return [*head, x.mean(), x.std(), x.min(), x.max(), x.skew()]

    names = ["dtype", "missing", "missing_pct", "unique", "mean", "std", "min", "max", "skew"]
    return pd.DataFrame([describe(df[c]) for c in df], index=df.columns, columns=names)


def top_correlations(df, target="SalePrice", k=10):
    def r(x, y):
        x, y = np.stack([x, y])[:, ~np.isnan(x + y)]
        return np.corrcoef(x, y)[0, 1] if len(x) > 1 and np.ptp(x) > 0 and np.ptp(y) > 0 else np.nan

    X = df.select_dtypes("number").astype("float64")
    rs = pd.Series({c: r(X[c].to_numpy(), X[target].to_numpy()) for c in X if c != target}, dtype="float64").dropna()
    return rs.iloc[np.argsort(-np.abs(rs.to_numpy()), kind="stable")[:k]]


def plot_target(df):
    fig = Figure(figsize=(10, 4), layout="constrained")
    p = df["SalePrice"].to_numpy("float64")
    for ax, values, name in zip(fig.subplots(1, 2), (p, np.log1p(p)), ("SalePrice", "log1p(SalePrice)"), strict=True):
        ax.hist(values, bins="auto", histtype="step")
        ax.set(title=f"Distribution of {name}", xlabel=name, ylabel="count")
    return fig


def plot_relationships(df, features):
    fig = Figure(figsize=(5, 3 * len(features)), layout="constrained")
    for ax, f in zip(fig.subplots(len(features), 1, squeeze=False)[:, 0], features, strict=True):
        ax.scatter(f, "SalePrice", data=df, marker=".", c=df["SalePrice"], cmap="viridis")
        ax.set(xlabel=f"{f} (as recorded)", ylabel="SalePrice (dollars)")
    return fig
