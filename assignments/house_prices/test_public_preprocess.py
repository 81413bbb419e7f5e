"""Self-checks of task 2, preprocess.py: `pytest -k preprocess`."""

import numpy as np
import pandas as pd

from grader.suite import as_array, as_frame, as_series, assert_close, check, require, require_equal


def features_of(student, column: str, train: pd.DataFrame, houses: pd.DataFrame) -> np.ndarray:
    """What a preprocessor that was fitted on `train` makes of one column of `houses`: (houses, features)."""
    preprocessor = student.preprocess.Preprocessor()
    preprocessor.fit(train)
    features = as_frame(preprocessor.transform(houses), "transform's result")
    own = [name for name in features if column in str(name)]
    require(bool(own), "a feature's name contains its column's name", expected=f"…{column}…", got=list(features))
    return as_array(features[own], f"the features of {column}", shape=(len(houses), None))


@check(
    title="split shares out every row once, and the seed decides how",
    hint="Shuffle the row numbers with np.random.default_rng(seed), cut them in two, and take both parts with iloc.",
)
def test_preprocess_split(student):
    df = pd.DataFrame({"LotArea": np.arange(20) * 100}, index=pd.RangeIndex(1, 21, name="Id"))
    parts = student.preprocess.split(df, val_fraction=0.2, seed=0)
    train, val = (list(as_frame(part, "a part").index) for part in parts)
    require_equal(len(val), 4, "val has the fraction asked for", "0.2 of 20 rows")
    require_equal(sorted(train + val), list(df.index), "every row is in exactly one part")
    again, other = (list(student.preprocess.split(df, seed=seed)[1].index) for seed in (0, 1))
    require_equal(again, val, "the same seed gives the same split", "val's Ids, twice with seed 0")
    require(sorted(other) != sorted(val), "another seed gives another split", got=f"{val} with seed 0 and with seed 1")


@check(
    title="target is log1p of the price, and to_price undoes it",
    hint="np.log1p goes with np.expm1; the target is float32, prices are computed in float64.",
)
def test_preprocess_target(student):
    prices = [0.0, 100000.0, 200000.0]
    y = as_series(student.preprocess.target(pd.DataFrame({"SalePrice": prices}, index=[7, 8, 9])), "target's result")
    assert_close(y, [0.0, 11.512935, 12.206078], "target", case=f"prices {prices}")
    require_equal(str(y.dtype), "float32", "target is float32")
    require_equal(list(y.index), [7, 8, 9], "target keeps the index")
    assert_close(student.preprocess.to_price(np.log1p(prices)), prices, "to_price(log1p(prices))", atol=1e-3)


@check(
    title="Numbers are filled and standardised with what the training rows taught",
    hint="fit learns median, mean and deviation; transform only applies them. Never divide by a deviation of 0.",
)
def test_preprocess_numbers(student):
    train = pd.DataFrame({"LotFrontage": [50.0, 60, np.nan, 80, 60], "PoolArea": [0.0] * 5})
    houses = pd.DataFrame({"LotFrontage": [62.0, 72, 60, np.nan], "PoolArea": [0.0] * 4})
    z = features_of(student, "LotFrontage", train, houses)  # (4, features)
    readings = [np.array([0.0, 10, -2, -2]) / deviation for deviation in (9.797959, 10.954451)]
    near = any(np.allclose(column, reading, atol=1e-4) for column in z.T for reading in readings)
    case = "fitted on 50, 60, NA, 80, 60 (median 60; so filled, mean 62, deviation 9.798); asked about 62, 72, 60, NA"
    require(
        near,
        "LotFrontage is (x − mean) / deviation",
        expected=readings[0].round(4).tolist(),
        got=z.T.round(4).tolist(),
        case=case,
    )
    constant = features_of(student, "PoolArea", train, houses)
    assert_close(constant, np.zeros_like(constant), "a column that never varies", case="PoolArea is 0 everywhere")


@check(
    title="Words with an order become rising numbers, and NA that means none is the lowest",
    hint="Map each word to its rung by hand; BsmtQual's NA is no basement: below Po, neither the median nor the mode.",
)
def test_preprocess_ladders(student):
    quality = ["Po", "Fa", "TA", "Gd", "Ex"]
    ladders = {"KitchenQual": quality, "BsmtQual": [None, *quality], "BsmtExposure": [None, "No", "Mn", "Av", "Gd"]}
    for column, words in ladders.items():
        table = pd.DataFrame({column: pd.Series(words, dtype="str")})
        codes = features_of(student, column, table, table)  # (words, features)
        rising = bool((np.diff(codes, axis=0) > 1e-3).all(axis=0).any())
        order = " < ".join(word or "NA" for word in words)
        require(rising, "a better word is a larger number", expected=order, got=codes.T.round(2).tolist(), case=column)


@check(
    title="Words without an order become indicators, and so do MSSubClass's codes",
    hint="One 0/1 column a value; NA of GarageType is a value too, none; an unseen value switches all of them off.",
)
def test_preprocess_categories(student):
    cases = {
        "Neighborhood": (["NAmes", "OldTown", "Gilbert"], "Atlantis"),
        "GarageType": (["Attchd", "Detchd", None], "Hangar"),
        "MSSubClass": ([20, 60, 120], 45),
    }
    for column, (known, stranger) in cases.items():
        train, houses = (pd.DataFrame({column: values}) for values in (known, [*known, stranger]))
        codes = features_of(student, column, train, houses).round(3)  # (4, features)
        case = f"{column} fitted on {known}, asked about the same and {stranger}"
        directions = np.linalg.matrix_rank(codes[:3] - codes[0], tol=0.01)
        require(bool(directions == 2), "each value has its own indicator", got=codes[:3].tolist(), case=case)
        off = codes[:3].min(axis=0)
        require(
            np.array_equal(codes[3], off),
            "an unseen value is none of them",
            expected=off.tolist(),
            got=codes[3].tolist(),
            case=case,
        )


@check(
    title="Any table comes out clean: float32, no hole, the same columns, no price and no Id",
    hint="The columns come from fit alone, so that one house has all of them; SalePrice and Id never get among them.",
)
def test_preprocess_clean(student):
    words = pd.Series(["NAmes", "OldTown", "NAmes", None], dtype="str")
    table = pd.DataFrame({"Id": [1, 2, 3, 4], "LotArea": [8000.0, np.nan, 9000, 12000], "Neighborhood": words})
    table["SalePrice"] = [120000, 150000, 110000, 180000]
    table.index = [11, 12, 13, 14]
    preprocessor = student.preprocess.Preprocessor()
    preprocessor.fit(table)
    features, alone = (as_frame(preprocessor.transform(t), "transform's result") for t in (table, table.iloc[[3]]))
    names = list(features)
    leaks = [name for name in names if "SalePrice" in str(name) or str(name) == "Id"]
    require(not leaks, "neither SalePrice nor Id is a feature", got=leaks)
    require_equal(list(preprocessor.feature_names_), names, "feature_names_ lists transform's columns")
    require_equal({str(dtype) for dtype in features.dtypes}, {"float32"}, "all features are float32")
    values = features.to_numpy()
    require(bool(np.isfinite(values).all()), "there is no NaN and no infinity", got=values.round(2).tolist())
    require_equal(list(features.index), [11, 12, 13, 14], "the index is the table's")
    require_equal(list(alone), names, "one house alone gives the same columns")
    assert_close(alone.to_numpy()[0], values[3], "a house, transformed alone as well as among others,")
