"""Self-checks of task 4, tune.py: `pytest -k tune`. The other tasks are played by stand-ins, so that they cannot fail these."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pytest
from torch import nn

from grader.suite import accelerator, as_array, as_frame, assert_close, check, require, require_columns, require_equal
from grader.suite.in_process import put_in_place


@dataclass
class Asked:
    """What was asked of the other tasks."""

    prices: list[pd.DataFrame] = field(default_factory=list)  # of each build_features
    fitted: list[int] = field(default_factory=list)  # the last window that each Scaler was fitted on
    settings: list[object] = field(default_factory=list)  # of each training


class PriceRNN(nn.Module):
    def __init__(self, n_features, hidden_size, num_layers=1, dropout=0.0, cell="gru"):
        super().__init__()
        if cell == "broken":
            raise ValueError("there is no broken cell")
        self.hidden_size, self.head = hidden_size, nn.Linear(1, 1)


class StandIns:
    """Tasks 2, 3 and 5 so simple that scores can be foretold: the error is the mean of the closes that `evaluate` is given,
    plus the model's hidden_size. A window's number is its only feature.
    """

    def __init__(self, asked: Asked) -> None:
        class Scaler:
            def fit(self, X, y):
                asked.fitted.append(int(np.max(X)))
                return self

            def transform(self, X):
                return X

            def transform_target(self, y):
                return y

            inverse_target = transform_target

        def build_features(prices):
            asked.prices.append(prices)
            return pd.DataFrame({"day": np.arange(float(len(prices)))}, index=prices.index)

        def train(model, train_loader, val_loader, accelerator, config):
            asked.settings.append(config)

        self.Scaler, self.build_features, self.train = Scaler, build_features, train

    def future_return(self, close, horizon=1):
        return pd.Series(np.arange(float(len(close))), index=close.index)

    def make_windows(self, features, target, lookback, horizon=1):
        n = len(features) - lookback - horizon + 1
        X = np.repeat(np.arange(n, dtype="float32"), lookback).reshape(n, lookback, 1)
        days = features.index[lookback + horizon - 1 :]
        return X, target.loc[days].to_numpy("float32"), days

    def evaluate(self, model, loader, scaler, close, accelerator):
        return {"mae": float(np.mean(close)) + model.hidden_size}


@pytest.fixture
def asked(student, monkeypatch) -> Asked:
    """Puts the stand-ins in the place of the other tasks, there and where tune has imported them."""
    notes = Asked()
    stand_ins = StandIns(notes)
    names = ["Scaler", "build_features", "future_return", "make_windows"]
    parts = {"features": {name: getattr(stand_ins, name) for name in names}, "model": {"PriceRNN": PriceRNN}}
    parts |= {"train": {"train": stand_ins.train}, "evaluate": {"evaluate": stand_ins.evaluate}}
    put_in_place(student, monkeypatch, "tune", parts)
    return notes


def history(n: int) -> pd.DataFrame:
    """n days; the closes are 100, 101, 102, …"""
    close = 100.0 + np.arange(n)
    columns = dict.fromkeys(["Open", "High", "Low", "Close"], close) | {"Volume": 1000.0}
    return pd.DataFrame(columns, index=pd.bdate_range("2024-01-01", periods=n, name="Date"))


FOLDS = "34 days, closes 100 to 133, lookback 4: windows 0 to 29, validated on 15-19, 20-24 and 25-29"


@check(
    title="Each block is validated on once, after all that lies before it, less the gap",
    hint="np.array_split(np.arange(min_train, n), n_splits); train is np.arange(block[0] - gap).",
)
def test_tune_splits(student):
    case = "n 10, n_splits 3, min_train 4, gap 1"
    folds = student.tune.walk_forward_splits(10, 3, 4, gap=1)
    got = [[as_array(part, "a part").astype(int).tolist() for part in fold] for fold in folds]
    wanted = [[[0, 1, 2], [4, 5]], [[0, 1, 2, 3, 4], [6, 7]], [[0, 1, 2, 3, 4, 5, 6], [8, 9]]]
    require_equal(got, wanted, "train and val of each fold are these", case)
    for n, n_splits, min_train, gap in ((10, 3, 2, 2), (10, 3, 8, 0)):
        with student.raises(ValueError):
            student.tune.walk_forward_splits(n, n_splits, min_train, gap=gap)


@check(
    title="cross_validate gives the error of each fold, from the last close before each target",
    hint="close.shift(1).loc[days] is the close before each target's day; give `evaluate` those of the fold's windows.",
)
def test_tune_score(student, asked):
    scores = student.tune.cross_validate(history(34), {"lookback": 4, "hidden_size": 7}, accelerator(), seed=0)
    case = f"{FOLDS}; the last closes before them are 118-122, 123-127, 128-132; an error is their mean + 7"
    assert_close(scores, [127.0, 132.0, 137.0], "cross_validate's result", case=case)


@check(
    title="In each fold the Scaler learns anew, from the fold's training windows alone",
    hint="Scaler().fit(X[train_rows], y[train_rows]) inside the loop over walk_forward_splits(…, gap=lookback).",
)
def test_tune_folds(student, asked):
    student.tune.cross_validate(history(34), {"lookback": 4, "lr": 0.25}, accelerator(), seed=3)
    case = f"{FOLDS}, after a gap of 4"
    require_equal(asked.fitted, [10, 15, 20], "the last windows that a Scaler was fitted on", case)
    told = [(settings.lr, settings.seed) for settings in asked.settings]
    require_equal(told, [(0.25, 3)] * 3, "each training is told the settings and the seed", "lr 0.25, seed 3")


@check(
    title="search has a row for each trial, and leaves the test part alone",
    hint="Cut the last TEST_FRACTION of days off first; then draw from np.random.default_rng(seed), setting by setting.",
)
def test_tune_search(student, asked):
    space = {"hidden_size": [1, 2, 3, 4], "lookback": [4], "weight_decay": [0.0, 0.5]}

    def search() -> pd.DataFrame:
        table = student.tune.search(history(40), space, accelerator(), n_trials=6, seed=0)
        return as_frame(table, "search's result")

    table = search()
    require_columns(table, [*space, "mae_mean", "mae_std", "seconds", "error"], "search's result")
    require_equal(list(table.index), list(range(6)), "there is a row a trial, numbered from 0", "n_trials=6")
    days = {len(prices) for prices in asked.prices}
    require_equal(days, {34}, "only days before the test part are used", "40 days, the last 15% of them for the test")
    sizes = as_array(table["hidden_size"].astype(float), "hidden_size")
    case = "40 days, of which 34 are known; errors 120, 125 and 130, plus hidden_size"
    assert_close(table["mae_mean"], 125 + sizes, "mae_mean", case=case)
    std = as_array(table["mae_std"], "mae_std")
    near = bool((np.isclose(std, 4.08248, atol=1e-3) | np.isclose(std, 5.0, atol=1e-3)).all())
    require(near, "mae_std is right", expected="4.0825 (or 5, with n − 1)", got=std.tolist(), case=case)
    again = [table[name].tolist() for name in space], [search()[name].tolist() for name in space]
    require_equal(again[1], again[0], "the same seed tries the same settings", "seed 0, twice")


@check(
    title="A trial that fails is a row with its error, and the search goes on until its time is over",
    hint="try around cross_validate alone, except Exception as error; NaN for the scores and the text for `error`.",
)
def test_tune_failure(student, asked):
    table = student.tune.search(history(40), {"cell": ["broken"], "lookback": [4]}, accelerator(), n_trials=2, seed=0)
    table = as_frame(table, "search's result")
    case = "two trials with cell='broken', on which PriceRNN raises a ValueError"
    require_equal(len(table), 2, "both trials are in the table", case)
    require(bool(table["mae_mean"].isna().all()), "mae_mean is NaN", got=table["mae_mean"].tolist(), case=case)
    texts = table["error"].tolist()
    told = all("there is no broken cell" in str(text) for text in texts)
    require(told, "error holds the exception's text", expected="… there is no broken cell …", got=texts, case=case)
    settings = {"n_trials": 5, "seed": 0, "budget_seconds": 0.0}
    table = as_frame(student.tune.search(history(40), {"lookback": [4]}, accelerator(), **settings), "search's result")
    require_equal(len(table), 1, "the first trial always runs, and no other when time is over", "budget_seconds=0")
    require_equal([str(text) for text in table["error"]], [""], "error is empty where all went well")


@check(
    title="best names the settings with the smallest error, among the trials that went well",
    hint="Drop the rows without mae_mean, take idxmin; its settings as a dictionary, without the four measures.",
)
def test_tune_best(student):
    measures = {"mae_mean": [2.0, np.nan, 1.5], "mae_std": [0.1, np.nan, 0.9], "seconds": [1.0] * 3}
    results = pd.DataFrame({"cell": ["gru", "rnn", "lstm"], "lookback": [5, 10, 20]} | measures)
    results["error"] = ["", "ValueError: no", ""]
    got = student.tune.best(results)
    require(isinstance(got, dict), "best returns a dictionary", got=type(got).__name__)
    case = "errors 2 (gru, 5), none (rnn, 10), 1.5 (lstm, 20)"
    require_equal(got, {"cell": "lstm", "lookback": 20}, "the smallest error wins", case)
    with student.raises(ValueError):
        student.tune.best(results.iloc[[1]])
