"""What becomes of a column stands in tables: its kind, its words, how a kind is read."""

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype
from sklearn.exceptions import NotFittedError

TARGET = "SalePrice"

WORDS = {
    "quality": {"Po": 1, "Fa": 2, "TA": 3, "Gd": 4, "Ex": 5},
    "exposure": {"No": 1, "Mn": 2, "Av": 3, "Gd": 4},
    "basement": {"Unf": 1, "LwQ": 2, "Rec": 3, "BLQ": 4, "ALQ": 5, "GLQ": 6},
    "garage": {"Unf": 1, "RFn": 2, "Fin": 3},
    "functional": {"Sal": 1, "Sev": 2, "Maj2": 3, "Maj1": 4, "Mod": 5, "Min2": 6, "Min1": 7, "Typ": 8},
    "shape": {"IR3": 1, "IR2": 2, "IR1": 3, "Reg": 4},
    "paved": {"N": 1, "P": 2, "Y": 3},
}
# what NA says in a column: nan is a hole
LADDERS = {
    **{c: (WORDS["quality"], np.nan) for c in ("ExterQual", "ExterCond", "HeatingQC", "KitchenQual")},
    **{c: (WORDS["quality"], 0) for c in "BsmtQual BsmtCond FireplaceQu GarageQual GarageCond PoolQC".split()},
    **{c: (WORDS["basement"], 0) for c in ("BsmtFinType1", "BsmtFinType2")},
    "BsmtExposure": (WORDS["exposure"], 0),
    "GarageFinish": (WORDS["garage"], 0),
    "Functional": (WORDS["functional"], np.nan),
    "LotShape": (WORDS["shape"], np.nan),
    "PavedDrive": (WORDS["paved"], np.nan),
}
CATEGORIES = {c: "none" for c in ("Alley", "GarageType", "Fence", "MiscFeature")} | {
    c: None
    for c in """MSSubClass MSZoning Street LandContour Utilities LotConfig LandSlope Neighborhood Condition1 Condition2
    BldgType HouseStyle RoofStyle RoofMatl Exterior1st Exterior2nd MasVnrType Foundation Heating CentralAir Electrical
    SaleType SaleCondition""".split()
}
NUMBERS = set(
    """LotFrontage LotArea OverallQual OverallCond YearBuilt YearRemodAdd MasVnrArea BsmtFinSF1 BsmtFinSF2 BsmtUnfSF
    TotalBsmtSF 1stFlrSF 2ndFlrSF LowQualFinSF GrLivArea BsmtFullBath BsmtHalfBath FullBath HalfBath BedroomAbvGr
    KitchenAbvGr TotRmsAbvGrd Fireplaces GarageYrBlt GarageCars GarageArea WoodDeckSF OpenPorchSF EnclosedPorch
    3SsnPorch ScreenPorch PoolArea MiscVal MoSold YrSold""".split()
)
KINDS = dict.fromkeys(LADDERS, "ladder") | dict.fromkeys(CATEGORIES, "category") | dict.fromkeys(NUMBERS, "number")

INSTEAD = {  # column of numbers -> another column, and what its words say about a hole
    "MasVnrArea": ("MasVnrType", {"None": 0.0}),
}


def split(df, val_fraction=0.2, seed=0):
    n = len(df)
    order = np.random.Generator(np.random.PCG64(seed)).permuted(np.arange(n))
    parts = {"val": order[: round(val_fraction * n)], "train": order[round(val_fraction * n) :]}
    return df.iloc[parts["train"]], df.iloc[parts["val"]]


def target(df):
    return df[TARGET].astype("float64").map(np.log1p).astype("float32")


def to_price(y):
    return np.expm1(np.asarray(y, dtype="float64"))


def read_number(df, column, seen):
    values = pd.to_numeric(df[column].astype(object), errors="coerce").astype("float64")
    values = values.replace({np.inf: np.nan, -np.inf: np.nan})
    other, says = INSTEAD.get(column, (None, {}))
    return values.fillna(df[other].astype(object).map(says).astype("float64")) if other in seen else values


def read_ladder(df, column, seen):
    rungs, empty = LADDERS[column]
    values = df[column].astype(object).map(rungs).astype("float64")
    return values.mask(df[column].isna(), empty)


def read_category(df, column, seen):
    write = "{:g}".format if is_numeric_dtype(df[column]) else str
    words = df[column].map(write, na_action="ignore").astype(object)
    hole = CATEGORIES.get(column)
    return words.where(df[column].notna(), hole)


READ = {"number": read_number, "ladder": read_ladder, "category": read_category}
ENCODE = {
    "number": lambda column, values, known: {column: values.fillna(known)},
    "ladder": lambda column, values, known: {
        column: values.fillna(known),
        f"{column} squared": values.fillna(known) ** 2,
    },
    "category": lambda column, values, known: {f"{column}={v}": values.eq(v).astype("float64") for v in known},
}


def middle(values):
    return values.median() if values.notna().any() else 0.0


LEARN = {
    "number": middle,
    "ladder": middle,
    "category": lambda values: list(values[values.notna()].value_counts().index),
}


class Preprocessor:
    fitted = None

    def fit(self, df):
        by_dtype = {True: "number", False: "category"}
        kinds = {c: KINDS.get(c, by_dtype[is_numeric_dtype(df[c])]) for c in df.columns if c not in {"Id", TARGET}}
        known = {c: LEARN[kind](READ[kind](df, c, kinds)) for c, kind in kinds.items()}
        self.fitted = {"kinds": kinds, "known": known}
        raw = self._encode(df)
        varies = raw.max() > raw.min()
        self.fitted["center"] = raw.mean().where(varies, raw.min())
        self.fitted["scale"] = raw.std().where(varies, 1.0)
        self.feature_names_ = raw.columns.tolist()
        return self

    def _encode(self, df):
        features = {}
        for c, kind in self.fitted["kinds"].items():
            features |= ENCODE[kind](c, READ[kind](df, c, self.fitted["kinds"]), self.fitted["known"][c])
        return pd.DataFrame(features, index=df.index, dtype="float64")

    def transform(self, df):
        if self.fitted is None:
            raise NotFittedError("nothing has been fitted")
        if absent := self.fitted["kinds"].keys() - set(df.columns):
            raise ValueError(f"these columns are absent: {absent}")
        z = (self._encode(df) - self.fitted["center"]) / self.fitted["scale"]
        return z.clip(-1e20, 1e20).astype("float32")

    def fit_transform(self, df):
        return self.fit(df).transform(df)
