"""Task 1: load the houses with care, then look at them."""

import logging
from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from pandas.api.types import is_bool_dtype, is_numeric_dtype

log = logging.getLogger(__name__)

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


def require_columns(df: pd.DataFrame, columns: Sequence[str]) -> None:
    if not isinstance(df, pd.DataFrame):
        raise TypeError(f"a DataFrame is needed, not a {type(df).__name__}")
    absent = [str(column) for column in columns if column not in df.columns]
    if absent:
        raise ValueError(f"the table has no column {', '.join(absent)}")


def load_data(path: str | Path) -> pd.DataFrame:
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path}")
    try:
        df = pd.read_csv(path, na_values=["NA", ""], keep_default_na=False, encoding="utf-8-sig", low_memory=False)
    except pd.errors.EmptyDataError:
        df = pd.DataFrame()
    require_columns(df, ["Id", *COLUMNS])
    df = df.set_index("Id")
    if not df.index.is_unique:
        log.warning("%s: some Ids occur more than once", path)
    log.info("%s: %d houses, %d columns", path, *df.shape)
    return df


def _numbers(column: pd.Series) -> pd.Series | None:
    if is_numeric_dtype(column) and not is_bool_dtype(column):
        return pd.Series(column.to_numpy("float64", na_value=np.nan))
    return None


def summarize(df: pd.DataFrame) -> pd.DataFrame:
    require_columns(df, [])
    measures = ["mean", "std", "min", "max", "skew"]
    rows = []
    for position in range(df.shape[1]):
        column = df.iloc[:, position]
        missing = int(column.isna().sum())
        x = _numbers(column)
        values = [np.nan] * len(measures) if x is None else x.agg(measures).tolist()
        share = missing / len(column) if len(column) else 0.0
        rows.append((str(column.dtype), missing, 100 * share, column.nunique(dropna=True), *values))
    return pd.DataFrame(rows, index=df.columns, columns=["dtype", "missing", "missing_pct", "unique", *measures])


def top_correlations(df: pd.DataFrame, target: str = TARGET, k: int = 10) -> pd.Series:
    require_columns(df, [target])
    if k < 0:
        raise ValueError(f"k must not be negative, and it is {k}")
    y = _numbers(df[target])
    if y is None:
        raise TypeError(f"{target} holds no numbers")
    rs: dict[str, float] = {}
    for name in df.columns.drop(target):
        x = _numbers(df[name])
        if x is None:
            continue
        both = x.notna() & y.notna()
        if both.sum() < 2 or np.ptp(x[both]) == 0 or np.ptp(y[both]) == 0:
            log.debug("%s does not vary: no correlation", name)
            continue
        rs[name] = x[both].corr(y[both])
    ranked = sorted(rs, key=lambda name: abs(rs[name]), reverse=True)
    return pd.Series({name: rs[name] for name in ranked[:k]}, dtype="float64")


def _prices(df: pd.DataFrame) -> np.ndarray:
    require_columns(df, [TARGET])
    prices = _numbers(df[TARGET])
    if prices is None:
        raise TypeError(f"{TARGET} holds no numbers")
    return prices.to_numpy()


def plot_target(df: pd.DataFrame) -> Figure:
    prices = _prices(df)
    if np.isnan(prices).any():
        log.warning("houses without a price are not drawn")
        prices = prices[~np.isnan(prices)]
    figure, axes = plt.subplots(1, 2, figsize=(10, 4))
    axes[0].hist(prices, bins=35, color="teal")
    axes[0].set(title="Sale prices", xlabel="SalePrice in dollars", ylabel="houses")
    axes[1].hist(np.log1p(prices), bins=35, color="teal")
    axes[1].set(title="Log of the sale prices", xlabel="log1p(SalePrice in dollars)", ylabel="houses")
    figure.tight_layout()
    return figure


def plot_relationships(df: pd.DataFrame, features: list[str]) -> Figure:
    if not features:
        raise ValueError("name at least one feature")
    require_columns(df, features)
    prices = _prices(df)
    columns = min(len(features), 4)
    rows = int(np.ceil(len(features) / columns))
    figure, axes = plt.subplots(rows, columns, figsize=(3.6 * columns, 3.4 * rows), squeeze=False)
    for index, axis in enumerate(axes.ravel()):
        if index >= len(features):
            figure.delaxes(axis)
            continue
        x = _numbers(df[features[index]])
        if x is None:
            raise TypeError(f"{features[index]} holds no numbers")
        axis.scatter(x.to_numpy(), prices, s=8, alpha=0.4, color="teal")
        axis.set(xlabel=features[index], ylabel=TARGET, title=features[index])
    figure.tight_layout()
    return figure
