"""Task 2: from table to numbers."""

import numpy as np
import pandas as pd
from sklearn.exceptions import NotFittedError

TARGET = "SalePrice"

GRADES = ["Po", "Fa", "TA", "Gd", "Ex"]
FINISH = ["Unf", "LwQ", "Rec", "BLQ", "ALQ", "GLQ"]


def none_columns() -> set[str]:
    return set(
        "Alley BsmtQual BsmtCond BsmtExposure BsmtFinType1 BsmtFinType2 FireplaceQu GarageType GarageFinish "
        "GarageQual GarageCond PoolQC Fence MiscFeature".split()
    )


def ladders() -> dict[str, list[str]]:
    graded = "ExterQual ExterCond HeatingQC KitchenQual BsmtQual BsmtCond FireplaceQu GarageQual GarageCond PoolQC"
    return dict.fromkeys(graded.split(), GRADES) | {
        "BsmtExposure": ["No", "Mn", "Av", "Gd"],
        "BsmtFinType1": FINISH,
        "BsmtFinType2": FINISH,
        "GarageFinish": ["Unf", "RFn", "Fin"],
        "Functional": ["Sal", "Sev", "Maj2", "Maj1", "Mod", "Min2", "Min1", "Typ"],
    }


NONE, LADDERS = none_columns(), ladders()


def split(df: pd.DataFrame, val_fraction: float = 0.2, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    shuffled = df.sample(frac=1, random_state=seed)
    n_val = round(val_fraction * len(df))
    return shuffled.iloc[n_val:], shuffled.iloc[:n_val]


def target(df: pd.DataFrame) -> pd.Series:
    return df[TARGET].astype("float64").pipe(np.log1p).astype("float32")


def to_price(y: np.ndarray | pd.Series) -> np.ndarray:
    return pd.Series(np.asarray(y), dtype="float64").pipe(np.expm1).to_numpy()


def _rungs(values: pd.Series) -> pd.Series:
    """0 for none, 1 for the worst word, ...; NaN for a hole."""
    rungs = (
        pd.Series(pd.Categorical(values, categories=LADDERS[values.name]).codes, index=values.index)
        .add(1.0)
        .where(lambda rung: rung > 0)
    )
    return rungs.mask(values.isna(), 0.0) if values.name in NONE else rungs


def _number(values: pd.Series) -> pd.Series:
    return pd.to_numeric(values, errors="coerce").astype("float64").replace([np.inf, -np.inf], np.nan)


def _words(values: pd.Series) -> pd.Series:
    """Text, where 60 and 60.0 are the same code; a hole stays missing unless it means none."""
    if pd.api.types.is_numeric_dtype(values):
        values = values.map("{:g}".format, na_action="ignore")
    return values.astype("object").fillna("none") if values.name in NONE else values.astype("object")


class Preprocessor:
    """Medians, categories and scales of the training rows, applied to any rows."""

    def fit(self, df: pd.DataFrame) -> "Preprocessor":
        features = df.drop(columns=["Id", TARGET], errors="ignore")
        self.columns_ = list(features)
        self.categories_ = [column for column in features if self._is_category(df, column)]
        self.fill_ = pd.Series(dtype="float64")
        self.fill_ = self._numbers(df).median().fillna(0)
        self.flags_ = self._numbers(df).isna().any().loc[lambda has_holes: has_holes].index
        self.dummies_ = self._indicators(df).columns
        encoded = self._encode(df)
        self.feature_names_ = encoded.columns
        self.mean_ = encoded.mean()
        self.std_ = encoded.std().where(encoded.nunique() > 1, 1.0)
        self.mean_ = self.mean_.where(encoded.nunique() > 1, encoded.min())  # exact where nothing varies
        return self

    def _is_category(self, df: pd.DataFrame, column: str) -> bool:
        if column in LADDERS:
            return False
        return column in NONE | {"MSSubClass"} or not pd.api.types.is_numeric_dtype(df[column])

    def _numbers(self, df: pd.DataFrame) -> pd.DataFrame:
        columns = [column for column in self.columns_ if column not in self.categories_]
        numbers = pd.DataFrame(
            {column: (_rungs if column in LADDERS else _number)(df[column]) for column in columns}, index=df.index
        )
        if "MasVnrArea" in numbers and "MasVnrType" in df:
            no_veneer = df["MasVnrType"].astype("object").eq("None") & numbers["MasVnrArea"].isna()
            numbers = numbers.assign(MasVnrArea=numbers["MasVnrArea"].mask(no_veneer, 0.0))
        return numbers

    def _indicators(self, df: pd.DataFrame) -> pd.DataFrame:
        if not self.categories_:
            return pd.DataFrame(index=df.index)
        words = pd.DataFrame({column: _words(df[column]) for column in self.categories_}, dtype="object")
        return pd.get_dummies(words, columns=self.categories_, prefix_sep="=", dtype="float64")

    def _encode(self, df: pd.DataFrame) -> pd.DataFrame:
        numbers = self._numbers(df)
        return pd.concat(
            [
                numbers.fillna(self.fill_),
                numbers[self.flags_].isna().astype("float64").add_suffix(" missing"),
                self._indicators(df).reindex(columns=self.dummies_, fill_value=0.0),
            ],
            axis=1,
        )

    def transform(self, df: pd.DataFrame) -> pd.DataFrame:
        if not hasattr(self, "feature_names_"):
            raise NotFittedError("call fit first")
        absent = pd.Index(self.columns_).difference(df.columns)
        if len(absent):
            raise ValueError(f"columns that fit saw are missing: {', '.join(map(str, absent))}")
        return self._encode(df).sub(self.mean_).div(self.std_).astype("float32")

    def fit_transform(self, df: pd.DataFrame) -> pd.DataFrame:
        return self.fit(df).transform(df)
