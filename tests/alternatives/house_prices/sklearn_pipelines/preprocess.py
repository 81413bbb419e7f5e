"""A ColumnTransformer for ladders, numbers and categories, and a StandardScaler behind it."""

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.utils.validation import check_is_fitted

QUALITY = ["Po", "Fa", "TA", "Gd", "Ex"]
FINISHED = ["none", "Unf", "LwQ", "Rec", "BLQ", "ALQ", "GLQ"]
LADDERS = {
    **dict.fromkeys(["ExterQual", "ExterCond", "HeatingQC", "KitchenQual"], QUALITY),
    **{name: ["none", *QUALITY] for name in ["BsmtQual", "BsmtCond", "FireplaceQu"]},
    **{name: ["none", *QUALITY] for name in ["GarageQual", "GarageCond", "PoolQC"]},
    "BsmtExposure": ["none", "No", "Mn", "Av", "Gd"],
    "BsmtFinType1": FINISHED,
    "BsmtFinType2": FINISHED,
    "GarageFinish": ["none", "Unf", "RFn", "Fin"],
    "Functional": ["Sal", "Sev", "Maj2", "Maj1", "Mod", "Min2", "Min1", "Typ"],
}
NONE_CATEGORIES = ["Alley", "GarageType", "Fence", "MiscFeature"]
NONE = {*NONE_CATEGORIES, *(name for name, rungs in LADDERS.items() if rungs[0] == "none")}
HOLE = "<not recorded>"


def split(df, val_fraction=0.2, seed=0):
    train, val = train_test_split(df, test_size=val_fraction, random_state=seed, shuffle=True)
    return train, val


def target(df):
    return np.log1p(df["SalePrice"]).astype("float32")


def to_price(y):
    return np.expm1(np.asarray(y, dtype="float64"))


def as_word(value):
    return f"{value:g}" if isinstance(value, (int, float, np.number)) else str(value)


class Preprocessor(BaseEstimator):
    """Encode, fill and standardise."""

    def fit(self, df):
        columns = [name for name in df.columns if name not in ("Id", "SalePrice")]
        ladders = [name for name in columns if name in LADDERS]
        codes = ["MSSubClass", *NONE_CATEGORIES]
        numbers = [
            name
            for name in columns
            if name not in ladders and name not in codes and pd.api.types.is_numeric_dtype(df[name])
        ]
        self.columns_, self.numbers_ = columns, numbers
        table = self._tidy(df)
        seen = {
            name: sorted(set(table[name]) - {HOLE}) for name in columns if name not in ladders and name not in numbers
        }
        seen = {name: words for name, words in seen.items() if words}
        ordinal = OrdinalEncoder(
            categories=[LADDERS[name] for name in ladders],
            handle_unknown="use_encoded_value",
            unknown_value=np.nan,
        )
        one_hot = OneHotEncoder(categories=list(seen.values()), handle_unknown="ignore", sparse_output=False)
        median = SimpleImputer(strategy="median", keep_empty_features=True)
        encode = ColumnTransformer(
            [
                ("number", median, numbers),
                ("ladder", make_pipeline(ordinal, median), ladders),
                ("category", one_hot, list(seen)),
            ]
        )
        self.pipeline_ = make_pipeline(encode, StandardScaler()).fit(table)
        self.feature_names_ = list(encode.get_feature_names_out())
        return self

    def _tidy(self, df):
        """A new table: numbers as float64, everything else as words."""
        absent = [name for name in self.columns_ if name not in df.columns]
        if absent:
            raise ValueError(f"columns {absent} are missing")
        tidy = {}
        for name in self.columns_:
            if name in self.numbers_:
                tidy[name] = (
                    pd.to_numeric(df[name], errors="coerce").astype("float64").replace([np.inf, -np.inf], np.nan)
                )
            else:
                known, hole = df[name].notna(), "none" if name in NONE else HOLE
                words = [as_word(v) if k else hole for v, k in zip(df[name], known, strict=True)]
                tidy[name] = pd.Series(words, index=df.index, dtype="object")
        table = pd.DataFrame(tidy, index=df.index)
        if "MasVnrArea" in table and "MasVnrType" in table:
            bare = (table["MasVnrType"] == "None") & table["MasVnrArea"].isna()
            table["MasVnrArea"] = table["MasVnrArea"].mask(bare, 0.0)
        return table

    def transform(self, df):
        check_is_fitted(self, "pipeline_")
        z = self.pipeline_.transform(self._tidy(df))
        return pd.DataFrame(z, index=df.index, columns=self.feature_names_).astype("float32")

    def fit_transform(self, df):
        return self.fit(df).transform(df)
