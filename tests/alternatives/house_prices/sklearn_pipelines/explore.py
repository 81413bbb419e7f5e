"""Look at the houses with pandas and pyplot."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

COLUMNS = (
    "MSSubClass MSZoning LotFrontage LotArea Street Alley LotShape LandContour Utilities LotConfig LandSlope "
    "Neighborhood Condition1 Condition2 BldgType HouseStyle OverallQual OverallCond YearBuilt YearRemodAdd RoofStyle "
    "RoofMatl Exterior1st Exterior2nd MasVnrType MasVnrArea ExterQual ExterCond Foundation BsmtQual BsmtCond "
    "BsmtExposure BsmtFinType1 BsmtFinSF1 BsmtFinType2 BsmtFinSF2 BsmtUnfSF TotalBsmtSF Heating HeatingQC CentralAir "
    "Electrical 1stFlrSF 2ndFlrSF LowQualFinSF GrLivArea BsmtFullBath BsmtHalfBath FullBath HalfBath BedroomAbvGr "
    "KitchenAbvGr KitchenQual TotRmsAbvGrd Functional Fireplaces FireplaceQu GarageType GarageYrBlt GarageFinish "
    "GarageCars GarageArea GarageQual GarageCond PavedDrive WoodDeckSF OpenPorchSF EnclosedPorch 3SsnPorch "
    "ScreenPorch PoolArea PoolQC Fence MiscFeature MiscVal MoSold YrSold SaleType SaleCondition"
).split()


def load_data(path):
    df = pd.read_csv(path, keep_default_na=False, na_values=["NA", ""])
    absent = [name for name in ["Id", *COLUMNS] if name not in df.columns]
    if absent:
        raise ValueError(f"{path} lacks the columns {absent}")
    return df.set_index("Id")


def summarize(df):
    summary = pd.DataFrame(
        {
            "dtype": df.dtypes.astype(str),
            "missing": df.isna().sum(),
            "missing_pct": df.isna().mean() * 100,
            "unique": df.nunique(),
        }
    )
    numbers = df.select_dtypes("number").astype("float64")
    statistics = numbers.agg(["mean", "std", "min", "max", "skew"]).T
    return summary.join(statistics)


def top_correlations(df, target="SalePrice", k=10):
    correlations = df.corr(numeric_only=True)[target].drop(target).dropna()
    return correlations.sort_values(key=abs, ascending=False).head(k)


def plot_target(df):
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4))
    left.hist(df["SalePrice"], bins=30, edgecolor="white")
    left.set(title="Sale prices", xlabel="SalePrice (dollars)", ylabel="houses")
    right.hist(np.log1p(df["SalePrice"]), bins=30, color="tab:orange", edgecolor="white")
    right.set(title="Their logarithm", xlabel="log1p(SalePrice)", ylabel="houses")
    figure.tight_layout()
    return figure


def plot_relationships(df, features):
    rows = -(-len(features) // 3)
    figure, axes = plt.subplots(rows, 3, figsize=(12, 3.5 * rows), squeeze=False)
    for axis in axes.flat[len(features) :]:
        axis.set_axis_off()
    for axis, feature in zip(axes.flat, features, strict=False):
        axis.scatter(df[feature], df["SalePrice"], s=10, alpha=0.5)
        axis.set_xlabel(feature)
        axis.set_ylabel("SalePrice")
    figure.tight_layout()
    return figure
