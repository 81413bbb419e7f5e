"""What several tasks' checks share: tables drawn for this run, and ways to ask a fitted preprocessor about one column."""

from dataclasses import dataclass
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge

from grader.suite import CheckFailed, Run, as_frame, reference, require

TRAIN_ROWS, HIDDEN_ROWS = 320, 200


@dataclass(frozen=True)
class Houses:
    """Tables of one run: training rows with prices, hidden rows whose prices stay here."""

    generator: ModuleType
    train: pd.DataFrame
    hidden: pd.DataFrame
    plain_row: pd.DataFrame
    """A house that has a basement, a garage, a fireplace and no hole in its records: the commonest value everywhere."""

    def ridge_error(self, train: np.ndarray, hidden: np.ndarray) -> float:
        """RMSE of the hidden log prices after ridge regression on features of the training rows."""
        ridge = Ridge(alpha=10.0).fit(train, np.log1p(self.train["SalePrice"]))
        error = ridge.predict(hidden) - np.log1p(self.hidden["SalePrice"])
        return float(np.sqrt(np.mean(error**2)))

    @property
    def unlabelled(self) -> pd.DataFrame:
        return self.hidden.drop(columns="SalePrice")

    def variants(self, column: str, values: list) -> pd.DataFrame:
        """The plain row once for each value of one column; a house without a thing has no part of it."""
        table = pd.concat([self.plain_row] * len(values))
        table.index = pd.RangeIndex(90_001, 90_001 + len(values), name="Id")
        table[column] = pd.Series(values, index=table.index, dtype=self.train[column].dtype)
        for part, nothing in PARTS.get(column, {}).items():
            table.loc[table[column].isna(), part] = nothing
        return table


BASEMENT = dict.fromkeys(
    ["BsmtQual", "BsmtCond", "BsmtExposure", "BsmtFinType1", "BsmtFinType2"], np.nan
) | dict.fromkeys(["BsmtFinSF1", "BsmtFinSF2", "BsmtUnfSF", "TotalBsmtSF", "BsmtFullBath", "BsmtHalfBath"], 0)
GARAGE = dict.fromkeys(["GarageType", "GarageFinish", "GarageQual", "GarageCond", "GarageYrBlt"], np.nan) | {
    "GarageCars": 0,
    "GarageArea": 0,
}
PARTS = {
    **{column: BASEMENT for column in BASEMENT if column.startswith("Bsmt")},
    **{column: GARAGE for column in GARAGE if column != "GarageYrBlt"},
    "FireplaceQu": {"Fireplaces": 0},
    "PoolQC": {"PoolArea": 0},
    "MiscFeature": {"MiscVal": 0},
}
QUALITY = ("Po", "Fa", "TA", "Gd", "Ex")
FINISH = ("Unf", "LwQ", "Rec", "BLQ", "ALQ", "GLQ")
LADDERS = {
    **dict.fromkeys("ExterQual ExterCond HeatingQC KitchenQual BsmtQual BsmtCond FireplaceQu".split(), QUALITY),
    **dict.fromkeys("GarageQual GarageCond PoolQC".split(), QUALITY),
    "BsmtExposure": ("No", "Mn", "Av", "Gd"),
    "BsmtFinType1": FINISH,
    "BsmtFinType2": FINISH,
    "GarageFinish": ("Unf", "RFn", "Fin"),
    "Functional": ("Sal", "Sev", "Maj2", "Maj1", "Mod", "Min2", "Min1", "Typ"),
}
PLACES = {"PoolQC": {"PoolArea": 500}, "FireplaceQu": {"Fireplaces": 1}}


def with_every_word(table: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """The table with each rung of each ladder in at least two houses: what never varies could not be asked about."""
    table = table.astype(dict.fromkeys(LADDERS, "str"))  # a column without a word in it would be one of numbers
    for column, words in LADDERS.items():
        owners = table.index[table[column].notna()] if column != "PoolQC" else table.index
        rows = rng.choice(owners, (len(words), 2), replace=False)
        for word, pair in zip(words, rows, strict=True):
            table.loc[pair, column] = word
            for other, value in PLACES.get(column, {}).items():
                table.loc[pair, other] = value
    return table


@pytest.fixture
def ladders() -> dict[str, tuple[str, ...]]:
    """Words of each ladder, from the worst to the best."""
    return LADDERS


@reference
def houses(run: Run) -> Houses:
    """Fresh tables from the fixture's generator."""
    generator = run.generator()
    rng = run.rng("houses")
    table = generator.make_table(TRAIN_ROWS + HIDDEN_ROWS, rng)
    train = with_every_word(table.iloc[:TRAIN_ROWS], rng)
    plain_row = pd.DataFrame({column: train[column].dropna().mode().iloc[:1] for column in train})
    return Houses(generator, train, table.iloc[TRAIN_ROWS:], plain_row)


@reference
def error_on_own_features(run: Run) -> float:
    """RMSE of the hidden log prices that ridge regression reaches on features of the suite's own making."""
    drawn = run.reference(houses.build_reference)
    train, hidden = drawn.train, drawn.unlabelled
    both = pd.concat([train.drop(columns="SalePrice"), hidden]).astype({"MSSubClass": "str"})
    rungs = {column: {word: rung for rung, word in enumerate(words, 1)} for column, words in LADDERS.items()}
    both = both.assign(**{column: both[column].map(rung).fillna(0).astype(float) for column, rung in rungs.items()})
    numbers = both.select_dtypes("number")
    numbers = numbers.fillna(numbers.loc[train.index].median())
    features = pd.concat([numbers, pd.get_dummies(both.select_dtypes(exclude="number"), dtype=float)], axis=1)
    known = features.loc[train.index]
    features = ((features - known.mean()) / known.std().replace(0, 1)).to_numpy()
    return drawn.ridge_error(features[: len(train)], features[len(train) :])


class Fitted:
    """A student's Preprocessor fitted on a table, and questions about the features that it makes of single columns."""

    def __init__(self, student, table: pd.DataFrame) -> None:
        self.preprocessor = student.preprocess.Preprocessor()
        self.preprocessor.fit(table)

    def transform(self, table: pd.DataFrame) -> pd.DataFrame:
        features = as_frame(self.preprocessor.transform(table), "transform's result")
        if len(features) != len(table):
            raise CheckFailed("transform gives one row a house", expected=len(table), got=len(features))
        return as_numbers(features)

    def codes(self, questions: dict[str, pd.DataFrame]) -> dict[str, np.ndarray]:
        """The features of each column for its own table of houses: column -> (houses, features); one call for all."""
        table = pd.concat(questions.values())
        table.index = pd.RangeIndex(90_001, 90_001 + len(table), name="Id")
        features = self.transform(table)
        ends = np.cumsum([len(rows) for rows in questions.values()])
        codes = {}
        for (column, rows), end in zip(questions.items(), ends, strict=True):
            own = [name for name in features if column in str(name)]
            if not own:
                raise CheckFailed("a feature's name contains its column's name", expected=f"a feature named …{column}…")
            codes[column] = features[own].to_numpy()[end - len(rows) : end]
        return codes

    def numbers(self, questions: dict[str, pd.DataFrame]) -> dict[str, np.ndarray]:
        """As `codes`, for numbers: only the features that tell each table's first two houses apart, without those two."""
        codes = self.codes(questions)
        for column, code in codes.items():
            moving = code[0] != code[1]
            if not moving.any():
                raise CheckFailed(
                    f"{column} is a number that the features keep", got="the same features for two values"
                )
            codes[column] = code[2:, moving]
        return codes


def as_numbers(features: pd.DataFrame) -> pd.DataFrame:
    try:
        return features.astype("float64")
    except (TypeError, ValueError):
        words = [name for name in features if not pd.api.types.is_numeric_dtype(features[name])]
        raise CheckFailed("every feature is a number", got=f"words in {words[:5]}") from None


def _require_kept(features: object, table: pd.DataFrame) -> pd.DataFrame:
    """The features as numbers, from which OverallQual can be told: a rule is not kept by what is made of no house."""
    numbers = as_numbers(as_frame(features, "transform's result"))
    rule, quality = "the features keep what the table says", table["OverallQual"].to_numpy(float)
    require(len(numbers) == len(table), "transform gives one row a house", expected=len(table), got=len(numbers))
    own = numbers[[name for name in numbers if "OverallQual" in str(name)]].to_numpy()
    require(own.size > 0, rule, expected="a feature named …OverallQual…", got=list(numbers.columns)[:5])
    require(bool(np.isfinite(own).all()), rule, got=own[:3], case="OverallQual")
    terms = np.column_stack([np.ones(len(own)), own])
    missed = quality - terms @ np.linalg.lstsq(terms, quality, rcond=None)[0]
    told = float(1 - missed.var() / quality.var())  # a number, its logarithm or indicators: all tell nearly everything
    require(told > 0.9, rule, case="OverallQual", expected="features that move with it", got=own[:3])
    return numbers


@pytest.fixture
def require_kept():
    """Asks that features of a table are features of that table: zeros, noise and no features break few other rules."""
    return _require_kept


@pytest.fixture
def fitted(student, houses: Houses) -> Fitted:
    """The student's Preprocessor, fitted on this run's training rows; checks that only ask share it."""
    return student.once("fitted preprocessor", lambda: Fitted(student, houses.train))


@pytest.fixture
def fit_on(student):
    """Fits a Preprocessor of the student's on a table of the check's own."""
    return lambda table: Fitted(student, table)


@dataclass(frozen=True)
class Market:
    """A small table of numbers whose log price is linear in three of them, with noise of a known size."""

    table: pd.DataFrame
    features: list[str]
    noise: float


@reference
def market(run: Run) -> Market:
    """Numbers that no preprocessing can get wrong: the tables of the later tasks."""
    rng = run.rng("market")
    n, noise = 100, 0.12
    X = rng.normal(size=(n, 4)) * [300, 1.5, 20, 4] + [1500, 6, 1970, 8]
    z = (X - X.mean(axis=0)) / X.std(axis=0)
    y = 12 + z @ [0.25, 0.15, -0.1, 0.0] + noise * rng.normal(size=n)
    table = pd.DataFrame(X, columns=["GrLivArea", "OverallQual", "YearBuilt", "YrSold"])
    table["SalePrice"] = np.expm1(y)
    table.index = pd.RangeIndex(1, n + 1, name="Id")
    return Market(table, ["GrLivArea", "OverallQual", "YearBuilt"], noise)
