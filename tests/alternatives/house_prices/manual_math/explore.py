"""Task 1, with the statistics written out."""

import math

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
    df = pd.read_csv(path, sep=",", na_values=frozenset({"NA", ""}), keep_default_na=False)
    lacking = []
    for name in ["Id"] + COLUMNS:
        if name not in df.columns:
            lacking.append(name)
    if lacking:
        raise ValueError("not a table of houses, these columns are lacking: " + ", ".join(lacking))
    ids = df["Id"]
    df = df[[name for name in df.columns if name != "Id"]]
    df.index = pd.Index(ids, name="Id")
    return df


def moments(x):
    """Mean, std, min, max and skew of an array without holes."""
    n = len(x)
    if n == 0:
        return [math.nan] * 5
    mean = x.sum() / n
    e = x - mean
    if x.min() == x.max():
        mean, e = x[0], np.zeros(n)
    m2, m3 = (e**2).sum() / n, (e**3).sum() / n
    std = math.sqrt(m2 * n / (n - 1)) if n > 1 else math.nan
    skew = math.nan
    if n > 2:
        skew = math.sqrt(n * (n - 1)) / (n - 2) * m3 / m2**1.5 if m2 > 0 else 0.0
    return [float(v) for v in (mean, std, x.min(), x.max(), skew)]


def summarize(df):
    numeric = set(df.select_dtypes("number").columns)
    table = []
    for name in df.columns:
        holes = df[name].isna().to_numpy()
        values = df[name][~holes]
        n, missing = len(holes), int(holes.sum())
        line = [df[name].dtype, missing, 100 * missing / n if n > 0 else 0.0, len(set(values))]
        table.append(line + moments(values.to_numpy("float64") if name in numeric else np.array([])))
    titles = ["dtype", "missing", "missing_pct", "unique", "mean", "std", "min", "max", "skew"]
    return pd.DataFrame(table, index=df.columns, columns=titles)


def pearson(x, y):
    n = len(x)
    if n < 2 or x.min() == x.max() or y.min() == y.max():
        return math.nan
    a, b = x - x.sum() / n, y - y.sum() / n
    return float((a * b).sum() / math.sqrt((a * a).sum() * (b * b).sum()))


def top_correlations(df, target=TARGET, k=10):
    numbers = df.select_dtypes("number").astype("float64")
    y = numbers[target].to_numpy()
    found = []
    for name in numbers.columns:
        x = numbers[name].to_numpy()
        both = (x == x) & (y == y)  # NaN is not equal to itself
        r = pearson(x[both], y[both])
        if name != target and r == r:
            found.append((abs(r), r, name))
    found.sort(key=lambda item: item[0], reverse=True)
    found = found[: max(k, 0)]
    return pd.Series([r for _, r, _ in found], index=[name for _, _, name in found], dtype="float64")


def count(values, bins=20):
    """Left edges, width and numbers of values of equally wide bins."""
    low, high = values.min(), values.max()
    width = (high - low) / bins or 1.0
    place = np.minimum(((values - low) / width).astype(int), bins - 1)
    return low + width * np.arange(bins), width, [(place == b).sum() for b in range(bins)]


def plot_target(df):
    prices = df[TARGET].astype("float64").to_numpy()
    figure = plt.figure(figsize=(10, 4))
    sides = [(prices, "price", "dollars"), (np.log(1 + prices), "log(1 + price)", "log of dollars")]
    for place, (values, title, unit) in enumerate(sides, start=1):
        axis = figure.add_subplot(1, 2, place)
        edges, width, counts = count(values[values == values])
        axis.bar(edges + width / 2, counts, width=0.9 * width, color="slategray")
        axis.set_title(title)
        axis.set_xlabel(unit)
        axis.set_ylabel("number of houses")
    return figure


def plot_relationships(df, features):
    features = list(features)
    figure = plt.figure(figsize=(12, 3.5 * math.ceil(len(features) / 3)))
    grid = figure.add_gridspec(math.ceil(len(features) / 3), 3, hspace=0.4, wspace=0.4)
    for i in range(len(features)):
        axis = figure.add_subplot(grid[i // 3, i % 3])
        pairs = df[[features[i], TARGET]].dropna()
        axis.plot(pairs[features[i]], pairs[TARGET], "ko", markersize=2)
        axis.set_xlabel(features[i])
        axis.set_ylabel("SalePrice in dollars")
    return figure
