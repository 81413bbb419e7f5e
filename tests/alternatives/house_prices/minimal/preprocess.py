import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype
from sklearn.exceptions import NotFittedError

TARGET = "SalePrice"
NONE = set(
    "Alley BsmtQual BsmtCond BsmtExposure BsmtFinType1 BsmtFinType2 FireplaceQu GarageType GarageFinish GarageQual "
    "GarageCond PoolQC Fence MiscFeature".split()
)
LADDERS = {
    "ExterQual ExterCond HeatingQC KitchenQual BsmtQual BsmtCond FireplaceQu GarageQual GarageCond PoolQC": (
        "Po Fa TA Gd Ex"
    ),
    "BsmtExposure": "No Mn Av Gd",
    "BsmtFinType1 BsmtFinType2": "Unf LwQ Rec BLQ ALQ GLQ",
    "GarageFinish": "Unf RFn Fin",
    "Functional": "Sal Sev Maj2 Maj1 Mod Min2 Min1 Typ",
}
RUNGS = {c: {w: i for i, w in enumerate(ws.split(), 1)} for cs, ws in LADDERS.items() for c in cs.split()}


def split(df, val_fraction=0.2, seed=0):
    order = np.random.default_rng(seed).permutation(len(df))
    n = round(len(df) * val_fraction)
    return df.iloc[order[n:]], df.iloc[order[:n]]


def target(df):
    return np.log1p(df[TARGET].astype("float64")).astype("float32")


def to_price(y):
    return np.expm1(np.asarray(y, "float64"))


def words(s):
    """Text of a category; a hole stays None, and 60.0 is 60."""
    hole = "none" if s.name in NONE else None
    text = (lambda v: f"{v:g}") if is_numeric_dtype(s) else str
    return pd.Series([hole if pd.isna(v) else text(v) for v in s], s.index, "object")


class Preprocessor:
    def fit(self, df):
        self.columns_ = [c for c in df if c not in ("Id", TARGET)]
        self.categories_ = {
            c: sorted(words(df[c]).dropna().unique())
            for c in self.columns_
            if c not in RUNGS and (c in NONE or c == "MSSubClass" or not is_numeric_dtype(df[c]))
        }
        raw = self._raw(df)
        self.fill_ = raw.median().fillna(0)
        raw = raw.fillna(self.fill_)
        self.mean_, self.std_ = raw.mean(), raw.std(ddof=0).where(raw.max() > raw.min(), 1)
        self.mean_ = self.mean_.where(raw.max() > raw.min(), raw.min())  # exact where nothing varies
        self.feature_names_ = list(raw)
        return self

    def _raw(self, df):
        out = {}
        for c in self.columns_:
            s = df[c]
            if c in self.categories_:
                w = words(s)
                out |= {f"{c}={v}": (w == v).astype(float) for v in self.categories_[c]}
            elif c in RUNGS:
                out[c] = s.astype("object").map(RUNGS[c]).astype(float)
                if c in NONE:
                    out[c] = out[c].mask(s.isna(), 0)
            else:
                out[c] = pd.to_numeric(s, errors="coerce").astype(float).replace([np.inf, -np.inf], np.nan)
                if c == "MasVnrArea" and "MasVnrType" in self.columns_:
                    out[c] = out[c].mask(out[c].isna() & (df["MasVnrType"] == "None"), 0)
        return pd.DataFrame(out, index=df.index)

    def transform(self, df):
        if not hasattr(self, "mean_"):
            raise NotFittedError("call fit first")
        if absent := [c for c in self.columns_ if c not in df]:
            raise ValueError(f"missing columns: {absent}")
        z = (self._raw(df).fillna(self.fill_) - self.mean_) / self.std_
        return z.clip(-1e30, 1e30).astype("float32")

    def fit_transform(self, df):
        return self.fit(df).transform(df)
