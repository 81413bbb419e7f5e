"""Each table or figure is a dictionary of what stands in it."""

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

COUNTS = {
    "dtype": lambda df: df.dtypes.map(lambda dtype: dtype.name),
    "missing": lambda df: df.isna().sum().astype(int),
    "missing_pct": lambda df: df.isna().sum() * 100.0 / (len(df) or np.nan),
    "unique": lambda df: df.apply(lambda column: column.nunique(), result_type="reduce"),
}
STATISTICS = {
    "mean": lambda numbers: numbers.mean(),
    "std": lambda numbers: numbers.var(ddof=1) ** 0.5,
    "min": lambda numbers: numbers.min(),
    "max": lambda numbers: numbers.max(),
    "skew": lambda numbers: numbers.skew(),
}


def number_or_word(column):
    try:
        return pd.to_numeric(column)
    except (ValueError, TypeError):
        return column


def load_data(path):
    cells = pd.read_csv(path, dtype=str, keep_default_na=False)
    absent = [name for name in ("Id", *COLUMNS) if name not in cells.columns]
    if absent:
        raise ValueError(f"{path} has no " + ", no ".join(absent))
    cells = cells.mask(cells.isin(["NA", ""]))
    return pd.DataFrame({name: number_or_word(cells[name]) for name in cells}).set_index("Id")


def summarize(df):
    numbers = df.select_dtypes("number").astype("float64")
    columns = {title: rule(df) for title, rule in COUNTS.items()}
    columns |= {title: rule(numbers).astype("float64") for title, rule in STATISTICS.items()}
    return pd.DataFrame({title: column.reindex(df.columns) for title, column in columns.items()}, index=df.columns)


def top_correlations(df, target=TARGET, k=10):
    numbers = df.select_dtypes("number").astype("float64")
    present = {name: numbers[[name, target]].dropna() for name in numbers.columns if name != target}
    r = {
        name: pair[name].corr(pair[target])
        for name, pair in present.items()
        if len(pair) > 1 and (pair.max() > pair.min()).all()
    }
    r = pd.Series(r, dtype="float64").dropna()
    return r.loc[r.abs().nlargest(k).index]


HISTOGRAMS = {
    "SalePrice": {"scale": lambda p: p, "xlabel": "dollars", "bins": 30},
    "log1p(SalePrice)": {"scale": lambda p: np.log1p(p), "xlabel": "log1p(dollars)", "bins": 30},
}


def plot_target(df):
    figure = plt.figure(figsize=(10, 4))
    for part, (title, what) in zip(figure.subfigures(1, len(HISTOGRAMS)), HISTOGRAMS.items()):
        axis = part.subplots()
        what["scale"](df[TARGET].astype("float64")).plot.hist(ax=axis, bins=what["bins"])
        axis.set(title=title, xlabel=what["xlabel"], ylabel="houses")
    return figure


def plot_relationships(df, features):
    n = len(features)
    shape = {"figsize": (1 + 3 * n, 3.5), "gridspec_kw": {"wspace": 0.25}}
    figure, axes = plt.subplots(1, n, sharey=True, squeeze=False, **shape)
    for feature, axis in dict(zip(features, axes[0])).items():
        axis.scatter(feature, TARGET, data=df, s=10, alpha=0.4)
        axis.set(xlabel=feature, ylabel=TARGET, title=f"{TARGET} by {feature}")
    return figure
