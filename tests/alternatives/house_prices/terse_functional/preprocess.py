"""One float64 matrix from blocks of numbers, rungs, flags, logarithms and indicators; then (x - mean) / std."""

import numpy as np
import pandas as pd

Q = "Po Fa TA Gd Ex"
RUNGS = dict.fromkeys("ExterQual ExterCond HeatingQC KitchenQual".split(), Q)
RUNGS |= dict.fromkeys("BsmtQual BsmtCond FireplaceQu GarageQual GarageCond PoolQC".split(), "? " + Q)
RUNGS |= {"BsmtExposure": "? No Mn Av Gd", "GarageFinish": "? Unf RFn Fin"}
RUNGS |= dict.fromkeys(("BsmtFinType1", "BsmtFinType2"), "? Unf LwQ Rec BLQ ALQ GLQ")
RUNGS |= {"Functional": "Sal Sev Maj2 Maj1 Mod Min2 Min1 Typ"}
RUNGS |= {"LandSlope": "Sev Mod Gtl", "PavedDrive": "N P Y", "LotShape": "IR3 IR2 IR1 Reg", "CentralAir": "N Y"}
NONE = ["Alley", "GarageType", "Fence", "MiscFeature"]  # categories in which NA is a value


def split(df, val_fraction=0.2, seed=0):
    order = np.argsort(np.random.default_rng(seed).random(len(df)))
    n = int(np.rint(val_fraction * len(df)))
    return df.iloc[order[n:]], df.iloc[order[:n]]


def target(df):
    return df["SalePrice"].astype("float64").map(np.log1p).astype(np.float32)


def to_price(y):
    return np.expm1(np.asarray(y, np.float64))


def numbers(df, c):
    """(n,) float64, holes are NaN."""
    if c in RUNGS:
        rungs = {word: float(i) for i, word in enumerate(RUNGS[c].split())}
        return df[c].astype("object").where(df[c].notna(), "?").map(rungs).to_numpy("float64")
    x = pd.to_numeric(df[c], errors="coerce").to_numpy("float64", na_value=np.nan)
    x = np.where(np.isfinite(x), x, np.nan)
    bare = (
        (df["MasVnrType"] == "None").to_numpy(bool, na_value=False)
        if c == "MasVnrArea" and "MasVnrType" in df
        else False
    )
    return np.where(np.isnan(x) & bare, 0.0, x)


def words(df, c):
    """(n, 1) text, holes are empty."""
    text = (lambda v: f"{float(v):g}") if c == "MSSubClass" else str
    hole = "none" if c in NONE else ""
    return np.array([hole if pd.isna(v) else text(v) for v in df[c]], dtype=object)[:, None]


class Preprocessor:
    """Extras: a flag for each number with holes, a logarithm of each number that is never negative."""

    def fit(self, df):
        columns = [c for c in df if c not in ("SalePrice", "Id")]
        is_number = pd.api.types.is_numeric_dtype
        self.numeric = [c for c in columns if c in RUNGS or (is_number(df[c]) and c not in ("MSSubClass", *NONE))]
        X = {c: numbers(df, c) for c in self.numeric}
        self.medians = {c: np.median(x[~np.isnan(x)]) if not np.isnan(x).all() else 0.0 for c, x in X.items()}
        self.flagged = [c for c, x in X.items() if c not in RUNGS and np.isnan(x).any()]
        self.logged = [c for c, x in X.items() if c not in RUNGS and np.nanmin(x, initial=np.inf) >= 0]
        self.seen = {c: np.array(sorted(set(words(df, c).flat) - {""}), object) for c in columns if c not in X}
        self.columns = columns
        self.feature_names_ = [*self.numeric, *(f"missing {c}" for c in self.flagged)]
        self.feature_names_ += [
            *(f"log {c}" for c in self.logged),
            *(f"{c} is {v}" for c in self.seen for v in self.seen[c]),
        ]
        M = self._matrix(df)
        self.mu, self.sigma = M.mean(0), M.std(0)
        same = np.ptp(M, axis=0) == 0
        self.mu[same], self.sigma[same] = M[0, same], np.inf  # always 0, later values too
        return self

    def _matrix(self, df):
        own = df[self.columns]
        raw = {c: numbers(own, c) for c in self.numeric}
        full = {c: np.where(np.isnan(x), self.medians[c], x) for c, x in raw.items()}
        blocks = [x[:, None] for x in full.values()]
        blocks += [np.isnan(raw[c])[:, None] for c in self.flagged]
        blocks += [np.log1p(full[c].clip(0))[:, None] for c in self.logged]
        blocks += [words(own, c) == values for c, values in self.seen.items()]
        return np.hstack(blocks).astype(np.float64)

    def transform(self, df):
        z = (self._matrix(df) - self.mu) / self.sigma
        return pd.DataFrame(z.astype(np.float32), index=df.index, columns=self.feature_names_)

    def fit_transform(self, df):
        return self.fit(df).transform(df)
