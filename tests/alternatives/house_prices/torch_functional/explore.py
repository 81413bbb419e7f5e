"""Task 1: pandas reads and draws, torch computes."""

import os

import matplotlib.pyplot as plt
import pandas as pd
import torch
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


def load_data(path: str | os.PathLike) -> pd.DataFrame:
    df = pd.read_csv(path, na_values={"NA", ""}, keep_default_na=False)
    if absent := [name for name in ("Id", *COLUMNS) if name not in set(df)]:
        raise ValueError(f"{len(absent)} columns are absent: {' '.join(absent)}")
    return df.set_index("Id")


def as_tensor(values: pd.Series) -> torch.Tensor:
    """float64, NaN for what is missing."""
    return torch.from_numpy(values.to_numpy("float64", na_value=float("nan")).copy())


def numeric(df: pd.DataFrame) -> list[bool]:
    return [pd.api.types.is_numeric_dtype(dtype) for dtype in df.dtypes]


def moments(x: torch.Tensor) -> list[float]:
    """mean, std, min, max, skew (bias-corrected)."""
    x = x[~x.isnan()]
    n = x.numel()
    if n == 0:
        return [float("nan")] * 5
    away = x - x.mean()
    m2, m3 = away.pow(2).mean(), away.pow(3).mean()
    skew = float("nan")
    if n > 2:
        skew = 0.0 if x.min() == x.max() else float(m3 / m2**1.5) * (n * (n - 1)) ** 0.5 / (n - 2)
    std = x.std().item() if n > 1 else float("nan")
    return [x.mean().item(), std, x.min().item(), x.max().item(), skew]


def summarize(df: pd.DataFrame) -> pd.DataFrame:
    nothing = [float("nan")] * 5
    columns = [df.iloc[:, i] for i in range(len(df.columns))]
    holes = torch.from_numpy(df.isna().to_numpy(bool).copy()).sum(dim=0)
    numbers = [moments(as_tensor(c)) if is_number else nothing for c, is_number in zip(columns, numeric(df))]
    return pd.DataFrame(
        {
            "dtype": [str(c.dtype) for c in columns],
            "missing": holes.tolist(),
            "missing_pct": (100 * holes.double() / len(df)).tolist(),
            "unique": [len(c.dropna().unique()) for c in columns],
            **{how: [row[i] for row in numbers] for i, how in enumerate(("mean", "std", "min", "max", "skew"))},
        },
        index=df.columns,
    )


def top_correlations(df: pd.DataFrame, target: str = TARGET, k: int = 10) -> pd.Series:
    y = as_tensor(df[target])
    names, rs = [], []
    for name in df.columns[numeric(df)].drop(target):
        xy = torch.stack([as_tensor(df[name]), y])
        xy = xy[:, ~xy.isnan().any(dim=0)]
        if xy.size(1) > 1 and (xy.amax(1) > xy.amin(1)).all():
            names.append(name)
            rs.append(torch.corrcoef(xy)[0, 1].item())
    rs = torch.tensor(rs, dtype=torch.float64)
    best = rs.abs().topk(min(k, len(names))).indices.tolist()
    return pd.Series(rs[best].tolist(), index=[names[i] for i in best], dtype="float64")


def density(axis: plt.Axes, values: torch.Tensor, name: str) -> None:
    heights, edges = torch.histogram(values, bins=30, density=True)
    axis.bar(edges[:-1].tolist(), heights.tolist(), width=edges.diff().tolist(), align="edge", edgecolor="white")
    axis.set_title(f"{name} of {len(values)} houses")
    axis.set_xlabel(name)
    axis.set_ylabel("density")


def plot_target(df: pd.DataFrame) -> Figure:
    prices = as_tensor(df[TARGET])
    prices = prices[~prices.isnan()]
    figure, (left, right) = plt.subplots(ncols=2, figsize=(11, 4), constrained_layout=True)
    density(left, prices, "SalePrice")
    density(right, prices.log1p(), "log1p(SalePrice)")
    return figure


def plot_relationships(df: pd.DataFrame, features: list[str]) -> Figure:
    figure = plt.figure(figsize=(9, 3 * ((len(features) + 1) // 2)), constrained_layout=True)
    prices = as_tensor(df[TARGET]).numpy()
    for i, feature in enumerate(features):
        axis = figure.add_subplot((len(features) + 1) // 2, 2, i + 1, xlabel=feature, ylabel=TARGET)
        axis.plot(as_tensor(df[feature]).numpy(), prices, linestyle="none", marker="o", markersize=2.5, alpha=0.5)
    return figure
