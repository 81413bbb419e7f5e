"""Task 2: what single columns become, asked one column at a time.

Names, scales and extra columns are the student's choice: a column is recognised by its name within the features' names, an
order by how the features move, an indicator by what switches it.
"""

import math

import numpy as np
import pandas as pd

from grader.suite import assert_close, check, require

NONE_LADDERS = ("BsmtQual", "BsmtCond", "BsmtExposure", "BsmtFinType1", "FireplaceQu", "GarageFinish", "GarageQual")
CLOSE = {"rtol": 1e-4, "atol": 1e-4}  # float32 features of the order of 1


def rising(codes: np.ndarray) -> bool:
    """Whether one of the features rises strictly from each row to the next."""
    return bool((np.diff(codes, axis=0) > 1e-6).all(axis=0).any())


@check(
    title="Rows that fit has not seen are standardised with what fit learnt",
    hint="transform learns nothing: no mean, median, category or scale of the table that it is given.",
)
def test_training_statistics(houses, fitted, rng):
    column = str(rng.choice(["LotArea", "GrLivArea", "OverallQual", "YearBuilt"]))
    train = houses.train[column].astype(float)
    values = [int(value) for value in train.quantile([0.05, 0.5, 0.98])]
    got = fitted.numbers({column: houses.variants(column, [values[0], values[-1], *values])})[column]
    expected = ((np.array(values) - train.mean()) / train.std())[:, None]
    _require_one_close(got, expected, f"{column}, standardised", f"values {values}", atol=0.01)


@check(
    title="The quality words are a ladder: Po < Fa < TA < Gd < Ex",
    hint="Map the words to ordered numbers by hand; the alphabet orders them wrongly. There are ten such columns.",
)
def test_quality_ladders(houses, fitted, ladders):
    _require_rising(houses, fitted, {column: words for column, words in ladders.items() if words[0] == "Po"})


def _require_rising(houses, fitted, ladders: dict[str, tuple[str, ...]]) -> None:
    codes = fitted.codes({column: houses.variants(column, list(words)) for column, words in ladders.items()})
    for column, words in ladders.items():
        order = " < ".join(words)
        require(rising(codes[column]), "a better word gives a larger number", case=column, expected=order)


@check(
    title="Basement, garage finish and functionality are ladders too",
    hint="data_description.txt lists the words from best to worst; one pair out of order is a mistake, such as two "
    "of Functional's deductions.",
)
def test_other_ladders(houses, fitted, ladders):
    _require_rising(houses, fitted, {column: words for column, words in ladders.items() if words[0] != "Po"})


@check(
    title="NA that means none is the rung below the worst",
    hint="No basement is less than a poor basement: neither the commonest word nor the median.",
)
def test_none_is_lowest(houses, fitted, ladders):
    ends = {column: (ladders[column][0], ladders[column][-1]) for column in NONE_LADDERS}
    codes = fitted.codes({column: houses.variants(column, [None, *words]) for column, words in ends.items()})
    for column, words in ends.items():
        order = f"NA < {words[0]} < {words[1]}"
        require(rising(codes[column]), f"NA is below {words[0]}", case=column, expected=order)


@check(
    title="NA that means none is a category of its own",
    hint="Fill NA with a word of its own before one-hot encoding: no garage is not the commonest garage.",
)
def test_none_is_a_category(houses, fitted):
    known = {column: _known(houses, column) for column in ("GarageType", "Alley", "MiscFeature", "Fence")}
    codes = fitted.codes({column: houses.variants(column, [None, None, *words]) for column, words in known.items()})
    for column, words in known.items():
        none, again, *others = codes[column]
        assert_close(again, none, "the code of a house like another", case=column, **CLOSE)
        gaps = np.abs(np.array(others) - none).max(axis=1)
        same = [word for word, gap in zip(words, gaps, strict=True) if not gap >= 1e-6]  # NaN is no gap
        require(not same, "a house without one differs from each that has one", case=column, got=f"the same as {same}")


def _known(houses, column: str) -> list:
    """The column's values among the training rows."""
    return sorted(houses.train[column].dropna().unique())


@check(
    title="A hole in a ladder takes the median rung of the training rows",
    hint="KitchenQual and Functional: NA there is an unknown, not a none.",
)
def test_hole_in_a_ladder(houses, fit_on, ladders, rng):
    columns = ["LotArea", "KitchenQual", "Functional"]
    table = houses.train[columns].assign(KitchenQual=_spread_kitchens(len(houses.train), rng))
    fitted, questions, medians = fit_on(table), {}, {}
    for column in columns[1:]:
        words = ladders[column]
        rungs = table[column].map({word: rung for rung, word in enumerate(words)})
        medians[column] = words[math.floor(rungs.median())], words[math.ceil(rungs.median())]
        questions[column] = houses.variants(column, [words[0], words[-1], None, *medians[column]])[columns]
    for column, (hole, below, above) in fitted.numbers(questions).items():
        between = np.clip(hole, below, above)  # half-way between two rungs, either and their mean will do
        case = f"the median word is {medians[column][0]}"
        _require_one_close(hole, between, f"{column} of a house with a hole", case, CLOSE["atol"])


def _spread_kitchens(n: int, rng: np.random.Generator) -> np.ndarray:
    """Kitchens whose median word, Gd, is neither the commonest, Ex, nor the mean."""
    words = np.repeat(["Po", "Fa", "TA", "Gd"], [n // 40, n // 4, n // 10, n // 4])
    return rng.permutation(np.concatenate([words, np.repeat("Ex", n - len(words))]))


def _require_one_close(got: np.ndarray, expected: np.ndarray, what: str, case: str, atol: float) -> None:
    """One of a number's features is as expected; others, such as its logarithm, are the student's own."""
    gaps = np.abs(got - expected).reshape(-1, got.shape[-1]).max(axis=0)
    require(bool((gaps <= atol).any()), f"{what} is right", case=case, expected=expected.round(4), got=got.round(4))


def _require_indicators(houses, fitted, columns: tuple[str, ...]) -> None:
    """The features of each column's values span as many directions as indicators do; a single number spans one."""
    codes = fitted.codes({column: houses.variants(column, _known(houses, column)) for column in columns})
    for column, code in codes.items():
        directions = int(np.linalg.matrix_rank(code - code[0], tol=1e-4))
        rule = "each value has an indicator of its own"
        require(directions >= len(code) - 1, rule, case=column, expected=len(code), got=directions)


@check(
    title="Categories without an order become indicators",
    hint="One column a value (one fewer will do): a single number would put an order where there is none. pandas 3 keeps "
    "words as str, not as object.",
)
def test_one_hot(houses, fitted):
    _require_indicators(houses, fitted, ("Neighborhood", "MSZoning", "HouseStyle", "SaleCondition"))


@check(title="MSSubClass is a code, not a size", hint="60 is not three times 20: treat it as a category.")
def test_subclass_is_a_code(houses, fitted):
    _require_indicators(houses, fitted, ("MSSubClass",))


@check(
    title="A category that fit never saw switches every indicator of its column off",
    hint="No error, no new column, and not one of the known categories: OneHotEncoder calls it handle_unknown='ignore'. "
    "So does a hole where NA is no answer: the commonest category is not to fill it.",
)
def test_unseen_category(houses, fitted):
    strangers = {"Neighborhood": ["Atlantis", "Xanadu"], "RoofMatl": ["Straw", "Glass"]}
    codes = fitted.codes({c: houses.variants(c, [*words, *_known(houses, c)]) for c, words in strangers.items()})
    for column, code in codes.items():
        _require_told_apart(code[2:], column)
        for unseen in code[:2]:
            assert_close(unseen, code[2:].min(axis=0), f"the indicators of an unseen {column}", **CLOSE)
    holes = ("MSZoning", "Exterior1st", "SaleType")
    codes = fitted.codes({c: houses.variants(c, [None, *_known(houses, c)]) for c in holes})
    for column, (hole, *known) in codes.items():
        _require_told_apart(np.array(known), column)
        off, on = np.min(known, axis=0), np.max(known, axis=0)
        moving = off != on  # what no value switches may tell that one was missing
        assert_close(hole[moving], off[moving], f"the indicators of a hole in {column}", **CLOSE)


def _require_told_apart(codes: np.ndarray, column: str) -> None:
    """Known categories, if there are two of them, have different features: where nothing moves, nothing is off."""
    apart = len(codes) == 1 or bool((np.ptp(codes, axis=0) > 1e-6).any())
    rule = "known categories have different features"
    require(apart and bool(np.isfinite(codes).all()), rule, case=column, got=codes[:2])


@check(
    title="A hole in a number takes the median of the training rows",
    hint="Learn the median in fit; transform only uses it. Not the mean, which follows the few very large, and not 0.",
)
def test_hole_in_a_number(houses, fitted):
    medians = {column: float(houses.train[column].median()) for column in ("LotFrontage", "GarageYrBlt")}
    questions = {c: houses.variants(c, [median - 20, median + 20, np.nan, median]) for c, median in medians.items()}
    for column, (hole, filled) in fitted.numbers(questions).items():
        case = f"the median is {medians[column]:g}"
        _require_one_close(hole, filled, f"{column} of a house with a hole", case, atol=1e-3)


@check(
    title="No veneer has no area: MasVnrArea is 0 where MasVnrType is None",
    hint="Fill this one before the median fills the rest.",
)
def test_no_veneer(houses, fit_on):
    columns = ["LotArea", "MasVnrType", "MasVnrArea", "Exterior1st"]
    bare = houses.train["MasVnrType"].eq("None")
    table = houses.train.loc[~bare | (bare.cumsum() <= 20), columns]  # most have a veneer: the median is not 0
    fitted = fit_on(table)
    rows = houses.variants("MasVnrArea", [0.0, 300.0, np.nan, 0.0])
    rows["MasVnrType"] = pd.Series(["BrkFace"] * 2 + ["None"] * 2, index=rows.index, dtype=rows["MasVnrType"].dtype)
    hole, zero = fitted.numbers({"MasVnrArea": rows[columns]})["MasVnrArea"]
    _require_one_close(hole, zero, "MasVnrArea of a house without veneer", "MasVnrType None, MasVnrArea NA", atol=1e-3)
