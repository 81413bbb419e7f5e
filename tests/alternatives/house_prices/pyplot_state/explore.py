import os

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

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
    if not os.path.exists(path):
        raise FileNotFoundError(path)
    df = pd.read_csv(path, na_values=["", "NA"], keep_default_na=False)
    missing = pd.Index(["Id"] + COLUMNS).difference(df.columns, sort=False)
    if len(missing) > 0:
        raise ValueError("these columns are not in the file: %s" % ", ".join(missing))
    df.index = pd.Index(df.pop("Id"), name="Id")
    return df


def summarize(df):
    numbers = df.select_dtypes(include=[np.number]).astype("float64")
    counts = pd.DataFrame(index=df.columns)
    counts["dtype"] = df.dtypes.astype(str)
    counts["missing"] = df.isnull().sum(axis=0)
    counts["missing_pct"] = df.isnull().mean(axis=0).mul(100)
    counts["unique"] = df.nunique(axis=0, dropna=True)
    names = ["mean", "std", "min", "max", "skew"]
    if numbers.shape[1] == 0:
        return counts.reindex(columns=[*counts.columns, *names])
    return counts.join(numbers.agg(names).transpose())


def top_correlations(df, target=TARGET, k=10):
    found = {}
    for name in df.select_dtypes(include=[np.number]).columns.drop(target):
        pair = df[[name, target]].astype("float64").dropna()
        if len(pair) < 2 or (pair.nunique() < 2).any():
            continue
        found[name] = pair.corr().iloc[0, 1]
    r = pd.Series(found, dtype="float64")
    return r.reindex(r.abs().sort_values(ascending=False).index).iloc[:k]


def outline(values, color):
    counts, edges = np.histogram(values, bins=max(5, int(len(values) ** 0.5)))
    plt.stairs(counts, edges, fill=True, alpha=0.4, color=color)
    plt.stairs(counts, edges, color=color)


def plot_target(df):
    figure, axes = plt.subplot_mosaic("AB", figsize=(9, 4))
    prices = df[TARGET].dropna().to_numpy("float64")
    plt.sca(axes["A"])
    outline(prices, "C0")
    plt.title("Price")
    plt.xlabel("price in dollars")
    plt.ylabel("count")
    plt.sca(axes["B"])
    outline(np.log1p(prices), "C1")
    plt.title("log1p of the price")
    plt.xlabel("log1p(price)")
    plt.ylabel("count")
    plt.tight_layout()
    return figure


def plot_relationships(df, features):
    features = list(features)
    width = int(np.ceil(np.sqrt(len(features))))
    places = [str(i) for i in range(len(features))]
    places += ["."] * (-len(places) % width)
    layout = [places[i : i + width] for i in range(0, len(places), width)]
    figure, axes = plt.subplot_mosaic(layout, figsize=(3.5 * width, 3 * len(layout)), sharey=True)
    for place, feature in enumerate(features):
        plt.sca(axes[str(place)])
        plt.scatter(df[feature], df[TARGET], c=np.log1p(df[TARGET]), cmap="viridis", s=9, linewidths=0)
        plt.xlabel(feature)
        plt.ylabel(TARGET)
        plt.title(feature)
    plt.tight_layout()
    return plt.gcf()
