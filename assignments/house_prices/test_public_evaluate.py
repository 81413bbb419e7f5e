"""Self-checks of task 4, evaluate.py: `pytest -k evaluate`."""

import sys

import numpy as np
import pytest

from grader.suite import (
    Recipe,
    StudentError,
    accelerator,
    as_figure,
    assert_close,
    check,
    linear,
    loader,
    require,
    require_equal,
)

PRICES, PREDICTED = np.array([100000.0, 200000.0, 400000.0]), np.array([110000.0, 190000.0, 400000.0])


def five_rows() -> Recipe:
    return loader(np.arange(5.0)[:, None], np.zeros(5), batch_size=2)


@check(
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
    require_equal(model.training, True, "a model that came in training mode is in training mode again")


@pytest.mark.skipif(sys.platform != "linux", reason="two processes are tried on Linux only")
@check(
    title="predict gives each row once on two processes",
    hint="gather_for_metrics drops the rows that were repeated to even the processes out; gather keeps them.",
)
def test_evaluate_processes(student):
    results = student.on(processes=2).evaluate.predict(linear([1.0], 10.0), five_rows(), accelerator())
    for rank, got in enumerate(results.values):
        case = f"10 + x for x = 0 … 4 in batches of 2, process {rank} of 2"
        assert_close(got, [10, 11, 12, 13, 14], "predict's answer", case=case)


@check(
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
