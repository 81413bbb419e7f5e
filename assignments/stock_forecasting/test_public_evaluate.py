"""Self-checks of task 5, evaluate.py: `pytest -k evaluate`."""

import sys

import numpy as np
import pandas as pd
import pytest

from grader.suite import (
    Recipe,
    accelerator,
    as_figure,
    as_series,
    assert_close,
    check,
    linear,
    loader,
    require,
    require_equal,
)


def probe(weight: float, bias: float) -> Recipe:
    """Windows (batch, 1, 1) -> flat (batch, 1) -> weight · x + bias (batch,)."""
    return Recipe("torch.nn:Sequential", (Recipe("torch.nn:Flatten"), linear([weight], bias)))


def five_windows() -> Recipe:
    """x = 0 … 4, with targets 0, 10, 20, 30, 40."""
    return loader(np.arange(5.0)[:, None, None], np.arange(5.0) * 10, batch_size=2)


@check(
    title="mae, rmse and mape measure in the price's unit, and in percent of the true price",
    hint="The means of |error|, of error² (then its root), and of 100 · |error| / y_true.",
)
def test_evaluate_errors(student):
    y_true, y_pred = np.array([100.0, 200.0]), np.array([110.0, 198.0])
    for name, value in {"mae": 6.0, "rmse": 7.211103, "mape": 5.5}.items():
        got = getattr(student.evaluate, name)(y_true, y_pred)
        assert_close(got, value, name, case="true 100, 200, forecast 110, 198: errors 10 and 2, or 10% and 1%")


@check(
    title="directional_accuracy counts the days on which the forecast moves as the price does",
    hint="Compare the signs of y_true - last and y_pred - last; leave out the days on which the first is 0.",
)
def test_evaluate_direction(student):
    last, y_true = np.array([10.0, 10, 10, 10, 10]), np.array([11.0, 12, 9, 9, 10])
    y_pred = np.array([10.5, 9, 8, 10, 12])
    case = "last price 10; then 11, 12, 9, 9, 10; forecast 10.5 (right), 9, 8 (right), 10 (no direction), 12 (no day)"
    assert_close(student.evaluate.directional_accuracy(last, y_true, y_pred), 0.5, "directional_accuracy", case=case)
    got = student.evaluate.directional_accuracy(last[:1], last[:1], y_pred[:1])
    assert_close(got, np.nan, "directional_accuracy", case="no day on which the price moves")


@check(
    title="The naive forecast is the close of `horizon` days before",
    hint="close.shift(horizon): shift(-horizon) would be the future.",
)
def test_evaluate_naive(student):
    close = pd.Series([10.0, 11, 12, 13], index=pd.bdate_range("2024-03-04", periods=4))
    for horizon, wanted in ((1, [np.nan, 10, 11, 12]), (2, [np.nan, np.nan, 10, 11])):
        got = as_series(student.evaluate.naive_forecast(close, horizon), "naive_forecast's result")
        assert_close(got, wanted, "naive_forecast", case=f"closes 10, 11, 12, 13; horizon {horizon}")


@check(
    title="predict answers every window once, in order, in eval mode, and puts the mode back",
    hint="model.eval() and torch.no_grad() around the loop, torch.cat behind it, model.train(was_training) at the end.",
)
def test_evaluate_predict(student):
    dropout = Recipe("torch.nn:Dropout", (0.5,))
    model = student.make(Recipe("torch.nn:Sequential", (dropout, probe(1.0, 10.0))))
    for mode in (True, False):
        model.train(mode)
        y_true, y_pred = student.evaluate.predict(model, five_windows(), accelerator())
        case = "10 + x for x = 0 … 4 in batches of 2, behind a dropout that eval mode turns off"
        assert_close(y_pred, [10, 11, 12, 13, 14], "y_pred", case=case)
        assert_close(y_true, [0, 10, 20, 30, 40], "y_true", case="targets 0, 10, 20, 30, 40")
        require_equal(model.training, mode, "the model is in the mode in which it came", f"training={mode}")


@pytest.mark.skipif(sys.platform != "linux", reason="two processes are tried on Linux only")
@check(
    title="predict gives each window once on two processes, and all of them on both",
    hint="gather_for_metrics drops the windows that were repeated to even the processes out; gather keeps them.",
)
def test_evaluate_processes(student):
    results = student.on(processes=2).evaluate.predict(probe(1.0, 10.0), five_windows(), accelerator())
    for rank, (y_true, y_pred) in enumerate(results.values):
        case = f"10 + x for x = 0 … 4 in batches of 2, process {rank} of 2"
        assert_close(y_pred, [10, 11, 12, 13, 14], "y_pred", case=case)
        assert_close(y_true, [0, 10, 20, 30, 40], "y_true", case=case)


class Tenfold:
    """A scaler whose targets are ten times the log return."""

    def inverse_target(self, y: np.ndarray) -> np.ndarray:
        """(n,) scaled targets -> (n,) log returns."""
        return np.asarray(y, dtype="float64") / 10


@check(
    title="evaluate measures prices, and compares with the forecast that nothing changes",
    hint="close · exp(scaler.inverse_target(y)) of both; naive_mae compares the true prices with close itself.",
)
def test_evaluate_prices(student):
    forecast, true = np.log([1.05, 1.0]) * 10, np.log([1.1, 0.95]) * 10
    rows = loader(forecast[:, None, None], true, batch_size=1)
    scaler = student.make(Recipe(f"{__name__}:Tenfold"))
    model = student.make(probe(1.0, 0.0))
    got = student.evaluate.evaluate(model, rows, scaler, np.array([100.0, 200.0]), accelerator())
    wanted = {"mae": 7.5, "rmse": 7.905694, "mape": 4.904306, "directional_accuracy": 0.5, "naive_mae": 10.0}
    wanted["skill"] = 0.25
    require(isinstance(got, dict), "evaluate returns a dictionary", got=type(got).__name__)
    absent = [name for name in wanted if name not in got]
    require(not absent, "evaluate gives all of its measures", expected=list(wanted), got=f"no {', '.join(absent)}")
    case = "last prices 100, 200; then 110, 190; forecast 105, 200"
    for name, value in wanted.items():
        assert_close(got[name], value, name, case=case, rtol=1e-4)


@check(
    title="plot_forecast draws both prices over their dates, and says which is which, in which unit",
    hint="axis.plot(dates, actual, label=…), then predicted; legend(), a title, an x label, a y label with the currency.",
)
def test_evaluate_plot(student):
    dates, actual, predicted = (
        pd.bdate_range("2024-03-04", periods=3),
        np.array([10.0, 12, 11]),
        np.array([11.0, 10, 13]),
    )
    figure = as_figure(student.evaluate.plot_forecast(dates, actual, predicted, "EUR"), "the result", axes=1)
    axis = next(axis for axis in figure.axes if axis.has_data)
    days = [19786.0, 19787.0, 19788.0]  # as matplotlib counts them, from 1970 on
    drawn = [line.values.tolist() for line in axis.lines]
    for name, values in (("actual", actual), ("predicted", predicted)):
        wanted = np.column_stack([days, values])
        found = any(line.values.shape == wanted.shape and np.allclose(line.values, wanted) for line in axis.lines)
        case = "2024-03-04 is day 19786, as matplotlib counts"
        require(found, f"{name} is a line over the dates", expected=wanted.tolist(), got=drawn, case=case)
    require(len(axis.legend) >= 2, "a legend tells the lines apart", expected="two names", got=axis.legend)
    words = [figure.title or axis.title, axis.xlabel, axis.ylabel]
    require(all(words), "there are a title and two labels", got=words)
    require(
        "EUR" in axis.ylabel, "the y label has the unit", expected="… EUR …", got=axis.ylabel, case="currency='EUR'"
    )
