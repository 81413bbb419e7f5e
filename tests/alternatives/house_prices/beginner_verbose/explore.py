"""Task 1: load the data and look at it."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy import stats

TARGET = "SalePrice"

COLUMNS = [
    "MSSubClass", "MSZoning", "LotFrontage", "LotArea", "Street", "Alley", "LotShape", "LandContour",
    "Utilities", "LotConfig", "LandSlope", "Neighborhood", "Condition1", "Condition2", "BldgType",
    "HouseStyle", "OverallQual", "OverallCond", "YearBuilt", "YearRemodAdd", "RoofStyle", "RoofMatl",
    "Exterior1st", "Exterior2nd", "MasVnrType", "MasVnrArea", "ExterQual", "ExterCond", "Foundation",
    "BsmtQual", "BsmtCond", "BsmtExposure", "BsmtFinType1", "BsmtFinSF1", "BsmtFinType2", "BsmtFinSF2",
    "BsmtUnfSF", "TotalBsmtSF", "Heating", "HeatingQC", "CentralAir", "Electrical", "1stFlrSF", "2ndFlrSF",
    "LowQualFinSF", "GrLivArea", "BsmtFullBath", "BsmtHalfBath", "FullBath", "HalfBath", "BedroomAbvGr",
    "KitchenAbvGr", "KitchenQual", "TotRmsAbvGrd", "Functional", "Fireplaces", "FireplaceQu", "GarageType",
    "GarageYrBlt", "GarageFinish", "GarageCars", "GarageArea", "GarageQual", "GarageCond", "PavedDrive",
    "WoodDeckSF", "OpenPorchSF", "EnclosedPorch", "3SsnPorch", "ScreenPorch", "PoolArea", "PoolQC", "Fence",
    "MiscFeature", "MiscVal", "MoSold", "YrSold", "SaleType", "SaleCondition",
]


def load_data(path):
    df = pd.read_csv(path, na_values=["NA", ""], keep_default_na=False)

    # collect all missing columns before complaining
    missing = []
    if "Id" not in df.columns:
        missing.append("Id")
    for column in COLUMNS:
        if column not in df.columns:
            missing.append(column)
    if len(missing) > 0:
        message = "The file does not have these columns: "
        for name in missing:
            message = message + name + " "
        raise ValueError(message)

    df = df.set_index("Id")
    return df


def is_number_column(column):
    # True/False columns are not counted as numbers
    if pd.api.types.is_bool_dtype(column):
        return False
    return pd.api.types.is_numeric_dtype(column)


def get_present_numbers(column):
    """List of the values of a column that are not missing."""
    numbers = []
    for value in column:
        if not pd.isna(value):
            numbers.append(float(value))
    return numbers


def summarize(df):
    rows = []
    names = []
    for position in range(df.shape[1]):
        column = df.iloc[:, position]
        names.append(df.columns[position])
        row = {}
        row["dtype"] = str(column.dtype)

        # count the missing cells
        count = 0
        seen = set()
        for value in column:
            if pd.isna(value):
                count = count + 1
            else:
                seen.add(value)
        row["missing"] = count
        if len(df) > 0:
            row["missing_pct"] = count / len(df) * 100
        else:
            row["missing_pct"] = 0.0
        row["unique"] = len(seen)

        # everything else only for numbers
        row["mean"] = np.nan
        row["std"] = np.nan
        row["min"] = np.nan
        row["max"] = np.nan
        row["skew"] = np.nan
        if is_number_column(column):
            numbers = get_present_numbers(column)
            if len(numbers) > 0:
                row["mean"] = sum(numbers) / len(numbers)
                row["min"] = min(numbers)
                row["max"] = max(numbers)
            if len(numbers) > 1:
                row["std"] = np.std(numbers, ddof=1)
            if len(numbers) > 2 and min(numbers) < max(numbers):
                row["skew"] = float(stats.skew(numbers, bias=False))
        rows.append(row)
    columns = ["dtype", "missing", "missing_pct", "unique", "mean", "std", "min", "max", "skew"]
    return pd.DataFrame(rows, index=pd.Index(names, dtype=object), columns=columns)


def top_correlations(df, target=TARGET, k=10):
    target_column = df[target]

    pairs = []
    for name in df.columns:
        if name == target:
            continue
        if not is_number_column(df[name]):
            continue
        # only the rows in which both are there
        xs = []
        ys = []
        for x, y in zip(df[name], target_column):
            if pd.isna(x) or pd.isna(y):
                continue
            xs.append(float(x))
            ys.append(float(y))
        if len(set(xs)) < 2 or len(set(ys)) < 2:
            continue  # never varies: no correlation
        r = stats.pearsonr(xs, ys).statistic
        pairs.append((abs(r), name, r))

    # the strongest first
    pairs.sort(key=lambda pair: pair[0], reverse=True)
    result_names = []
    result_values = []
    for strength, name, r in pairs[:k]:
        result_names.append(name)
        result_values.append(r)
    return pd.Series(result_values, index=result_names, dtype="float64")


def plot_target(df):
    prices = get_present_numbers(df[TARGET])
    log_prices = []
    for price in prices:
        log_prices.append(np.log1p(price))

    fig = plt.figure(figsize=(12, 4))

    left = fig.add_subplot(1, 2, 1)
    left.hist(prices, bins=30, color="steelblue", edgecolor="black")
    left.set_title("Prices", loc="left")
    left.set_xlabel("SalePrice in dollars")
    left.set_ylabel("Number of houses")

    right = fig.add_subplot(1, 2, 2)
    right.hist(log_prices, bins=30, color="orange", edgecolor="black")
    right.set_title("Log prices", loc="left")
    right.set_xlabel("log1p(SalePrice)")
    right.set_ylabel("Number of houses")
    return fig


def plot_relationships(df, features):
    number_of_plots = len(features)
    fig = plt.figure(figsize=(5, 4 * number_of_plots))
    for i in range(number_of_plots):
        feature = features[i]
        xs = []
        for value in df[feature]:
            if pd.isna(value):
                xs.append(np.nan)
            else:
                xs.append(float(value))
        ax = fig.add_subplot(number_of_plots, 1, i + 1)
        ax.scatter(xs, df[TARGET].astype(float).tolist(), s=10)
        ax.set_title(TARGET + " against " + feature)
        ax.set_xlabel(feature)
        ax.set_ylabel(TARGET)
    fig.tight_layout()
    return fig
