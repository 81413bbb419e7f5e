"""Task 2: the split, the target, and what holds for any features: their columns, their scale, their independence."""

import numpy as np
import pandas as pd

from grader.suite import (
    StudentError,
    as_array,
    as_frame,
    as_series,
    assert_close,
    check,
    recipe,
    require,
)

FEW = ["MSSubClass", "Neighborhood", "LotFrontage", "LotArea", "OverallQual", "KitchenQual", "GarageType", "YrSold"]
"""Columns of every kind, for rules that hold for any table: all 79 would only cost time."""
CLOSE = {"rtol": 1e-4, "atol": 1e-4}  # float32 features of the order of 1


def parts_of(parts: object) -> list[pd.DataFrame]:
    """The two tables that split gives."""
    require(isinstance(parts, tuple | list) and len(parts) == 2, "split gives two parts, train and val", got=parts)
    return [as_frame(part, "a part") for part in parts]


@check(
    title="split shares out every row once",
    hint="Each row lands in exactly one part; the table itself stays as it is, without a column to mark the parts.",
)
def test_split_parts(student, houses):
    before = houses.train
    kept = student.make(recipe("same", before))
    train, val = parts_of(student.preprocess.split(kept, val_fraction=0.25, seed=3))
    everything = sorted([*train.index, *val.index])
    require(everything == sorted(before.index), "the parts are disjoint and exhaustive")
    require(abs(len(val) - 0.25 * len(before)) <= 1, "val has the fraction asked for", expected=80, got=len(val))
    for part in (train, val):
        require(part.equals(before.loc[part.index]), "rows keep their values and their Id")
    require_unchanged(kept, before)


def require_unchanged(kept, before: pd.DataFrame) -> None:
    """The table that the worker keeps is as it was when it came there."""
    after = as_frame(kept.copy(), "the table")
    require(list(after.columns) == list(before.columns), "no column was added, dropped or moved")
    require(list(after.index) == list(before.index), "the index is as it was")
    require(bool(after.equals(before)), "no cell was changed")


@check(title="split shuffles, and the seed decides how", hint="Same seed, same split; another seed, another split.")
def test_split_seed(student, houses):
    first, again, other = (
        list(parts_of(student.preprocess.split(houses.train, seed=seed))[1].index) for seed in (5, 5, 6)
    )
    require(first == again, "the same seed gives the same split")
    require(sorted(first) != sorted(other), "another seed gives another split")
    ordered = list(houses.train.index)
    ends = (sorted(ordered[: len(first)]), sorted(ordered[-len(first) :]))
    require(sorted(first) not in ends, "validation rows come from the whole table, not from one end")


@check(
    title="target is log1p of the price, and to_price undoes it",
    hint="log1p goes with expm1, log with exp. to_price gives an array, of a Series too: np.asarray.",
)
def test_target_and_back(student, rng):
    prices = np.concatenate([[0.0, 1.0, 35_000.0], rng.lognormal(12, 0.5, 50).round()])
    table = pd.DataFrame({"SalePrice": prices}, index=pd.RangeIndex(10, 10 + len(prices), name="Id"))
    y = as_series(student.preprocess.target(table), "target's result")
    require(str(y.dtype) == "float32", "target is float32", expected="float32", got=str(y.dtype))
    require(list(y.index) == list(table.index), "target keeps the index")
    assert_close(y, np.log1p(prices), "target", rtol=1e-6)
    exact = np.log1p(prices)
    # A float32 near 13 is off by up to 5e-7, and so, in proportion, is the price.
    for answers, rtol in ((exact, 1e-6), (pd.Series(exact, table.index, dtype="float32"), 1e-5)):
        case = f"of a {type(answers).__name__}"
        back = student.preprocess.to_price(answers)
        require(isinstance(back, np.ndarray), "to_price gives a NumPy array", got=type(back).__name__, case=case)
        back = as_array(back, "to_price's result", shape=(len(prices),), case=case)
        assert_close(back, prices, "to_price of target", rtol=rtol, atol=1e-3, case=case)


@check(
    title="transform gives the same clean float32 columns for any table",
    hint="Columns come from fit alone; every hole is filled; the index is the table's.",
)
def test_clean_matrix(houses, fitted, require_kept):
    tables = (houses.train, houses.unlabelled, houses.unlabelled.iloc[[3]])
    features = [as_frame(fitted.preprocessor.transform(table), "transform's result") for table in tables]
    for table, result in zip(tables, features, strict=True):
        require(list(result.columns) == list(features[0].columns), "columns and their order never change")
        require({str(dtype) for dtype in result.dtypes} == {"float32"}, "all features are float32")
        require(bool(np.isfinite(result.to_numpy()).all()), "there is no NaN and no infinity")
        require(list(result.index) == list(table.index), "the index is the table's")
    require_kept(features[0], houses.train)


@check(title="fit_transform is fit, then transform", hint="fit returns self, so the two can be chained.")
def test_fit_transform(student, houses, require_kept):
    table = houses.train[FEW].iloc[:120]
    at_once = as_frame(student.preprocess.Preprocessor().fit_transform(table), "fit_transform's result")
    chained = as_frame(student.preprocess.Preprocessor().fit(table).transform(table), "fit(…).transform(…)")
    at_once = require_kept(at_once, table)
    assert_close(chained.to_numpy(), at_once.to_numpy(), "fit(…).transform(…)")


@check(
    title="feature_names_ lists the columns of transform",
    hint="Same names, same order; each contains its column's name.",
)
def test_feature_names(student, houses, fitted, require_kept):
    table = houses.unlabelled.iloc[:60]
    features = require_kept(fitted.transform(table), table)
    names = fitted.preprocessor.feature_names_
    names = names.tolist() if hasattr(names, "tolist") else names
    require(isinstance(names, list | tuple) and list(names) == list(features.columns), "feature_names_ are the columns")
    columns = list(houses.unlabelled.columns)
    strangers = [name for name in features if not any(column in str(name) for column in columns)]
    require(not strangers, "each feature's name contains its column's name", got=strangers[:5])


@check(
    title="Neither the price nor the Id is a feature",
    hint="Leave SalePrice and Id out of the columns that fit remembers, also when Id comes as a column.",
)
def test_no_price_no_id(student, houses, require_kept):
    table = houses.train[[*FEW, "SalePrice"]].reset_index()
    changed = table.assign(SalePrice=table["SalePrice"].to_numpy()[::-1] * 3, Id=table["Id"].to_numpy() + 70_000)
    preprocessor, another = student.preprocess.Preprocessor(), student.preprocess.Preprocessor()
    preprocessor.fit(table)
    rows = table.iloc[:40]
    plain, other = (as_frame(preprocessor.transform(t), "transform's result") for t in (rows, changed.iloc[:40]))
    require(not [c for c in plain if "SalePrice" in str(c) or str(c) == "Id"], "no feature is named after them")
    plain = require_kept(plain, rows).to_numpy()
    assert_close(other.to_numpy(), plain, "the features of a house with another price and Id")
    without = as_frame(preprocessor.transform(rows.drop(columns="SalePrice")), "transform's result")
    assert_close(without.to_numpy(), plain, "the features of a table without SalePrice")
    another.fit(changed)
    refitted = as_frame(another.transform(rows), "transform's result")
    assert_close(refitted.to_numpy(), plain, "the features after a fit on houses with other prices and Ids")


@check(
    title="Every feature is standardised with the training rows' mean and deviation",
    hint="Among the training rows each feature has mean 0 and standard deviation 1.",
)
def test_standardised(houses, fitted):
    features = fitted.transform(houses.train).to_numpy()
    spread = features.std(axis=0)
    moving = spread > 1e-6
    require(int(moving.sum()) >= 60, "the features vary among the training rows", got=int(moving.sum()))
    assert_close(features.mean(axis=0), np.zeros(features.shape[1]), "the means of the training features", atol=1e-3)
    slack = 1.1 / len(features)  # dividing by n or by n - 1 is the student's choice
    assert_close(spread[moving], np.ones(int(moving.sum())), "their standard deviations", atol=slack, rtol=0)


@check(
    title="What a house becomes does not depend on the other houses of the table",
    hint="transform(all).loc[i] and transform(just i) are the same row.",
)
def test_row_by_row(houses, fitted, rng, require_kept):
    table = houses.unlabelled.iloc[rng.permutation(len(houses.hidden))[:30]]
    together = require_kept(fitted.transform(table), table)
    for places in ([0], [19, 7]):
        alone = fitted.transform(table.iloc[places])
        assert_close(alone.to_numpy(), together.to_numpy()[places], "houses transformed apart", **CLOSE)


@check(title="fit and transform leave their argument as it was", hint="Work on a copy of the table.")
def test_argument_unchanged(student, houses, require_kept):
    table = houses.train.iloc[:80]
    kept = student.make(recipe("same", table))
    preprocessor = student.preprocess.Preprocessor()
    preprocessor.fit(kept)
    require_kept(preprocessor.transform(kept), table)
    require_unchanged(kept, table)


@check(title="transform before fit raises an error", hint="sklearn.exceptions.NotFittedError says it best.")
def test_before_fit(student, houses, require_kept):
    table, fitted = houses.train[FEW].iloc[:60], student.preprocess.Preprocessor()
    fitted.fit(table)
    require_kept(fitted.transform(table), table)  # who raises after fit, too, has told nothing
    preprocessor = student.preprocess.Preprocessor()
    try:
        preprocessor.transform(houses.train.iloc[:3])
    except StudentError as error:
        if error.not_implemented:
            raise
        return
    require(False, "transform before fit raises an error", got="a result")


@check(title="A column that is constant in training becomes 0", hint="Its deviation is 0: do not divide by it.")
def test_constant_column(student, houses, require_kept):
    table = houses.train[FEW].assign(PoolArea=0, MiscVal=7)
    preprocessor = student.preprocess.Preprocessor()
    preprocessor.fit(table)
    features = require_kept(preprocessor.transform(table), table)
    own = [name for name in features if "PoolArea" in str(name) or "MiscVal" in str(name)]
    values = features[own].to_numpy(float)
    require(
        bool((np.abs(values) < 1e-6).all()), "a constant column is 0 for the training rows, not NaN", got=values[:1]
    )


@check(
    title="The features carry what the price depends on",
    hint="Swapped rungs, lost categories or holes filled with the mode cost accuracy on hidden houses.",
)
def test_features_predict(houses, error_on_own_features, fitted, thresholds, gauge):
    train, hidden = (fitted.transform(table) for table in (houses.train, houses.unlabelled))
    require(list(train.columns) == list(hidden.columns), "columns and their order never change")
    ratio = houses.ridge_error(_finite(train), _finite(hidden)) / error_on_own_features
    rule, unit = (
        "ridge regression on the features predicts hidden prices",
        " times the error on the suite's own features",
    )
    gauge(ratio, rule, at_most=thresholds["features_error"], unit=unit)


def _finite(features: pd.DataFrame) -> np.ndarray:
    values = features.to_numpy(float)
    require(bool(np.isfinite(values).all()), "there is no NaN and no infinity among the features")
    return values
