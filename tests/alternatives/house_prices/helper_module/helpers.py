"""What the tasks share: columns and their kinds, the encoder of tables, a pass over a loader, folds, figures."""

import numpy as np
import pandas as pd
import torch
from matplotlib import pyplot as plt
from pandas.api import types
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

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

NONE, HOLE = "none", "\0"
GRADES = ["Po", "Fa", "TA", "Gd", "Ex"]
LADDERS = {
    **dict.fromkeys(["ExterQual", "ExterCond", "HeatingQC", "KitchenQual"], GRADES),
    **dict.fromkeys(["BsmtQual", "BsmtCond", "FireplaceQu", "GarageQual", "GarageCond", "PoolQC"], [NONE, *GRADES]),
    **dict.fromkeys(["BsmtFinType1", "BsmtFinType2"], [NONE, "Unf", "LwQ", "Rec", "BLQ", "ALQ", "GLQ"]),
    "BsmtExposure": [NONE, "No", "Mn", "Av", "Gd"],
    "GarageFinish": [NONE, "Unf", "RFn", "Fin"],
    "Functional": ["Sal", "Sev", "Maj2", "Maj1", "Mod", "Min2", "Min1", "Typ"],
}
CATEGORIES_WITH_NONE = ["Alley", "GarageType", "Fence", "MiscFeature"]
HAS_NONE = {name for name, words in LADDERS.items() if NONE in words}.union(CATEGORIES_WITH_NONE)


# tables


def is_number(column):
    return types.is_numeric_dtype(column.dtype)


def numbers_of(df):
    names = [name for name in df.columns if is_number(df[name])]
    return df[names].astype("float64")


def kind(column):
    """"ladder", "category" or "number"."""
    if column.name in LADDERS:
        return "ladder"
    if column.name in CATEGORIES_WITH_NONE or column.name == "MSSubClass":
        return "category"
    return "number" if is_number(column) else "category"


def clean_words(column, hole):
    def text(value):
        if pd.isna(value):
            return NONE if column.name in HAS_NONE else hole
        return f"{value:g}" if is_number(column) else str(value)

    return column.map(text).astype("object")


def clean_numbers(column):
    return pd.to_numeric(column, errors="coerce").astype("float64").replace([np.inf, -np.inf], np.nan)


def clean(df, kinds):
    """The columns in `kinds`, with words and numbers in one form each; `df` stays as it is."""
    out = {}
    for name, what in kinds.items():
        if what == "number":
            out[name] = clean_numbers(df[name])
        else:
            out[name] = clean_words(df[name], hole=HOLE)
    if "MasVnrArea" in kinds and "MasVnrType" in df:
        no_veneer = df["MasVnrType"].map(lambda word: isinstance(word, str) and word == "None").astype(bool)
        out["MasVnrArea"] = out["MasVnrArea"].where(~(no_veneer & out["MasVnrArea"].isna()), 0.0)
    return pd.DataFrame(out, index=df.index)


def encoder(table, kinds):
    """An unfitted scikit-learn pipeline for a cleaned table."""
    by = {what: [name for name, k in kinds.items() if k == what] for what in ("number", "ladder", "category")}
    values = [sorted(set(table[name]) - {HOLE}) or [NONE] for name in by["category"]]
    rungs = OrdinalEncoder(
        categories=[LADDERS[name] for name in by["ladder"]], handle_unknown="use_encoded_value", unknown_value=np.nan
    )
    median = SimpleImputer(strategy="median", keep_empty_features=True)
    indicators = OneHotEncoder(categories=values, handle_unknown="ignore", sparse_output=False)
    columns = ColumnTransformer(
        [
            ("numbers", median, by["number"]),
            ("ladders", make_pipeline(rungs, SimpleImputer(strategy="median", keep_empty_features=True)), by["ladder"]),
            ("categories", indicators, by["category"]),
        ],
        verbose_feature_names_out=False,
    )
    return make_pipeline(columns, StandardScaler())


# loaders


def every_row(loader, accelerator, step):
    """Runs `step(x, y)` on each batch; yields its answer and the targets of all processes' rows, repeats left out."""
    for x, y in loader:
        yield accelerator.gather_for_metrics((step(x, y).detach().float(), y))


# scores


def vectors(*values):
    """All as float64 (n,), or ValueError."""
    arrays = []
    for v in values:
        v = v.detach().cpu().double().numpy() if isinstance(v, torch.Tensor) else np.asarray(v, dtype="float64")
        arrays.append(np.squeeze(v, axis=1) if v.ndim == 2 and v.shape[1] == 1 else v)
    if any(a.ndim != 1 or len(a) == 0 or len(a) != len(arrays[0]) for a in arrays):
        raise ValueError(f"expected vectors of the same length, found shapes {[a.shape for a in arrays]}")
    return arrays


def over_folds(n, k, seed, score):
    """`score(training rows, held out rows)` of each of k folds."""
    return np.array([score(*rows) for rows in KFold(k, shuffle=True, random_state=seed).split(np.empty(n))])


def mean_and_spread(scores):
    return {"rmse_log_mean": float(scores.mean()), "rmse_log_std": float(scores.std())}


# figures


def panels(n, across=4, size=3.2):
    """A figure with n axes."""
    across = min(n, across)
    down = (n - 1) // across + 1
    figure, axes = plt.subplots(down, across, figsize=(size * across + 1, size * down), squeeze=False)
    for spare in axes.flat[n:]:
        spare.remove()
    figure.set_layout_engine("tight")
    return figure, axes.flat[:n]


def annotate(axis, title, x, y):
    axis.set(title=title, xlabel=x, ylabel=y)
    axis.grid(alpha=0.25)
