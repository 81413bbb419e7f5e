"""Task 2: houses as arrays of numbers."""

import numpy as np
import pandas as pd

TARGET = "SalePrice"

_GRADES = "Po Fa TA Gd Ex"
_FINISH = "Unf LwQ Rec BLQ ALQ GLQ"
# "-" in front: NA is a rung of its own, below the others.
_SCALES = {
    **{name: _GRADES for name in ("ExterQual", "ExterCond", "HeatingQC", "KitchenQual")},
    **{f"{part}{what}": f"- {_GRADES}" for part in ("Bsmt", "Garage") for what in ("Qual", "Cond")},
    "FireplaceQu": f"- {_GRADES}",
    "PoolQC": f"- {_GRADES}",
    "BsmtExposure": "- No Mn Av Gd",
    "BsmtFinType1": f"- {_FINISH}",
    "BsmtFinType2": f"- {_FINISH}",
    "GarageFinish": "- Unf RFn Fin",
    "Functional": "Sal Sev Maj2 Maj1 Mod Min2 Min1 Typ",
    "LandSlope": "Sev Mod Gtl",
    "PavedDrive": "N P Y",
}
_LADDERS = {name: np.array(words.split(), dtype=object) for name, words in _SCALES.items()}
_NONE_CATEGORIES = ("Alley", "GarageType", "Fence", "MiscFeature")


def split(df: pd.DataFrame, val_fraction: float = 0.2, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    order = np.argsort(np.random.default_rng(seed).random(len(df)))
    cut = len(df) - int(len(df) * val_fraction + 0.5)
    return df.iloc[order[:cut]], df.iloc[order[cut:]]


def target(df: pd.DataFrame) -> pd.Series:
    y = np.log1p(df[TARGET].to_numpy("float64", na_value=np.nan)).astype(np.float32)
    return pd.Series(y, index=df.index, name=TARGET)


def to_price(y) -> np.ndarray:
    return np.expm1(np.array(y, dtype=np.float64))


def _objects(values: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """The values as objects, and which of them are missing."""
    return values.astype(object).to_numpy(), values.isna().to_numpy(dtype=bool)


def _rungs(values: pd.Series, scale: np.ndarray) -> np.ndarray:
    words, hole = _objects(values)
    words = np.where(hole, "-", words)
    matches = words[:, None] == scale[None, :]  # (houses, rungs)
    return np.where(matches.any(axis=1), matches.argmax(axis=1).astype(float), np.nan)


def _numbers(values: pd.Series) -> np.ndarray:
    x = np.array(pd.to_numeric(values, errors="coerce").to_numpy("float64", na_value=np.nan))
    x[~np.isfinite(x)] = np.nan
    return x


def _texts(values: pd.Series, none: bool) -> np.ndarray:
    words, hole = _objects(values)
    text = [f"{w:g}" if isinstance(w, (int, float, np.number)) else str(w) for w in words]
    return np.where(hole, "(none)" if none else None, np.array(text, dtype=object))


def _median(x: np.ndarray) -> float:
    present = x[~np.isnan(x)]
    return float(np.median(present)) if present.size else 0.0


class Preprocessor:
    """Everything below is an array: medians, values of the categories, means and deviations."""

    def fit(self, df: pd.DataFrame) -> "Preprocessor":
        plan = []
        for name in df.columns:
            if name in ("Id", TARGET):
                continue
            if name in _LADDERS:
                plan.append(("ladder", name, _median(_rungs(df[name], _LADDERS[name]))))
            elif self._is_category(df, name):
                words = _texts(df[name], name in _NONE_CATEGORIES)
                plan.append(("category", name, np.array(sorted({w for w in words if w is not None}), dtype=object)))
            else:
                plan.append(("number", name, _median(_numbers(df[name]))))
        self._plan = plan
        names = []
        for kind, name, learnt in plan:
            names += [f"{name}={value}" for value in learnt] if kind == "category" else [str(name)]
        self.feature_names_ = tuple(names)
        X = self._encode(df)
        varies = X.max(axis=0) > X.min(axis=0)
        self.mean_ = np.where(varies, X.mean(axis=0), X[0])
        self.std_ = np.where(varies, X.std(axis=0), 1.0)
        return self

    def _is_category(self, df: pd.DataFrame, column: str) -> bool:
        if column == "MSSubClass" or column in _NONE_CATEGORIES:
            return True
        return not pd.api.types.is_numeric_dtype(df[column])

    def _encode(self, df: pd.DataFrame) -> np.ndarray:
        blocks = [np.empty((len(df), 0))]
        for kind, name, learnt in self._plan:
            if kind == "category":
                blocks.append(_texts(df[name], name in _NONE_CATEGORIES)[:, None] == learnt[None, :])
                continue
            x = _rungs(df[name], _LADDERS[name]) if kind == "ladder" else _numbers(df[name])
            if name == "MasVnrArea" and "MasVnrType" in df.columns:
                x[np.isnan(x) & (_texts(df["MasVnrType"], True) == "None")] = 0.0
            blocks.append(np.where(np.isnan(x), learnt, x)[:, None])
        return np.hstack(blocks).astype(np.float64)

    def transform(self, df: pd.DataFrame) -> pd.DataFrame:
        if not hasattr(self, "_plan"):
            raise RuntimeError("this preprocessor has not been fitted")
        absent = [str(name) for _, name, _ in self._plan if name not in df.columns]
        if absent:
            raise ValueError(f"the table lacks {', '.join(absent)}")
        Z = (self._encode(df) - self.mean_) / self.std_
        return pd.DataFrame(Z.astype(np.float32), index=df.index, columns=list(self.feature_names_))

    def fit_transform(self, df: pd.DataFrame) -> pd.DataFrame:
        return self.fit(df).transform(df)
