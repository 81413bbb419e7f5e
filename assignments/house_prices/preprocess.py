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
    raise NotImplementedError("Task 2: write split().")


def target(df: pd.DataFrame) -> pd.Series:
    """What the model predicts: log1p(SalePrice) as float32, with the table's index.

    An error of 0.1 is then about 10 % of a price, for a cheap house as for a dear one.
    """
    raise NotImplementedError("Task 2: write target().")


def to_price(y: np.ndarray | pd.Series) -> np.ndarray:
    """Prices in dollars (float64) from what `target` made of them: its inverse."""
    raise NotImplementedError("Task 2: write to_price().")


def none_columns() -> set[str]:
    """The columns in which NA says that the house has no such thing; in all others NA is a hole in the records.

    Kaggle's data_description.txt tells: in these columns `NA` is one of the listed values. There are 14.
    """
    columns = {"PoolQC", "Alley"}
    raise NotImplementedError("Task 2: write none_columns().")


def ladders() -> dict[str, tuple[str, ...]]:
    """The columns whose words are rungs of a ladder, each with its words from the worst to the best.

    Nine more columns are graded with the words of `ExterQual`; besides them there are at least BsmtExposure,
    BsmtFinType1, BsmtFinType2, GarageFinish and Functional. Where NA means none, "none" is below the worst word; it is
    not listed here.
    """
    quality = ("Po", "Fa", "TA", "Gd", "Ex")
    rungs = {"ExterQual": quality, "LandSlope": ("Sev", "Mod", "Gtl")}
    raise NotImplementedError("Task 2: write ladders().")


def read_categories(df: pd.DataFrame, column: str) -> np.ndarray:
    """One column of names without an order, as text (houses,): "none" where NA means none, None for a hole. Given."""
    values = df[column]
    # A hole turns a column of codes into floats; 60.0 and 60 are one code.
    as_text = "{:g}".format if pd.api.types.is_numeric_dtype(values) else str
    missing = "none" if column in none_columns() else None
    known = values.notna().to_numpy("bool")
    words = [as_text(v) if k else missing for v, k in zip(values.to_numpy("object"), known, strict=True)]
    return np.array(words, dtype="object")


def read_numbers(df: pd.DataFrame, column: str) -> np.ndarray:
    """One column as float64 (houses,): the rungs of a ladder, or the numbers that stand there; a hole is NaN.

    Args:
        df: a table that has the column; it is not changed.
        column: a ladder (1.0 for its worst word, 2.0 for the next, …; 0.0 for NA where that means none) or a column of
            numbers. MasVnrArea is 0.0 instead of NaN where MasVnrType is "None": no veneer has no area.
    """
    # Hint: `Series.map` takes a dict, and leaves NaN where the dict has no answer.
    raise NotImplementedError("Task 2: write read_numbers().")


class Preprocessor:
    """Turns tables of houses into standardised float32 features, the way the training rows taught it.

    A number or a ladder gives one feature, named like its column. Everything else is a category, MSSubClass too (its
    numbers are codes: 60 is not three times 20), and gives one 0/1 indicator for each of its values among the training
    rows, named like `Neighborhood=OldTown`. Then every feature is standardised.

    What `fit` learns (a trailing underscore marks it, as in scikit-learn):
        categories_: by category, its values among the training rows; a hole is none of them.
        fill_: by column of numbers, what its holes are filled with: the median of the training rows.
        feature_names_: the features, in the order of `transform`'s columns.
        mean_, std_: (features,), over the training rows. A feature that never varies there has 1 for its std, so that
            it becomes 0 and not NaN.
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
        raise NotImplementedError("Task 2: write Preprocessor.fit().")

    def _is_category(self, df: pd.DataFrame, column: str) -> bool:
        """Whether a column of the training rows is to be one-hot encoded."""
        raise NotImplementedError("Task 2: write Preprocessor._is_category().")

    def _encode(self, df: pd.DataFrame) -> np.ndarray:
        """All features before standardising, holes filled: float64 (houses, features).

        A value of a category that `fit` did not see, and a hole, switch all indicators of the column off.
        """
        # Hint: words (houses, 1) == values (n,) gives (houses, n), the indicators of one category.
        raise NotImplementedError("Task 2: write Preprocessor._encode().")

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
        raise NotImplementedError("Task 2: write Preprocessor.transform().")

    def fit_transform(self, df: pd.DataFrame) -> pd.DataFrame:
        """Learn from the training rows and transform them. Given."""
        return self.fit(df).transform(df)
