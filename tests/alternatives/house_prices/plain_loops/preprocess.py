"""Preprocessing with dictionaries and loops; one indicator fewer than a category has values."""

import math
import random

import numpy as np
import pandas as pd

QUALITY = {"Po": 1, "Fa": 2, "TA": 3, "Gd": 4, "Ex": 5}
QUALITY_OR_NONE = {"none": 0, **QUALITY}
FINISH = {"none": 0, "Unf": 1, "LwQ": 2, "Rec": 3, "BLQ": 4, "ALQ": 5, "GLQ": 6}
LADDERS = {
    "ExterQual": QUALITY,
    "ExterCond": QUALITY,
    "HeatingQC": QUALITY,
    "KitchenQual": QUALITY,
    "BsmtQual": QUALITY_OR_NONE,
    "BsmtCond": QUALITY_OR_NONE,
    "FireplaceQu": QUALITY_OR_NONE,
    "GarageQual": QUALITY_OR_NONE,
    "GarageCond": QUALITY_OR_NONE,
    "PoolQC": QUALITY_OR_NONE,
    "BsmtExposure": {"none": 0, "No": 1, "Mn": 2, "Av": 3, "Gd": 4},
    "BsmtFinType1": FINISH,
    "BsmtFinType2": FINISH,
    "GarageFinish": {"none": 0, "Unf": 1, "RFn": 2, "Fin": 3},
    "Functional": {"Sal": 1, "Sev": 2, "Maj2": 3, "Maj1": 4, "Mod": 5, "Min2": 6, "Min1": 7, "Typ": 8},
}
CATEGORIES_WITH_NONE = ["Alley", "GarageType", "Fence", "MiscFeature"]


def split(df, val_fraction=0.2, seed=0):
    positions = list(range(len(df)))
    random.Random(seed).shuffle(positions)
    n_val = int(len(df) * val_fraction + 0.5)
    return df.iloc[positions[n_val:]].copy(), df.iloc[positions[:n_val]].copy()


def target(df):
    logs = [math.log1p(price) for price in df["SalePrice"]]
    return pd.Series(logs, index=df.index, name="SalePrice", dtype="float32")


def to_price(y):
    return np.array([math.expm1(value) for value in y], dtype="float64")


def median(numbers):
    ordered = sorted(numbers)
    middle = len(ordered) // 2
    if not ordered:
        return 0.0
    if len(ordered) % 2 == 1:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2


def to_number(value):
    """A float, or None where there is no finite number."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


class Preprocessor:
    """Remembers medians, categories, means and deviations of the training rows in dictionaries."""

    def __init__(self):
        self.fitted = False

    def fit(self, df):
        self.columns = [c for c in df.columns if c not in ("Id", "SalePrice")]
        self.kinds, self.medians, self.values = {}, {}, {}
        for column in self.columns:
            self.kinds[column] = self._kind(df, column)
            cells = self._read(df, column)
            present = [cell for cell in cells if cell is not None]
            if self.kinds[column] == "category":
                self.values[column] = sorted(set(present))[1:]  # the first value is "all the others are 0"
            else:
                self.medians[column] = median(present)
        encoded = self._encode(df)
        self.feature_names_ = list(encoded)
        self.means, self.deviations = {}, {}
        for name, numbers in encoded.items():
            mean = math.fsum(numbers) / len(numbers)
            if min(numbers) == max(numbers):
                self.means[name], self.deviations[name] = numbers[0], 1.0
            else:
                squares = math.fsum((x - mean) ** 2 for x in numbers)
                self.means[name] = mean
                self.deviations[name] = math.sqrt(squares / (len(numbers) - 1))
        self.fitted = True
        return self

    def _kind(self, df, column):
        if column in LADDERS:
            return "ladder"
        if column == "MSSubClass" or column in CATEGORIES_WITH_NONE:
            return "category"
        return "number" if pd.api.types.is_numeric_dtype(df[column]) else "category"

    def _read(self, df, column):
        """The cells of one column as numbers or words, None for a hole."""
        kind = self.kinds[column]
        cells = []
        for value in df[column].tolist():
            missing = pd.isna(value)
            if kind == "ladder":
                cells.append(LADDERS[column].get("none" if missing else value))
            elif kind == "number":
                cells.append(to_number(value))
            elif missing:
                cells.append("none" if column in CATEGORIES_WITH_NONE else None)
            elif column == "MSSubClass":
                cells.append(str(int(value)))
            else:
                cells.append(str(value))
        return cells

    def _encode(self, df):
        """A dictionary: name of the feature -> list of numbers without holes."""
        features = {}
        for column in self.columns:
            cells = self._read(df, column)
            if self.kinds[column] == "category":
                for value in self.values[column]:
                    features[f"{column}={value}"] = [1.0 if cell == value else 0.0 for cell in cells]
                continue
            if column == "MasVnrArea" and "MasVnrType" in self.columns:
                types = df["MasVnrType"].tolist()
                cells = [0.0 if a is None and t == "None" else a for a, t in zip(cells, types, strict=True)]
            features[column] = [self.medians[column] if cell is None else float(cell) for cell in cells]
        return features

    def transform(self, df):
        if not self.fitted:
            raise RuntimeError("Call fit before transform.")
        absent = [column for column in self.columns if column not in df.columns]
        if absent:
            raise ValueError("These columns are missing: " + ", ".join(absent))
        result = {}
        for name, numbers in self._encode(df).items():
            mean, deviation = self.means[name], self.deviations[name]
            result[name] = [(x - mean) / deviation for x in numbers]
        return pd.DataFrame(result, index=df.index, columns=self.feature_names_, dtype="float32")

    def fit_transform(self, df):
        return self.fit(df).transform(df)
