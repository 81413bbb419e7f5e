"""Self-checks for your own work: run `pytest` in this folder, or `pytest -k train` for one task.

Their examples are small enough to follow by hand. The hidden checks look closer, and at other numbers: passing here
means that the basics are right. No task's checks wait for another task: begin where you like.
"""

import os
import sys
from dataclasses import dataclass, field
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from grader.suite import (
    Recipe,
    StudentError,
    accelerator,
    as_array,
    as_figure,
    as_float,
    as_frame,
    as_series,
    assert_close,
    builders,
    check,
    file,
    linear,
    loader,
    require,
    require_columns,
    tensor,
)

os.environ.setdefault("MPLBACKEND", "Agg")  # figures are looked at, not shown
os.environ.setdefault("OMP_NUM_THREADS", "1")  # processes forked for a check would wait for threads left behind

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="two processes are tried on Linux only")


def equal(got: object, wanted: object, rule: str, case: str = "") -> None:
    require(got == wanted, rule, expected=wanted, got=got, case=case)


# --- Task 1 · explore.py

HOUSE = """
    MSSubClass=60 MSZoning=RL LotFrontage=70 LotArea=8800 Street=Pave Alley=NA LotShape=Reg LandContour=Lvl
    Utilities=AllPub LotConfig=Inside LandSlope=Gtl Neighborhood=Somerst Condition1=Norm Condition2=Norm BldgType=1Fam
    HouseStyle=2Story OverallQual=7 OverallCond=5 YearBuilt=2001 YearRemodAdd=2004 RoofStyle=Gable RoofMatl=CompShg
    Exterior1st=VinylSd Exterior2nd=VinylSd MasVnrType=BrkFace MasVnrArea=180 ExterQual=Gd ExterCond=TA
    Foundation=PConc BsmtQual=Gd BsmtCond=TA BsmtExposure=No BsmtFinType1=GLQ BsmtFinSF1=600 BsmtFinType2=Unf
    BsmtFinSF2=0 BsmtUnfSF=300 TotalBsmtSF=900 Heating=GasA HeatingQC=Ex CentralAir=Y Electrical=SBrkr 1stFlrSF=900
    2ndFlrSF=800 LowQualFinSF=0 GrLivArea=1700 BsmtFullBath=1 BsmtHalfBath=0 FullBath=2 HalfBath=1 BedroomAbvGr=3
    KitchenAbvGr=1 KitchenQual=Gd TotRmsAbvGrd=8 Functional=Typ Fireplaces=0 FireplaceQu=NA GarageType=Attchd
    GarageYrBlt=2001 GarageFinish=RFn GarageCars=2 GarageArea=500 GarageQual=TA GarageCond=TA PavedDrive=Y WoodDeckSF=0
    OpenPorchSF=40 EnclosedPorch=0 3SsnPorch=0 ScreenPorch=0 PoolArea=0 PoolQC=NA Fence=NA MiscFeature=NA MiscVal=0
    MoSold=5 YrSold=2008 SaleType=WD SaleCondition=Normal SalePrice=210000
"""


def houses_csv(n: int, without: str = "", **columns: list) -> str:
    """A file of n houses that differ in the given columns alone; their Ids are 101, 102, …"""
    pairs = (pair.split("=") for pair in HOUSE.split())
    table = {name: [value] * n for name, value in pairs if name != without}
    return pd.DataFrame(table | columns, index=pd.RangeIndex(101, 101 + n, name="Id")).to_csv()


@check(
    task="explore",
    title="load_data reads every row and column, indexed by Id",
    hint="pd.read_csv, then set_index('Id'); nothing is dropped, renamed or moved.",
)
def test_explore_load(student):
    path = file("train.csv", houses_csv(3, LotArea=[9000, 7000, 8000]))
    df = as_frame(student.explore.load_data(path), "load_data's result")
    case = "a file with three houses: 101, 102 and 103"
    equal(df.shape, (3, 80), "all rows and columns are there, and Id is none of them", case)
    equal(list(df.index), [101, 102, 103], "the index is the Id", case)
    ends = [df.columns[0], df.columns[1], df.columns[-1]]
    equal(ends, ["MSSubClass", "MSZoning", "SalePrice"], "columns keep the file's order", "first, second and last")
    assert_close(df["LotArea"], [9000, 7000, 8000], "LotArea", case=case)


@check(
    task="explore",
    title="NA and the empty cell are missing, the word None is a value",
    hint="pandas would take None for missing too: keep_default_na=False, and na_values names what is missing.",
)
def test_explore_missing(student):
    cells = {"MasVnrType": ["None", "NA", "", "Stone"], "LotFrontage": ["60", "NA", "", "80"]}
    df = as_frame(student.explore.load_data(file("train.csv", houses_csv(4, **cells))), "load_data's result")
    for column, words in cells.items():
        missing = df[column].isna().tolist()
        equal(missing, [False, True, True, False], "the second and third cell are missing", f"{column}: {words}")


@check(
    task="explore",
    title="A wrong file is refused in words, Kaggle's test.csv is not",
    hint="FileNotFoundError comes by itself; compare df.columns with COLUMNS, and name what is absent in a ValueError.",
)
def test_explore_refuse(student):
    with student.raises(FileNotFoundError):
        student.explore.load_data("there/is/no/such.csv")
    with student.raises(ValueError) as raised:
        student.explore.load_data(file("train.csv", houses_csv(2, without="GarageCars")))
    text = raised[0].text
    require("GarageCars" in text, "the message names the absent column", expected="… GarageCars …", got=text)
    df = as_frame(student.explore.load_data(file("test.csv", houses_csv(2, without="SalePrice"))), "load_data's result")
    equal(df.shape, (2, 79), "a file without SalePrice is read")


@check(
    task="explore",
    title="summarize describes every column in a row of its own",
    hint="isna().sum(), nunique(), and for the numeric columns mean, std, min, max, skew; the rest is NaN.",
)
def test_explore_summary(student):
    table = pd.DataFrame({"Rooms": [1.0, 2.0, 3.0, 4.0], "Colour": ["red", "red", None, "blue"]})
    summary = as_frame(student.explore.summarize(table), "summarize's result")
    equal(sorted(map(str, summary.index)), ["Colour", "Rooms"], "there is a row for each column")
    names = ["missing", "missing_pct", "unique", "mean", "std", "min", "max", "skew"]
    require_columns(summary, ["dtype", *names], "summarize's result")
    rows = {"Colour": [1, 25, 2] + [np.nan] * 5, "Rooms": [0, 0, 4, 2.5, 1.290994, 1, 4, 0]}
    for row, values in rows.items():
        for name, value in zip(names, values, strict=True):
            case = "Rooms: 1, 2, 3, 4; Colour: red, red, missing, blue"
            assert_close(summary.loc[row, name], value, f"{name} of {row}", case=case)


@check(
    task="explore",
    title="top_correlations ranks by strength, whatever the sign",
    hint="Sort by |r|, answer r; drop the target itself; leave holes alone: corr skips them pair by pair.",
)
def test_explore_correlations(student):
    columns = {"Weak": [1.0, 3, 2, 4, 3], "Down": [9.0, 7, np.nan, 3, 1], "SalePrice": [1.0, 2, 3, 4, 5]}
    table = pd.DataFrame(columns).assign(Town=["a", "b", "a", "b", "a"])
    top = as_series(student.explore.top_correlations(table, k=2), "top_correlations' result")
    case = "Down falls by 2 when SalePrice rises by 1, and has a hole; Weak rises now and then"
    equal(list(top.index), ["Down", "Weak"], "the strongest comes first", case)
    assert_close(top, [-1.0, 0.6933752], "r", case=case)


@check(
    task="explore",
    title="The figures show the price, its logarithm, and one scatter a feature",
    hint="plt.subplots(1, 2) and two hist with title and xlabel; then one labelled scatter for each feature.",
)
def test_explore_figures(student):
    prices = [90000, 120000, 150000, 210000, 400000]
    table = pd.DataFrame({"GrLivArea": [900, 1200, 1500, 2100, 2600], "OverallQual": [4, 5, 6, 7, 9]})
    table["SalePrice"] = prices
    for axis in as_figure(student.explore.plot_target(table), "plot_target's result", axes=2).axes[:2]:
        words = [axis.title, axis.xlabel]
        require(all(words), "both axes have a title and an x label", expected="a title and a label", got=words)
    features = ["OverallQual", "GrLivArea"]
    figure = as_figure(student.explore.plot_relationships(table, features), "plot_relationships' result", axes=2)
    labels = [(axis.xlabel, axis.ylabel) for axis in figure.axes[:2]]
    named = all(feature in x and "SalePrice" in y for feature, (x, y) in zip(features, labels, strict=True))
    wanted = [(feature, "SalePrice") for feature in features]
    require(named, "axes are labelled with the columns' names", expected=wanted, got=labels)


# --- Task 2 · preprocess.py


def features_of(student, column: str, train: pd.DataFrame, houses: pd.DataFrame) -> np.ndarray:
    """What a preprocessor that was fitted on `train` makes of one column of `houses`: (houses, features)."""
    preprocessor = student.preprocess.Preprocessor()
    preprocessor.fit(train)
    features = as_frame(preprocessor.transform(houses), "transform's result")
    own = [name for name in features if column in str(name)]
    require(bool(own), "a feature's name contains its column's name", expected=f"…{column}…", got=list(features))
    return as_array(features[own], f"the features of {column}", shape=(len(houses), None))


@check(
    task="preprocess",
    title="split shares out every row once, and the seed decides how",
    hint="Shuffle the row numbers with np.random.default_rng(seed), cut them in two, and take both parts with iloc.",
)
def test_preprocess_split(student):
    df = pd.DataFrame({"LotArea": np.arange(20) * 100}, index=pd.RangeIndex(1, 21, name="Id"))
    parts = student.preprocess.split(df, val_fraction=0.2, seed=0)
    train, val = (list(as_frame(part, "a part").index) for part in parts)
    equal(len(val), 4, "val has the fraction asked for", "0.2 of 20 rows")
    equal(sorted(train + val), list(df.index), "every row is in exactly one part")
    again, other = (list(student.preprocess.split(df, seed=seed)[1].index) for seed in (0, 1))
    equal(again, val, "the same seed gives the same split", "val's Ids, twice with seed 0")
    require(sorted(other) != sorted(val), "another seed gives another split", got=f"{val} with seed 0 and with seed 1")


@check(
    task="preprocess",
    title="target is log1p of the price, and to_price undoes it",
    hint="np.log1p goes with np.expm1; the target is float32, prices are computed in float64.",
)
def test_preprocess_target(student):
    prices = [0.0, 100000.0, 200000.0]
    y = as_series(student.preprocess.target(pd.DataFrame({"SalePrice": prices}, index=[7, 8, 9])), "target's result")
    assert_close(y, [0.0, 11.512935, 12.206078], "target", case=f"prices {prices}")
    equal(str(y.dtype), "float32", "target is float32")
    equal(list(y.index), [7, 8, 9], "target keeps the index")
    assert_close(student.preprocess.to_price(np.log1p(prices)), prices, "to_price(log1p(prices))", atol=1e-3)


@check(
    task="preprocess",
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
    task="preprocess",
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
    task="preprocess",
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
    task="preprocess",
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
    equal(list(preprocessor.feature_names_), names, "feature_names_ lists transform's columns")
    equal({str(dtype) for dtype in features.dtypes}, {"float32"}, "all features are float32")
    values = features.to_numpy()
    require(bool(np.isfinite(values).all()), "there is no NaN and no infinity", got=values.round(2).tolist())
    equal(list(features.index), [11, 12, 13, 14], "the index is the table's")
    equal(list(alone), names, "one house alone gives the same columns")
    assert_close(alone.to_numpy()[0], values[3], "a house, transformed alone as well as among others,")


# --- Task 3 · train.py

START = "x = 1, 2; y = 3, 5; weight 1, bias 0, SGD with lr 0.1"


def two_rows(batch_size: int) -> Recipe:
    return loader(np.array([[1.0], [2.0]]), np.array([3.0, 5.0]), batch_size=batch_size)


def trained(student, batch_size: int, **settings) -> list[float]:
    """Weight and bias after one epoch on the two rows; `settings` are the accelerator's."""
    model = student.make(linear([1.0], 0.0))
    student.train.train(model, two_rows(batch_size), accelerator(**settings), epochs=1, lr=0.1, optimizer="sgd")
    return weight_and_bias(model.state_dict())


def weight_and_bias(state: dict) -> list[float]:
    return [float(as_array(state[name], name).reshape(-1)[0]) for name in ("0.weight", "0.bias")]


@check(
    task="train",
    title="The model maps (batch, n_features) to (batch,) and starts at bias_init",
    hint="nn.Linear(n_features, 1), its bias set to bias_init; squeeze the last dimension of its output away.",
)
def test_train_model(student):
    model = student.train.LinearRegression(3, bias_init=12.0)
    case = "4 houses with 3 features, all of them 0; bias_init = 12"
    got = as_array(model(tensor(np.zeros((4, 3)))), "the untrained output", shape=(4,), case=case)
    assert_close(got, [12.0] * 4, "the untrained output", case=case)
    parameters = sum(as_array(parameter, "a parameter").size for parameter in model.parameters())
    equal(parameters, 4, "there is one weight a feature and a bias", "3 features")


@check(
    task="train",
    title="make_loader gives float32 pairs and drops no row",
    hint="as_float_tensor of both, y reshaped to (n,), then a DataLoader; leave its drop_last alone.",
)
def test_train_loader(student):
    X, y = pd.DataFrame({"a": [1.0, 2, 3, 4, 5], "b": [6.0, 7, 8, 9, 10]}), [[10.0], [20], [30], [40], [50]]
    batches = [tuple(pair) for pair in student.train.make_loader(X, np.array(y), 2, False)]
    shapes = [tuple(as_array(part, "a part").shape for part in pair) for pair in batches]
    wanted = [((2, 2), (2,)), ((2, 2), (2,)), ((1, 2), (1,))]
    equal(shapes, wanted, "batches have the right shapes", "X (5, 2), y (5, 1), batch_size 2")
    dtypes = {str(part.dtype).removeprefix("torch.") for pair in batches for part in pair}
    equal(dtypes, {"float32"}, "features and targets are float32")
    shuffled = [value for _, ys in student.train.make_loader(X, np.array(y), 2, True) for value in as_array(ys, "y")]
    equal(sorted(shuffled), [10, 20, 30, 40, 50], "shuffled, every row still comes once")


@check(
    task="train",
    title="Each batch gives one step, down its own gradient of the mean squared error",
    hint="(2.6, 1) is a sum, not a mean; (2.52, 1.16) never cleared the gradients; (1, 0) lost them before the step.",
)
def test_train_step(student):
    assert_close(trained(student, 2), [1.8, 0.5], "(weight, bias)", case=f"one batch of two rows: {START}")
    assert_close(trained(student, 1), [2.12, 0.76], "(weight, bias)", case=f"two batches of one row: {START}")


@check(
    task="train",
    title="An epoch's loss is the mean over its samples, as a Python float",
    hint="11.25 is the mean of the batches' means: the last batch has one row only and must weigh less.",
)
def test_train_loss(student):
    rows = loader(np.array([[1.0], [2.0], [3.0]]), np.array([3.0, 5.0, 7.0]), batch_size=2)
    settings = {"epochs": 2, "lr": 0.0, "optimizer": "sgd"}  # at a rate of 0 the model stays as it is
    history = student.train.train(student.make(linear([1.0], 0.0)), rows, accelerator(), **settings)
    kinds = [type(loss).__name__ for loss in history] if isinstance(history, list) else type(history).__name__
    equal(kinds, ["float", "float"], "train returns a list of floats, one an epoch", "epochs=2")
    case = "squared errors 4, 9 and 16, in batches of 2"
    assert_close(history, [29 / 3, 29 / 3], "the loss", case=case, rtol=1e-4)


@check(
    task="train",
    title="Two accumulated batches step like one batch of both",
    hint="(2.12, 0.76) lacks accumulate(model); (2.6, 1) is loss.backward(); (1.4, 0.25) divided by hand as well.",
)
def test_train_accumulation(student):
    got = trained(student, 1, gradient_accumulation_steps=2)
    assert_close(got, [1.8, 0.5], "(weight, bias)", case=f"two batches of one row, accumulated: {START}")


@on_linux
@check(
    task="train",
    title="Two processes step like one with both rows",
    hint="(2.12, 0.76): the loader is not the prepared one, each process saw both rows; (1.4, 0.4): the model is not.",
)
def test_train_processes(student):
    settings = {"epochs": 1, "lr": 0.1, "optimizer": "sgd"}
    results = student.on(processes=2).train.train(linear([1.0], 0.0), two_rows(1), accelerator(), **settings)
    case = f"one row on each of two processes: {START}"
    assert_close(weight_and_bias(results.modules[0][0]), [1.8, 0.5], "(weight, bias)", case=case)
    for rank, history in enumerate(results.values):
        assert_close(history, [6.5], "the loss", case=f"squared errors 4 and 9, process {rank} of 2", rtol=1e-4)


# --- Task 4 · evaluate.py

PRICES, PREDICTED = np.array([100000.0, 200000.0, 400000.0]), np.array([110000.0, 190000.0, 400000.0])


def five_rows() -> Recipe:
    return loader(np.arange(5.0)[:, None], np.zeros(5), batch_size=2)


@check(
    task="evaluate",
    title="rmse is the root of the mean squared error, and refuses what does not match",
    hint="Turn both into arrays (n,) with as_vector; compare their lengths; then square, mean, root.",
)
def test_evaluate_rmse(student):
    case = "[1, 2, 3] and [1, 2, 5]: the root of 4/3"
    assert_close(student.evaluate.rmse([1, 2, 3], [1, 2, 5]), 1.1547005, "rmse", case=case)
    for y_true, y_pred in (([1.0, 2.0], [1.0]), ([], [])):
        with student.raises(ValueError):
            student.evaluate.rmse(y_true, y_pred)
    try:
        got = student.evaluate.rmse(np.array([1.0, 2.0, 3.0]), np.array([[1.0], [2.0], [5.0]]))
    except StudentError as error:
        if "ValueError" not in error.types:
            raise
    else:
        assert_close(got, 1.1547005, "rmse", case="(3,) and (3, 1), which must not become (3, 3)")


@check(
    task="evaluate",
    title="predict answers every row once, in order, in eval mode, and puts the mode back",
    hint="model.eval() and torch.no_grad() around the loop, torch.cat behind it, model.train(was_training) at the end.",
)
def test_evaluate_predict(student):
    dropout = Recipe("torch.nn:Dropout", (0.5,))
    model = student.make(Recipe("torch.nn:Sequential", (linear([1.0], 10.0), dropout)))
    got = student.evaluate.predict(model, five_rows(), accelerator())
    require(isinstance(got, np.ndarray), "predict returns a NumPy array", got=type(got).__name__)
    case = "10 + x for x = 0 … 4 in batches of 2, with a dropout that eval mode turns off"
    assert_close(got, [10, 11, 12, 13, 14], "predict's answer", case=case)
    equal(model.training, True, "a model that came in training mode is in training mode again")


@on_linux
@check(
    task="evaluate",
    title="predict gives each row once on two processes",
    hint="gather_for_metrics drops the rows that were repeated to even the processes out; gather keeps them.",
)
def test_evaluate_processes(student):
    results = student.on(processes=2).evaluate.predict(linear([1.0], 10.0), five_rows(), accelerator())
    for rank, got in enumerate(results.values):
        case = f"10 + x for x = 0 … 4 in batches of 2, process {rank} of 2"
        assert_close(got, [10, 11, 12, 13, 14], "predict's answer", case=case)


@check(
    task="evaluate",
    title="evaluate measures the log price, and dollars after expm1",
    hint="rmse_log and r2 compare logarithms; for rmse and mae take expm1 of both first, then their difference.",
)
def test_evaluate_measures(student):
    rows = loader(np.log1p(PREDICTED)[:, None], np.log1p(PRICES), batch_size=2)
    scores = student.evaluate.evaluate(student.make(linear([1.0], 0.0)), rows, accelerator())
    wanted = {"rmse_log": 0.062494, "rmse": 8164.966, "mae": 6666.667, "r2": 0.987807}
    got = set(scores) if isinstance(scores, dict) else type(scores).__name__
    require(isinstance(scores, dict) and set(wanted) <= set(scores), "evaluate gives", expected=set(wanted), got=got)
    for name, value in wanted.items():
        case = "prices 100000, 200000, 400000, predicted as 110000, 190000, 400000"
        assert_close(scores[name], value, name, case=case, rtol=1e-3)


@check(
    task="evaluate",
    title="plot_predictions shows actual across, predicted upwards, and the line between",
    hint="scatter(y_true, y_pred), and a line from the smallest to the largest price on which both are equal.",
)
def test_evaluate_plot(student):
    figure = as_figure(student.evaluate.plot_predictions(PRICES, PREDICTED), "plot_predictions' result", axes=1)
    axis = next(axis for axis in figure.axes if axis.has_data)
    require(bool(axis.xlabel and axis.ylabel), "both axes are labelled", got=[axis.xlabel, axis.ylabel])
    drawn = [shape.values for shape in (*axis.points, *axis.lines)]
    pairs = np.column_stack([PRICES, PREDICTED])
    points = any(shape.shape == pairs.shape and np.allclose(shape, pairs) for shape in drawn)
    require(
        points, "the houses are points (actual, predicted)", expected=pairs.tolist(), got=[s.tolist() for s in drawn]
    )
    identity = any(np.allclose(line.values[:, 0], line.values[:, 1]) for line in axis.lines)
    require(identity, "a line shows where predicted = actual", expected="y = x", got=[s.tolist() for s in drawn])


# --- Task 5 · optimize.py, and the bonus. Tasks 2 to 4 are played by stand-ins, so that they cannot fail these checks.


@dataclass
class Asked:
    """What was asked of tasks 2 to 4: the table of each fit, the settings of each training."""

    fitted: list[pd.DataFrame] = field(default_factory=list)
    settings: list[dict] = field(default_factory=list)


class StandIns:
    """Tasks 2 to 4 so simple that scores can be foretold: the model answers its bias, and training adds lr to it."""

    def __init__(self, asked: Asked) -> None:
        class Preprocessor:
            def fit(self, df):
                asked.fitted.append(df)
                self.feature_names_ = [column for column in df.columns if column != "SalePrice"]
                return self

            def transform(self, df):
                return df[self.feature_names_].astype("float32")

            def fit_transform(self, df):
                return self.fit(df).transform(df)

        def train(model, loader, accelerator, *, lr, **settings):
            asked.settings.append({"lr": lr, **settings})
            model[0].bias.data += lr
            return [0.0]

        self.Preprocessor, self.train = Preprocessor, train

    def target(self, df):
        return np.log1p(df["SalePrice"]).astype("float32")

    def LinearRegression(self, n_features, bias_init=0.0):
        return builders.linear([0.0] * n_features, bias_init)

    def make_loader(self, X, y, batch_size, shuffle, seed=0):
        return builders.loader(np.asarray(X), np.asarray(y).reshape(-1), batch_size=batch_size, shuffle=shuffle)

    def predict(self, model, loader, accelerator):
        return np.concatenate([model(x).detach().numpy() for x, _ in loader])

    def rmse(self, y_true, y_pred):
        return float(np.sqrt(np.mean((np.asarray(y_true, "float64") - np.asarray(y_pred, "float64")) ** 2)))

    def evaluate(self, model, loader, accelerator):
        y_true = np.concatenate([y.numpy() for _, y in loader])
        return {"rmse_log": self.rmse(y_true, self.predict(model, loader, accelerator))}


PLAYED = {
    "preprocess": ["Preprocessor", "target"],
    "train": ["LinearRegression", "make_loader", "train"],
    "evaluate": ["rmse", "predict", "evaluate"],
}


@pytest.fixture
def asked(request, student, monkeypatch) -> Asked:
    """Puts the stand-ins in the place of tasks 2 to 4, there and where the task under test has imported them."""
    notes = Asked()
    task = request.function.__check__.task
    for module, names in PLAYED.items():
        places = [imported(student, module), imported(student, task)]
        for name in names:
            own = getattr(places[0], name, None)
            for place in places:
                if own is not None and getattr(place, name, None) is own:
                    monkeypatch.setattr(place, name, getattr(StandIns(notes), name))
    return notes


def imported(student, module: str) -> ModuleType:
    """A task's file as a module, imported in the way of any check's first question."""
    try:
        getattr(student, module).a_name_that_no_file_has()
    except StudentError:
        if module not in sys.modules:
            raise
    return sys.modules[module]


LOG_PRICES = [11.0, 12.0, 12.0, 13.0]
FOUR = pd.DataFrame(
    {"GrLivArea": [900.0, 1200, 1500, 2600], "YrSold": [2006.0, 2007, 2008, 2009], "SalePrice": np.expm1(LOG_PRICES)},
    index=pd.Index([1, 2, 3, 4], name="Id"),
)


@check(
    task="optimize",
    title="cross_validate scores each fold by the houses that it holds out",
    hint="LinearRegression(…, bias_init=mean of the other folds' target), train, predict the held-out fold, rmse.",
)
def test_optimize_score(student, asked):
    settings = {"epochs": 7, "lr": 0.0, "weight_decay": 0.25}
    scores = student.optimize.cross_validate(FOUR, ["GrLivArea"], accelerator(), k=4, **settings)
    got = set(scores) if isinstance(scores, dict) else type(scores).__name__
    equal(got, {"rmse_log_mean", "rmse_log_std"}, "cross_validate returns its two scores")
    case = "log prices 11, 12, 12, 13; each predicted by the mean of the three others: errors 4/3, 0, 0, 4/3"
    assert_close(scores["rmse_log_mean"], 2 / 3, "rmse_log_mean", case=case, rtol=1e-4)
    std = as_float(scores["rmse_log_std"], "rmse_log_std")
    near = min(abs(std - 0.66667), abs(std - 0.76980)) < 1e-3
    require(near, "rmse_log_std is right", expected="0.6667 (or 0.7698, with n − 1)", got=std, case=case)
    passed = {name: asked.settings[0].get(name) for name in settings} if asked.settings else "train was not called"
    equal(passed, settings, "train gets the settings")


@check(
    task="optimize",
    title="The preprocessor is fitted anew on each fold's training houses and features",
    hint="Preprocessor().fit(rest[features]) inside the loop: nothing may be learnt from the houses held out.",
)
def test_optimize_folds(student, asked):
    student.optimize.cross_validate(FOUR, ["GrLivArea"], accelerator(), k=4, epochs=1)
    fits = sorted(sorted(df.index) for df in asked.fitted)
    wanted = [[1, 2, 3], [1, 2, 4], [1, 3, 4], [2, 3, 4]]
    equal(fits, wanted, "each fit sees three of the houses 1 to 4", "k=4")
    columns = {str(column) for df in asked.fitted for column in df.columns} - {"SalePrice"}
    equal(columns, {"GrLivArea"}, "fit sees the features that were asked for, and no other", "features=['GrLivArea']")


@check(
    task="optimize",
    title="search tries every combination and puts the best first",
    hint="itertools.product over the feature sets and the grid's values; one dictionary a row; sort by rmse_log_mean.",
)
def test_optimize_search(student, asked):
    sets = {"both": ["GrLivArea", "YrSold"], "one": ["GrLivArea"]}
    table = student.optimize.search(FOUR, sets, {"lr": [0.5, 0.1]}, accelerator(), k=4)
    table = as_frame(table, "search's result")
    require_columns(table, ["feature_set", "lr", "rmse_log_mean", "rmse_log_std"], "search's result")
    rows = list(zip(table["lr"].astype(float), table["feature_set"].astype(str), strict=True))
    wanted = [(0.1, "both"), (0.1, "one"), (0.5, "both"), (0.5, "one")]
    equal(sorted(rows), wanted, "each combination has one row", "feature sets both, one; lr 0.5, 0.1")
    case = "the houses of the first check, each prediction off by lr: errors of 2/3 + lr/2"
    means = [0.716667, 0.716667, 0.916667, 0.916667]
    assert_close(table["rmse_log_mean"], means, "rmse_log_mean, best first,", case=case, rtol=1e-4)


@check(
    task="optimize",
    title="best names the settings with the smallest error",
    hint="The row of the smallest rmse_log_mean as a dictionary, without the two scores.",
)
def test_optimize_best(student):
    columns = {"feature_set": ["few", "all"], "lr": [0.1, 0.2]}
    results = pd.DataFrame(columns | {"rmse_log_mean": [0.15, 0.14], "rmse_log_std": [0.01, 0.02]})
    got = student.optimize.best(results)
    require(isinstance(got, dict), "best returns a dictionary", got=type(got).__name__)
    got = {name: got.get(name) for name in columns}
    equal(got, {"feature_set": "all", "lr": 0.2}, "the smallest error wins", "errors 0.15 (few, 0.1), 0.14 (all, 0.2)")


REGRESSORS = ["linear", "ridge", "lasso", "elastic_net"]


def exact() -> pd.DataFrame:
    """Thirty houses whose log price is exactly 12 + a/2 − b/4."""
    a, b = (part.ravel() for part in np.meshgrid(np.linspace(-1, 1, 6), np.linspace(-1, 1, 5)))
    return pd.DataFrame({"a": a, "b": b, "SalePrice": np.expm1(12 + a / 2 - b / 4)})


def compared(student) -> pd.DataFrame:
    """compare_regressors on those houses; its answer is computed once."""
    answer = student.once("comparison", lambda: student.bonus.compare_regressors(exact(), k=3))
    return as_frame(answer, "compare_regressors' result")


@check(
    task="bonus",
    title="compare_regressors has a row for each regressor, the best first",
    hint="Index linear, ridge, lasso, elastic_net; columns rmse_log_mean, rmse_log_std, fit_seconds; sort_values.",
)
def test_bonus_table(student, asked):
    table = compared(student)
    equal(sorted(map(str, table.index)), sorted(REGRESSORS), "there is a row for each regressor")
    require_columns(table, ["rmse_log_mean", "rmse_log_std", "fit_seconds"], "compare_regressors' result")
    means = as_array(table["rmse_log_mean"], "rmse_log_mean").tolist()
    equal(means, sorted(means), "the smallest error comes first")
    seconds = as_array(table["fit_seconds"], "fit_seconds")
    require(bool((seconds > 0).all()), "each fit took some time", expected="> 0", got=seconds.tolist())


@check(
    task="bonus",
    title="The errors are those of log prices",
    hint="Fit on target(train), compare with target(val): no dollars. The grid of alphas goes down to weak penalties.",
)
def test_bonus_scores(student, asked):
    means = compared(student)["rmse_log_mean"]
    for name in REGRESSORS:
        got, limit = as_float(means[name], name), 0.001 if name == "linear" else 0.1
        case = "log prices are exactly 12 + a/2 − b/4, from 11.25 to 12.75"
        require(got <= limit, f"{name} finds the relation", expected=f"an error ≤ {limit}", got=f"{got:.4g}", case=case)


@check(
    task="bonus",
    title="The preprocessor is fitted inside each fold",
    hint="make_regressors' pipelines begin with Features(): fit the whole pipeline on the fold's training rows.",
)
def test_bonus_folds(student, asked):
    student.bonus.compare_regressors(exact(), k=3)
    most = max((len(df) for df in asked.fitted), default=0)
    require(0 < most <= 20, "each fit sees two of three folds", expected="20 of 30 houses", got=f"{most} of 30 houses")


@check(
    task="bonus",
    title="plot_comparison shows each regressor's error",
    hint="axis.bar(results.index, results['rmse_log_mean'], yerr=…), a title and labels.",
)
def test_bonus_plot(student):
    means = [0.11, 0.12, 0.13, 0.14]
    columns = {"rmse_log_mean": means, "rmse_log_std": [0.01] * 4, "fit_seconds": [0.1] * 4}
    results = pd.DataFrame(columns, index=REGRESSORS[::-1])
    axis = as_figure(student.bonus.plot_comparison(results), "plot_comparison's result", axes=1).axes[0]
    shown = [value for drawn in (*axis.bars, *axis.points, *axis.lines) for value in drawn.values.ravel()]
    absent = [mean for mean in means if not np.isclose(shown, mean).any()]
    require(not absent, "every error is drawn", expected=means, got=f"all but {absent}")
    words = " ".join((*axis.ticks[0], *axis.ticks[1], *axis.texts, *axis.legend))
    unnamed = [name for name in REGRESSORS if name not in words]
    require(not unnamed, "every regressor is named", expected=REGRESSORS, got=f"all but {unnamed}")
