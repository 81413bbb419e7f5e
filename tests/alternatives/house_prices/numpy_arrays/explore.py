"""Task 1: load the table and look at it."""

import csv

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

TARGET = "SalePrice"

HEADER = (
    "MSSubClass,MSZoning,LotFrontage,LotArea,Street,Alley,LotShape,LandContour,Utilities,"
    "LotConfig,LandSlope,Neighborhood,Condition1,Condition2,BldgType,HouseStyle,OverallQual,"
    "OverallCond,YearBuilt,YearRemodAdd,RoofStyle,RoofMatl,Exterior1st,Exterior2nd,MasVnrType,"
    "MasVnrArea,ExterQual,ExterCond,Foundation,BsmtQual,BsmtCond,BsmtExposure,BsmtFinType1,"
    "BsmtFinSF1,BsmtFinType2,BsmtFinSF2,BsmtUnfSF,TotalBsmtSF,Heating,HeatingQC,CentralAir,"
    "Electrical,1stFlrSF,2ndFlrSF,LowQualFinSF,GrLivArea,BsmtFullBath,BsmtHalfBath,FullBath,"
    "HalfBath,BedroomAbvGr,KitchenAbvGr,KitchenQual,TotRmsAbvGrd,Functional,Fireplaces,"
    "FireplaceQu,GarageType,GarageYrBlt,GarageFinish,GarageCars,GarageArea,GarageQual,GarageCond,"
    "PavedDrive,WoodDeckSF,OpenPorchSF,EnclosedPorch,3SsnPorch,ScreenPorch,PoolArea,PoolQC,Fence,"
    "MiscFeature,MiscVal,MoSold,YrSold,SaleType,SaleCondition"
)
COLUMNS = HEADER.split(",")


def _column(cells: np.ndarray) -> np.ndarray:
    """Numbers if all present cells are numbers (whole ones without holes as int64), else words with None for holes."""
    hole = np.isin(cells, ["NA", ""])
    try:
        present = cells[~hole].astype("float64")
    except ValueError:
        words = cells.astype(object)
        words[hole] = None
        return words
    if not np.isfinite(present).all():  # "nan" and "inf" are words here
        return np.where(hole, None, cells.astype(object))
    if not hole.any() and (present == np.floor(present)).all():
        return present.astype("int64")
    numbers = np.full(len(cells), np.nan)
    numbers[~hole] = present
    return numbers


def load_data(path) -> pd.DataFrame:
    with open(path, newline="", encoding="utf-8") as lines:
        header, *rows = csv.reader(lines)
    absent = [name for name in ["Id", *COLUMNS] if name not in header]
    if absent:
        raise ValueError("not a table of houses, it lacks " + ", ".join(absent))
    cells = np.array([row for row in rows if row], dtype="str").reshape(-1, len(header))
    columns = {name: _column(cells[:, i]) for i, name in enumerate(header)}
    index = pd.Index(columns.pop("Id"), name="Id")
    return pd.DataFrame({name: pd.Series(v, index=index, dtype=v.dtype) for name, v in columns.items()}, index=index)


def _as_numbers(values: pd.Series) -> np.ndarray | None:
    """float64 with NaN for holes, or None where the column holds no numbers."""
    numeric = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    return values.to_numpy("float64", na_value=np.nan) if numeric else None


def _moments(x: np.ndarray) -> list[float]:
    """mean, std, min, max and Fisher-Pearson's skew of what is there."""
    x, n = x[~np.isnan(x)], int((~np.isnan(x)).sum())
    if n == 0:
        return [np.nan] * 5
    away = x - x.mean()
    variance = (away**2).mean()
    std = np.sqrt((away**2).sum() / (n - 1)) if n > 1 else np.nan
    return [x.mean(), std, x.min(), x.max(), (away**3).mean() / variance**1.5 if np.ptp(x) > 0 else 0.0]


def summarize(df: pd.DataFrame) -> pd.DataFrame:
    n, width = df.shape
    counts, moments, dtypes = np.zeros((width, 2), dtype="int64"), np.full((width, 5), np.nan), []
    for i in range(width):
        values = df.iloc[:, i]
        hole = values.isna().to_numpy()
        counts[i] = hole.sum(), len(set(values.to_numpy(object)[~hole].tolist()))
        numbers = _as_numbers(values)
        if numbers is not None:
            moments[i] = _moments(numbers)
        dtypes.append(values.dtype)
    table = pd.DataFrame({"dtype": pd.Series(dtypes, dtype=object, index=range(width))})
    table["missing"], table["unique"] = counts[:, 0], counts[:, 1]
    table.insert(2, "missing_pct", 100 * counts[:, 0] / max(n, 1))
    table[["mean", "std", "min", "max", "skew"]] = moments
    return table.set_index(df.columns)


def top_correlations(df: pd.DataFrame, target: str = TARGET, k: int = 10) -> pd.Series:
    y = _as_numbers(df[target])
    names, rs = [], []
    for name in df.columns:
        x = _as_numbers(df[name])
        if name == target or x is None:
            continue
        both = ~(np.isnan(x) | np.isnan(y))
        if both.sum() > 1 and np.ptp(x[both]) > 0 and np.ptp(y[both]) > 0:
            names.append(name)
            rs.append(np.corrcoef(x[both], y[both])[0, 1])
    rs = np.array(rs, dtype="float64")
    order = np.argsort(-np.abs(rs), kind="stable")[:k]
    return pd.Series(rs[order], index=[names[i] for i in order], dtype="float64")


def plot_target(df: pd.DataFrame) -> Figure:
    prices = _as_numbers(df[TARGET])
    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for axis, x, name in ((left, prices, "SalePrice"), (right, np.log1p(prices), "log1p(SalePrice)")):
        counts, edges = np.histogram(x[~np.isnan(x)], bins="auto")
        axis.bar(edges[:-1], counts, width=np.diff(edges), align="edge")
        axis.set(title=f"Histogram of {name}", xlabel=name, ylabel="number of houses")
    return figure


def plot_relationships(df: pd.DataFrame, features: list[str]) -> Figure:
    across = min(3, len(features))
    down = -(-len(features) // across)
    figure = Figure(figsize=(4 * across, 3.5 * down), layout="constrained")
    y = _as_numbers(df[TARGET])
    for i, feature in enumerate(features, 1):
        axis = figure.add_subplot(down, across, i)
        axis.plot(df[feature].to_numpy("float64", na_value=np.nan), y, ".", markersize=3)
        axis.set_xlabel(feature)
        axis.set_ylabel("SalePrice")
    return figure
