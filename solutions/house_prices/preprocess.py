"""Task 2 · From a table of words, codes and holes to numbers that a linear model can use.

Whatever is learnt from data here (medians, categories, means, standard deviations) is learnt from training rows alone,
in `fit`, and only applied in `transform`. A score measured on other rows is honest for that reason.
"""

import numpy as np
import pandas as pd
from sklearn.exceptions import NotFittedError

TARGET = "SalePrice"


def split(df: pd.DataFrame, val_fraction: float = 0.2, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Shuffle the rows and part them in two.

    Args:
        df: any table; it is not changed.
        val_fraction: the part of the rows that goes to validation, between 0 and 1, rounded to whole rows.
        seed: the same seed gives the same split.

    Returns:
        (train, val): every row of `df` is in exactly one of them.
    """
    ### BEGIN SOLUTION
    order = np.random.default_rng(seed).permutation(len(df))
    n_val = round(len(df) * val_fraction)
    return df.iloc[order[n_val:]].copy(), df.iloc[order[:n_val]].copy()
    ### END SOLUTION


def target(df: pd.DataFrame) -> pd.Series:
    """What the model predicts: log1p(SalePrice) as float32, with the table's index.

    An error of 0.1 is then about 10 % of a price, for a cheap house as for a dear one.
    """
    ### BEGIN SOLUTION
    return np.log1p(df[TARGET].astype("float64")).astype("float32")
    ### END SOLUTION


def to_price(y: np.ndarray | pd.Series) -> np.ndarray:
    """Prices in dollars (float64) from what `target` made of them: its inverse."""
    ### BEGIN SOLUTION
    return np.expm1(np.asarray(y, dtype="float64"))
    ### END SOLUTION


def none_columns() -> set[str]:
    """The columns in which NA says that the house has no such thing; in all others NA is a hole in the records.

    Kaggle's data_description.txt tells: in these columns `NA` is one of the listed values. There are 14.
    """
    columns = {"PoolQC", "Alley"}
    ### BEGIN SOLUTION
    basement = {"BsmtQual", "BsmtCond", "BsmtExposure", "BsmtFinType1", "BsmtFinType2"}
    garage = {"GarageType", "GarageFinish", "GarageQual", "GarageCond"}
    return columns | basement | garage | {"FireplaceQu", "Fence", "MiscFeature"}
    ### END SOLUTION


def ladders() -> dict[str, tuple[str, ...]]:
    """The columns whose words are rungs of a ladder, each with its words from the worst to the best.

    Nine more columns are graded with the words of `ExterQual`; besides them there are at least BsmtExposure,
    BsmtFinType1, BsmtFinType2, GarageFinish and Functional. Where NA means none, "none" is below the worst word; it is
    not listed here.
    """
    quality = ("Po", "Fa", "TA", "Gd", "Ex")
    rungs = {"ExterQual": quality, "LandSlope": ("Sev", "Mod", "Gtl")}
    ### BEGIN SOLUTION
    house = ("ExterCond", "HeatingQC", "KitchenQual")
    parts = ("BsmtQual", "BsmtCond", "FireplaceQu", "GarageQual", "GarageCond", "PoolQC")
    rungs |= dict.fromkeys(house + parts, quality)
    rungs["BsmtExposure"] = ("No", "Mn", "Av", "Gd")
    rungs["BsmtFinType1"] = rungs["BsmtFinType2"] = ("Unf", "LwQ", "Rec", "BLQ", "ALQ", "GLQ")
    rungs["GarageFinish"] = ("Unf", "RFn", "Fin")
    rungs["Functional"] = ("Sal", "Sev", "Maj2", "Maj1", "Mod", "Min2", "Min1", "Typ")
    return rungs
    ### END SOLUTION


def read_categories(df: pd.DataFrame, column: str) -> pd.Series:
    """One column of names without an order, as text: "none" where NA means none, a hole still missing. Given."""
    values = df[column]
    # A hole turns a column of codes into floats; 60.0 and 60 are one code.
    as_text = "{:g}".format if pd.api.types.is_numeric_dtype(values) else str
    words = values.astype("object").map(as_text, na_action="ignore")
    return words.mask(values.isna(), "none") if column in none_columns() else words


def read_numbers(df: pd.DataFrame, column: str) -> pd.Series:
    """One column as float64: the rungs of a ladder, or the numbers that stand there; a hole is NaN.

    Args:
        df: a table that has the column; it is not changed.
        column: a ladder (1.0 for its worst word, 2.0 for the next, …; 0.0 for NA where that means none) or a column of
            numbers. MasVnrArea is 0.0 instead of NaN where MasVnrType is "None": no veneer has no area.
    """
    # Hint: `Series.map` takes a dict, and leaves NaN where the dict has no answer.
    ### BEGIN SOLUTION
    values = df[column]
    if column in ladders():
        rungs = {word: rung for rung, word in enumerate(ladders()[column], start=1)}
        numbers = values.astype("object").map(rungs).astype("float64")
        return numbers.mask(values.isna(), 0.0) if column in none_columns() else numbers
    numbers = pd.to_numeric(values, errors="coerce").astype("float64").replace([np.inf, -np.inf], np.nan)
    if column == "MasVnrArea" and "MasVnrType" in df:
        numbers = numbers.mask(numbers.isna() & df["MasVnrType"].isin(["None"]), 0.0)
    return numbers
    ### END SOLUTION


class Preprocessor:
    """Turns tables of houses into standardised float32 features, the way the training rows taught it.

    A number or a ladder gives one feature, named like its column. Everything else is a category, MSSubClass too (its
    numbers are codes: 60 is not three times 20), and gives one 0/1 indicator for each of its values among the training
    rows, named like `Neighborhood=OldTown`. Then every feature is standardised.

    What `fit` learns (a trailing underscore marks it, as in scikit-learn):
        categories_, numbers_: the columns of either kind, as lists; ladders are among the numbers.
        fill_: the number for a column's holes, by column of `numbers_`: the median of the training rows.
        feature_names_: the features, in the order of `transform`'s columns.
        mean_, scale_: mean and standard deviation of the training rows, by feature; the scale is 1 for a feature that
            never varies there, so that it becomes 0 and not NaN.
    """

    def fit(self, df: pd.DataFrame) -> "Preprocessor":
        """Learn from the training rows how to encode, fill and standardise.

        Args:
            df: training rows, with all of the columns or some of them; it is not changed. `SalePrice` and `Id` may be
                among them and never become features.

        Returns:
            Itself.
        """
        columns = [column for column in df.columns if column not in ("Id", TARGET)]
        ### BEGIN SOLUTION
        self.categories_ = [column for column in columns if self._is_category(df, column)]
        self.numbers_ = [column for column in columns if column not in self.categories_]
        medians = {column: read_numbers(df, column).median() for column in self.numbers_}
        self.fill_ = {column: 0.0 if np.isnan(median) else median for column, median in medians.items()}
        encoded = self._encode(df)
        self.feature_names_ = list(encoded.columns)
        self.mean_ = encoded.mean()
        self.scale_ = encoded.std(ddof=0).where(encoded.max() > encoded.min(), 1.0)
        return self
        ### END SOLUTION

    def _is_category(self, df: pd.DataFrame, column: str) -> bool:
        """Whether a column of the training rows is to be one-hot encoded."""
        ### BEGIN SOLUTION
        if column in ladders():
            return False
        return column == "MSSubClass" or column in none_columns() or not pd.api.types.is_numeric_dtype(df[column])
        ### END SOLUTION

    def _encode(self, df: pd.DataFrame) -> pd.DataFrame:
        """Every feature that these rows have, before standardising: numbers with their holes filled, and indicators.

        Returns:
            float64, with `df`'s index. The values of a category that these rows happen to have decide which indicators
            there are; a hole has none.
        """
        # Hint: pd.get_dummies(…, columns=…, prefix_sep="=") makes the indicators of many columns at once.
        ### BEGIN SOLUTION
        numbers = {column: read_numbers(df, column).fillna(self.fill_[column]) for column in self.numbers_}
        words = {column: read_categories(df, column) for column in self.categories_}
        table = pd.DataFrame(numbers | words, index=df.index)
        return pd.get_dummies(table, columns=self.categories_, prefix_sep="=", dtype="float64")
        ### END SOLUTION

    def transform(self, df: pd.DataFrame) -> pd.DataFrame:
        """Encode and standardise houses with what `fit` learnt.

        Args:
            df: any houses, even a single one; it is not changed. What comes out for a house depends on nothing but
                its own row and `fit`.

        Returns:
            float32, (houses, features), with `df`'s index and the columns `feature_names_`; never NaN, never infinite.

        Raises:
            NotFittedError: `fit` has not been called.
            ValueError: a column that `fit` saw is absent; the message names it.
        """
        ### BEGIN SOLUTION
        if not hasattr(self, "scale_"):
            raise NotFittedError("Preprocessor: expected fit(training rows) before transform; call it first.")
        absent = [column for column in self.numbers_ + self.categories_ if column not in df.columns]
        if absent:
            raise ValueError(f"Preprocessor: expected the columns it was fitted on, found no {', '.join(absent)}.")
        # Onto the training rows' features: no new indicator comes in, an absent one is off.
        encoded = self._encode(df).reindex(columns=self.feature_names_, fill_value=0.0)
        return ((encoded - self.mean_) / self.scale_).astype("float32")
        ### END SOLUTION

    def fit_transform(self, df: pd.DataFrame) -> pd.DataFrame:
        """Learn from the training rows and transform them. Given."""
        return self.fit(df).transform(df)
