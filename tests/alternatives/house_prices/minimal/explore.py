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
    df = pd.read_csv(path, keep_default_na=False, na_values=["NA", ""])
    absent = [c for c in ["Id", *COLUMNS] if c not in df]
    if absent:
        raise ValueError(f"missing columns: {', '.join(absent)}")
    return df.set_index("Id")


def summarize(df):
    num = df.select_dtypes("number").astype(float)
    out = pd.DataFrame({"dtype": df.dtypes, "missing": df.isna().sum(), "unique": df.nunique()}, index=df.columns)
    out.insert(2, "missing_pct", 100 * df.isna().mean())
    for stat in ("mean", "std", "min", "max", "skew"):
        out[stat] = getattr(num, stat)().reindex(df.columns)
    return out


def top_correlations(df, target=TARGET, k=10):
    r = df.select_dtypes("number").astype(float).corr()[target].drop(target).dropna()
    return r.sort_values(key=abs, ascending=False).head(k)


def plot_target(df):
    fig, axes = plt.subplots(1, 2, figsize=(10, 4))
    for ax, x, label in zip(axes, (df[TARGET], np.log1p(df[TARGET])), ("SalePrice", "log1p(SalePrice)")):
        ax.hist(x, bins=30)
        ax.set(title=label, xlabel=label, ylabel="houses")
    return fig


def plot_relationships(df, features):
    fig, axes = plt.subplots(1, len(features), figsize=(4 * len(features), 4), squeeze=False)
    for ax, f in zip(axes[0], features):
        ax.scatter(df[f], df[TARGET], s=5)
        ax.set(xlabel=f, ylabel=TARGET)
    return fig
