"""What a student's own page shows of this project: how the loss falls, and what the tasks predict together.

All of it is computed from the released training rows.
"""

import numpy as np
import pandas as pd

from grader.suite import Run, accelerator, as_array, exhibit, lines, scatter

TRAIN, HELD_OUT = 160, 60  # of the released rows: enough to see something, and quick
PLAIN = ["OverallQual", "GrLivArea", "YearBuilt", "TotalBsmtSF", "GarageCars", "FullBath"]
LOOP = {"epochs": 15, "lr": 0.01}


def released(run: Run) -> pd.DataFrame:
    """The first rows that students have."""
    return pd.read_csv(run.fixtures / "train.csv", index_col="Id", nrows=TRAIN + HELD_OUT)


@exhibit(task="train", title="The loss of your loop on six plain columns of the released houses, epoch by epoch")
def loss(student, run: Run):
    table = run.reference(released).iloc[:TRAIN]
    columns = table[PLAIN].to_numpy("float64")
    features = ((columns - columns.mean(axis=0)) / columns.std(axis=0)).astype("float32")
    prices = np.log1p(table["SalePrice"].to_numpy("float64")).astype("float32")
    model = student.train.LinearRegression(len(PLAIN), float(prices.mean()))
    batches = student.train.make_loader(features, prices, 16, True)
    history = student.train.train(model, batches, accelerator(), **LOOP)
    return lines({"training": history}, x="epoch", y="mean squared error of the log price")


@exhibit(task="evaluate", title="What your tasks predict together for 60 released houses that they were not trained on")
def predictions(student, run: Run):
    table = run.reference(released)
    train, held_out = table.iloc[:TRAIN], table.iloc[TRAIN:]
    preprocessor = student.preprocess.Preprocessor()
    preprocessor.fit(train)
    features, others = preprocessor.transform(train), preprocessor.transform(held_out)
    prices, unknown = student.preprocess.target(train), student.preprocess.target(held_out)
    model = student.train.LinearRegression(features.shape[1], float(as_array(prices, "target's result").mean()))
    student.train.train(model, student.train.make_loader(features, prices, 16, True), accelerator(), **LOOP)
    batches = student.train.make_loader(others, unknown, 60, False)
    predicted = student.preprocess.to_price(student.evaluate.predict(model, batches, accelerator()))
    thousands = [as_array(values, "prices") / 1000 for values in (held_out["SalePrice"], predicted)]
    return scatter(*thousands, x="price, thousand dollars", y="predicted, thousand dollars")
