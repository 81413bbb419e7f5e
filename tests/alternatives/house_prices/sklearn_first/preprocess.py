"""Task 2: scikit-learn's transformers, put together for this table."""

import warnings

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.utils import shuffle
from sklearn.utils.validation import check_is_fitted

TARGET = "SalePrice"

QUALITY = ["Po", "Fa", "TA", "Gd", "Ex"]
FINISHED = ["Unf", "LwQ", "Rec", "BLQ", "ALQ", "GLQ"]
LADDERS = {
    "ExterQual": QUALITY,
    "ExterCond": QUALITY,
    "HeatingQC": QUALITY,
    "KitchenQual": QUALITY,
    "BsmtQual": ["none", *QUALITY],
    "BsmtCond": ["none", *QUALITY],
    "FireplaceQu": ["none", *QUALITY],
    "GarageQual": ["none", *QUALITY],
    "GarageCond": ["none", *QUALITY],
    "PoolQC": ["none", *QUALITY],
    "BsmtExposure": ["none", "No", "Mn", "Av", "Gd"],
    "BsmtFinType1": ["none", *FINISHED],
    "BsmtFinType2": ["none", *FINISHED],
    "GarageFinish": ["none", "Unf", "RFn", "Fin"],
    "Functional": ["Sal", "Sev", "Maj2", "Maj1", "Mod", "Min2", "Min1", "Typ"],
}
NONE_CATEGORIES = ["Alley", "GarageType", "Fence", "MiscFeature"]
HOLE = "?"  # no category and no rung
LOG_PRICE = FunctionTransformer(np.log1p, inverse_func=np.expm1)


def split(df: pd.DataFrame, val_fraction: float = 0.2, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    # train_test_split rounds a fraction up, and refuses empty parts.
    rows = shuffle(np.arange(len(df)), random_state=seed)
    n_train = len(df) - round(val_fraction * len(df))
    return df.iloc[rows[:n_train]], df.iloc[rows[n_train:]]


def target(df: pd.DataFrame) -> pd.Series:
    return LOG_PRICE.transform(df[TARGET].astype("float64")).astype("float32")


def to_price(y: np.ndarray | pd.Series) -> np.ndarray:
    return LOG_PRICE.inverse_transform(np.asarray(y, dtype="float64"))


def clean_words(column: pd.Series) -> pd.Series:
    words = column.astype(object).map(lambda word: word if isinstance(word, str) else f"{word:g}", na_action="ignore")
    has_none = column.name in NONE_CATEGORIES or LADDERS.get(column.name, [""])[0] == "none"
    return words.where(words.notna(), "none" if has_none else HOLE)


def clean_numbers(column: pd.Series) -> pd.Series:
    numbers = pd.to_numeric(column.astype(object), errors="coerce").astype("float64")
    return numbers.where(np.isfinite(numbers))


class Preprocessor(BaseEstimator):
    def fit(self, df: pd.DataFrame) -> "Preprocessor":
        columns = [column for column in df.columns if column not in ("Id", TARGET)]
        self.ladders_ = [column for column in columns if column in LADDERS]
        self.words_ = [column for column in columns if column not in LADDERS and self._is_category(df, column)]
        self.numbers_ = [column for column in columns if column not in {*self.ladders_, *self.words_}]
        table = self._clean(df)
        values = {column: sorted(set(table[column]) - {HOLE}) for column in self.words_}
        self.words_ = [column for column in self.words_ if values[column]]
        several = [column for column in self.words_ if len(values[column]) > 1]
        single = [column for column in self.words_ if len(values[column]) == 1]
        rungs = OrdinalEncoder(
            categories=[LADDERS[column] for column in self.ladders_],
            handle_unknown="use_encoded_value",
            unknown_value=np.nan,
        )

        def indicators(columns: list[str], drop: str | None) -> OneHotEncoder:
            known = [values[column] for column in columns]
            return OneHotEncoder(categories=known, drop=drop, handle_unknown="ignore", sparse_output=False)

        median = SimpleImputer(strategy="median", keep_empty_features=True)
        parts = [
            ("numbers", median, self.numbers_),
            ("ladders", make_pipeline(rungs, median), self.ladders_),
            ("words", indicators(several, "first"), several),  # of n indicators one follows from the others
            ("constants", indicators(single, None), single),
        ]
        parts = [part for part in parts if part[2]]
        encoder = ColumnTransformer(parts, verbose_feature_names_out=False)
        self.pipeline_ = make_pipeline(encoder, StandardScaler()).fit(table)
        self.feature_names_ = self.pipeline_.get_feature_names_out()
        return self

    def _is_category(self, df: pd.DataFrame, column: str) -> bool:
        known = column in ("MSSubClass", *NONE_CATEGORIES)
        return known or not (pd.api.types.is_numeric_dtype(df[column]) and not pd.api.types.is_bool_dtype(df[column]))

    def _clean(self, df: pd.DataFrame) -> pd.DataFrame:
        table = {column: clean_words(df[column]) for column in self.ladders_ + self.words_}
        table |= {column: clean_numbers(df[column]) for column in self.numbers_}
        if "MasVnrArea" in table and "MasVnrType" in df.columns:
            area, kind = table["MasVnrArea"], df["MasVnrType"].astype(object)
            table["MasVnrArea"] = area.mask(area.isna() & (kind.fillna("") == "None"), 0.0)
        return pd.DataFrame(table, index=df.index).astype(dict.fromkeys(self.ladders_ + self.words_, object))

    def transform(self, df: pd.DataFrame) -> pd.DataFrame:
        check_is_fitted(self, "pipeline_")
        absent = [c for c in (*self.numbers_, *self.ladders_, *self.words_) if c not in df.columns]
        if absent:
            raise ValueError(f"columns of the training rows are absent: {absent}")
        if len(df) == 0:
            return pd.DataFrame(index=df.index, columns=self.feature_names_, dtype="float32")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # unknown categories are expected
            X = self.pipeline_.transform(self._clean(df))
        return pd.DataFrame(X, index=df.index, columns=self.feature_names_).astype("float32")

    def fit_transform(self, df: pd.DataFrame) -> pd.DataFrame:
        return self.fit(df).transform(df)
