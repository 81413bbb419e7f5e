"""Read the table with the csv module and describe it by hand."""

import csv
import math
import re

import matplotlib.pyplot as plt
import pandas as pd

COLUMNS = [
    *["MSSubClass", "MSZoning", "LotFrontage", "LotArea", "Street", "Alley", "LotShape", "LandContour", "Utilities"],
    *["LotConfig", "LandSlope", "Neighborhood", "Condition1", "Condition2", "BldgType", "HouseStyle", "OverallQual"],
    *["OverallCond", "YearBuilt", "YearRemodAdd", "RoofStyle", "RoofMatl", "Exterior1st", "Exterior2nd"],
    *["MasVnrType", "MasVnrArea", "ExterQual", "ExterCond", "Foundation", "BsmtQual", "BsmtCond", "BsmtExposure"],
    *["BsmtFinType1", "BsmtFinSF1", "BsmtFinType2", "BsmtFinSF2", "BsmtUnfSF", "TotalBsmtSF", "Heating", "HeatingQC"],
    *["CentralAir", "Electrical", "1stFlrSF", "2ndFlrSF", "LowQualFinSF", "GrLivArea", "BsmtFullBath"],
    *["BsmtHalfBath", "FullBath", "HalfBath", "BedroomAbvGr", "KitchenAbvGr", "KitchenQual", "TotRmsAbvGrd"],
    *["Functional", "Fireplaces", "FireplaceQu", "GarageType", "GarageYrBlt", "GarageFinish", "GarageCars"],
    *["GarageArea", "GarageQual", "GarageCond", "PavedDrive", "WoodDeckSF", "OpenPorchSF", "EnclosedPorch"],
    *["3SsnPorch", "ScreenPorch", "PoolArea", "PoolQC", "Fence", "MiscFeature", "MiscVal", "MoSold", "YrSold"],
    *["SaleType", "SaleCondition"],
]
NUMBER = re.compile(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*")


def read_column(cells):
    """Turn a list of words into ints or floats if all words are numbers."""
    missing = [cell in ("NA", "") for cell in cells]
    words = [cell for cell, m in zip(cells, missing, strict=True) if not m]
    if all(NUMBER.fullmatch(word) for word in words):
        if not any(missing) and all(re.fullmatch(r"[-+]?\d+", word) for word in words):
            return [int(cell) for cell in cells]
        return [math.nan if m else float(cell) for cell, m in zip(cells, missing, strict=True)]
    return [None if m else cell for cell, m in zip(cells, missing, strict=True)]


def load_data(path):
    with open(path, newline="", encoding="utf-8-sig") as file:
        rows = [row for row in csv.reader(file) if row]
    header = rows[0] if rows else []
    absent = []
    for name in ["Id", *COLUMNS]:
        if name not in header:
            absent.append(name)
    if absent:
        raise ValueError("These columns are missing: " + ", ".join(absent))
    columns = {}
    for i, name in enumerate(header):
        columns[name] = read_column([row[i] for row in rows[1:]])
    index = pd.Index(columns.pop("Id"), name="Id")
    return pd.DataFrame(columns, index=index)


def present_numbers(column):
    return [float(value) for value in column if not pd.isna(value)]


def summarize(df):
    rows = []
    for name in df.columns:
        column = df[name]
        missing = 0
        different = set()
        for value in column:
            if pd.isna(value):
                missing += 1
            else:
                different.add(value)
        row = {"dtype": str(column.dtype), "missing": missing, "unique": len(different)}
        row["missing_pct"] = 100 * missing / len(df) if len(df) else 0.0
        row.update({"mean": math.nan, "std": math.nan, "min": math.nan, "max": math.nan, "skew": math.nan})
        numbers = present_numbers(column) if pd.api.types.is_numeric_dtype(column) else []
        n = len(numbers)
        if n > 0:
            mean = math.fsum(numbers) / n
            squares = math.fsum((x - mean) ** 2 for x in numbers)
            cubes = math.fsum((x - mean) ** 3 for x in numbers)
            row["mean"] = mean
            row["min"] = min(numbers)
            row["max"] = max(numbers)
            if n > 1:
                row["std"] = math.sqrt(squares / (n - 1))
            if squares > 0:
                row["skew"] = (cubes / n) / (squares / n) ** 1.5
        rows.append(row)
    return pd.DataFrame(rows, index=list(df.columns))


def pearson(xs, ys):
    """The correlation of two lists, or None if there is none."""
    pairs = [(float(x), float(y)) for x, y in zip(xs, ys, strict=True) if not pd.isna(x) and not pd.isna(y)]
    if len(pairs) < 2 or len({x for x, _ in pairs}) == 1 or len({y for _, y in pairs}) == 1:
        return None
    mean_x = math.fsum(x for x, _ in pairs) / len(pairs)
    mean_y = math.fsum(y for _, y in pairs) / len(pairs)
    xy = math.fsum((x - mean_x) * (y - mean_y) for x, y in pairs)
    xx = math.fsum((x - mean_x) ** 2 for x, _ in pairs)
    yy = math.fsum((y - mean_y) ** 2 for _, y in pairs)
    return xy / math.sqrt(xx * yy)


def top_correlations(df, target="SalePrice", k=10):
    found = []
    for name in df.columns:
        if name != target and pd.api.types.is_numeric_dtype(df[name]):
            r = pearson(df[name], df[target])
            if r is not None:
                found.append((name, r))
    found.sort(key=lambda pair: -abs(pair[1]))
    return pd.Series([r for _, r in found[:k]], index=[name for name, _ in found[:k]], dtype="float64")


def draw_histogram(axis, values, bins=25):
    low, high = min(values), max(values)
    width = (high - low) / bins or 1.0
    counts = [0] * bins
    for value in values:
        counts[min(int((value - low) / width), bins - 1)] += 1
    axis.bar([low + i * width for i in range(bins)], counts, width=width, align="edge")


def plot_target(df):
    fig = plt.figure(figsize=(9, 4))
    prices = [float(price) for price in df["SalePrice"]]
    ax1 = fig.add_subplot(1, 2, 1)
    draw_histogram(ax1, prices)
    ax1.set_title("Price")
    ax1.set_xlabel("dollars")
    ax1.set_ylabel("number of houses")
    ax2 = fig.add_subplot(1, 2, 2)
    draw_histogram(ax2, [math.log1p(price) for price in prices])
    ax2.set_title("Logarithm of the price")
    ax2.set_xlabel("log(1 + dollars)")
    ax2.set_ylabel("number of houses")
    return fig


def plot_relationships(df, features):
    fig = plt.figure(figsize=(4 * len(features), 4))
    for i, feature in enumerate(features):
        ax = fig.add_subplot(1, len(features), i + 1)
        ax.plot(df[feature], df["SalePrice"], "o", markersize=3)
        ax.set_xlabel(feature)
        ax.set_ylabel("SalePrice")
    return fig
