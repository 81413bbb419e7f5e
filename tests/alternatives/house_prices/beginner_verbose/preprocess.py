"""Task 2: make numbers of the table."""

import math
import random
import statistics

import numpy as np
import pandas as pd

TARGET = "SalePrice"


def split(df, val_fraction=0.2, seed=0):
    # shuffle the row numbers
    positions = list(range(len(df)))
    generator = random.Random(seed)
    generator.shuffle(positions)

    # the first ones are for validation
    n_val = int(round(len(df) * val_fraction))
    val_positions = positions[:n_val]
    train_positions = positions[n_val:]

    train = df.iloc[train_positions].copy()
    val = df.iloc[val_positions].copy()
    return train, val


def target(df):
    values = []
    for price in df[TARGET]:
        values.append(math.log1p(price))
    return pd.Series(values, index=df.index, dtype="float32")


def to_price(y):
    prices = []
    for value in np.asarray(y).tolist():
        prices.append(math.expm1(value))
    return np.array(prices, dtype="float64")


def none_columns():
    columns = {"Alley", "PoolQC", "Fence", "MiscFeature", "FireplaceQu"}
    for ending in ["Qual", "Cond", "Exposure", "FinType1", "FinType2"]:
        columns.add("Bsmt" + ending)
    for ending in ["Type", "Finish", "Qual", "Cond"]:
        columns.add("Garage" + ending)
    return columns


def ladders():
    result = {}
    for column in ["ExterQual", "ExterCond", "HeatingQC", "KitchenQual", "BsmtQual", "BsmtCond", "FireplaceQu"]:
        result[column] = ("Po", "Fa", "TA", "Gd", "Ex")
    for column in ["GarageQual", "GarageCond", "PoolQC"]:
        result[column] = ("Po", "Fa", "TA", "Gd", "Ex")
    for column in ["BsmtFinType1", "BsmtFinType2"]:
        result[column] = ("Unf", "LwQ", "Rec", "BLQ", "ALQ", "GLQ")
    result["BsmtExposure"] = ("No", "Mn", "Av", "Gd")
    result["GarageFinish"] = ("Unf", "RFn", "Fin")
    result["Functional"] = ("Sal", "Sev", "Maj2", "Maj1", "Mod", "Min2", "Min1", "Typ")
    return result


def to_number(value):
    """A float, or None for a hole."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    if math.isnan(number) or math.isinf(number):
        return None
    return number


def read_ladder(df, column):
    rungs = ladders()[column]
    has_none = column in none_columns()
    numbers = []
    for word in df[column]:
        if pd.isna(word):
            if has_none:
                numbers.append(0.0)
            else:
                numbers.append(None)
        elif word in rungs:
            numbers.append(rungs.index(word) + 1.0)
        else:
            numbers.append(None)
    return numbers


def read_numbers(df, column):
    if column in ladders():
        return read_ladder(df, column)
    numbers = []
    for value in df[column]:
        if pd.isna(value):
            numbers.append(None)
        else:
            numbers.append(to_number(value))

    # no veneer has no area
    if column == "MasVnrArea" and "MasVnrType" in df.columns:
        types = list(df["MasVnrType"])
        for i in range(len(numbers)):
            if numbers[i] is None and isinstance(types[i], str) and types[i] == "None":
                numbers[i] = 0.0
    return numbers


def read_words(df, column):
    words = []
    for value in df[column]:
        if pd.isna(value):
            if column in none_columns():
                words.append("NA")
            else:
                words.append(None)
        elif isinstance(value, str):
            words.append(value)
        else:
            # 60.0 and 60 are the same code
            number = to_number(value)
            if number is not None and number == int(number):
                words.append(str(int(number)))
            else:
                words.append(str(value))
    return words


class Preprocessor:
    def __init__(self):
        self.fitted = False

    def fit(self, df):
        self.columns = []
        self.categories = {}
        self.medians = {}
        self.feature_names_ = []

        for column in df.columns:
            if column == "Id" or column == TARGET:
                continue
            self.columns.append(column)
            if self._is_category(df, column):
                values = []
                for word in read_words(df, column):
                    if word is not None and word not in values:
                        values.append(word)
                self.categories[column] = values
                for value in values:
                    self.feature_names_.append(str(column) + "_" + value)
            else:
                present = [number for number in read_numbers(df, column) if number is not None]
                if len(present) > 0:
                    self.medians[column] = statistics.median(present)
                else:
                    self.medians[column] = 0.0
                self.feature_names_.append(str(column))

        # mean and standard deviation of each feature
        self.means = []
        self.stds = []
        for feature in self._encode(df):
            if max(feature) == min(feature):
                self.means.append(feature[0])
                self.stds.append(1.0)
            else:
                mean = sum(feature) / len(feature)
                squares = 0.0
                for number in feature:
                    squares = squares + (number - mean) ** 2
                self.means.append(mean)
                self.stds.append(math.sqrt(squares / len(feature)))
        self.fitted = True
        return self

    def _is_category(self, df, column):
        if column in ladders():
            return False
        if column == "MSSubClass":
            return True
        if column in none_columns():
            return True
        if pd.api.types.is_numeric_dtype(df[column]):
            return False
        return True

    def _encode(self, df):
        """A list of features, each a list with a number for each house."""
        features = []
        for column in self.columns:
            if column in self.categories:
                words = read_words(df, column)
                for value in self.categories[column]:
                    indicator = []
                    for word in words:
                        if word == value:
                            indicator.append(1.0)
                        else:
                            indicator.append(0.0)
                    features.append(indicator)
            else:
                filled = []
                for number in read_numbers(df, column):
                    if number is None:
                        number = self.medians[column]
                    filled.append(number)
                features.append(filled)
        return features

    def transform(self, df):
        if not self.fitted:
            raise Exception("Call fit before transform!")
        for column in self.columns:
            if column not in df.columns:
                raise ValueError("The table has no column " + str(column))

        result = {}
        features = self._encode(df)
        for i in range(len(features)):
            scaled = []
            for number in features[i]:
                scaled.append((number - self.means[i]) / self.stds[i])
            result[self.feature_names_[i]] = np.array(scaled, dtype="float32")
        return pd.DataFrame(result, index=df.index, columns=self.feature_names_)

    def fit_transform(self, df):
        self.fit(df)
        return self.transform(df)
