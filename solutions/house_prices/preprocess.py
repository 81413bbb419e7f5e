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
    ### BEGIN SOLUTION
    values = df[column]
    if column in ladders():
        rungs = {word: rung for rung, word in enumerate(ladders()[column], start=1)}
        numbers = values.astype("object").map(rungs)
    else:
        numbers = pd.to_numeric(values, errors="coerce")
    numbers = numbers.to_numpy("float64", na_value=np.nan)
    if column in none_columns():
        numbers = np.where(values.isna(), 0.0, numbers)
    if column == "MasVnrArea" and "MasVnrType" in df:
        numbers = np.where(np.isnan(numbers) & df["MasVnrType"].isin(["None"]), 0.0, numbers)
    return numbers
    ### END SOLUTION


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
        ### BEGIN SOLUTION
        self.categories_, self.fill_ = {}, {}
        for column in columns:
            if self._is_category(df, column):
                self.categories_[column] = sorted(set(read_categories(df, column)) - {None})
            else:
                numbers = read_numbers(df, column)
                known = numbers[np.isfinite(numbers)]
                self.fill_[column] = np.median(known) if len(known) else 0.0
        indicators = [f"{column}={value}" for column, values in self.categories_.items() for value in values]
        self.feature_names_ = [*self.fill_, *indicators]
        encoded = self._encode(df)  # (houses, features)
        constant = encoded.max(axis=0) == encoded.min(axis=0)  # (features,)
        # The mean of equal numbers can miss them by a rounding error; their own value does not.
        self.mean_ = np.where(constant, encoded[0], encoded.mean(axis=0))
        self.std_ = np.where(constant, 1.0, encoded.std(axis=0))
        return self
        ### END SOLUTION

    def _is_category(self, df: pd.DataFrame, column: str) -> bool:
        """Whether a column of the training rows is to be one-hot encoded."""
        ### BEGIN SOLUTION
        if column in ladders():
            return False
        return column == "MSSubClass" or column in none_columns() or not pd.api.types.is_numeric_dtype(df[column])
        ### END SOLUTION

    def _encode(self, df: pd.DataFrame) -> np.ndarray:
        """All features before standardising, holes filled: float64 (houses, features).

        A value of a category that `fit` did not see, and a hole, switch all indicators of the column off.
        """
        # Hint: words (houses, 1) == values (n,) gives (houses, n), the indicators of one category.
        ### BEGIN SOLUTION
        blocks = []
        for column, fill in self.fill_.items():
            numbers = read_numbers(df, column)
            blocks.append(np.where(np.isfinite(numbers), numbers, fill))  # (houses,)
        for column, values in self.categories_.items():
            words = read_categories(df, column)[:, None]  # (houses, 1)
            blocks.append(words == np.array(values, dtype="object"))  # (houses, values)
        return np.column_stack(blocks).astype("float64")
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
        if not hasattr(self, "std_"):
            raise NotFittedError("Preprocessor: expected fit(training rows) before transform; call it first.")
        absent = [column for column in [*self.fill_, *self.categories_] if column not in df.columns]
        if absent:
            raise ValueError(f"Preprocessor: expected the columns it was fitted on, found no {', '.join(absent)}.")
        features = (self._encode(df) - self.mean_) / self.std_  # (houses, features)
        return pd.DataFrame(features.astype("float32"), index=df.index, columns=self.feature_names_)
        ### END SOLUTION

    def fit_transform(self, df: pd.DataFrame) -> pd.DataFrame:
        """Learn from the training rows and transform them. Given."""
        return self.fit(df).transform(df)
