"""Task 4: errors by closed forms, predictions by models whose answers betray mode, gradients and order."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from grader.suite import (
    Run,
    StudentError,
    accelerator,
    as_array,
    as_figure,
    as_float,
    assert_close,
    check,
    loader,
    recipe,
    reference,
    require,
    tensor,
)

BATCH = 4
TRAINING_SCALE = 3.0  # a Moody model's answers in eval mode are this many times those in training mode


@dataclass(frozen=True)
class Case:
    """Nine rows, so that neither batches of four nor two processes share them out evenly, and a model near the truth."""

    weight: np.ndarray
    bias: float
    X: np.ndarray
    y: np.ndarray

    @property
    def predictions(self) -> np.ndarray:
        return self.X @ self.weight + self.bias

    @property
    def model(self):
        return recipe("Linear", self.weight, self.bias)

    @property
    def batches(self):
        return loader(self.X, self.y, batch_size=BATCH)


@reference
def nine(run: Run) -> Case:
    """Log prices around 12."""
    rng = run.rng("nine rows")
    X, weight = rng.normal(size=(9, 3)), rng.normal(0, 0.5, 3)
    y = X @ weight + 12 + 0.15 * rng.normal(size=9)
    return Case(weight, 12.05, X, y)


@check(title="rmse is the root of the mean squared error", hint="Square, mean, root; the mean is over all values.")
def test_rmse_value(student, rng):
    a, b = rng.normal(50, 20, size=(2, 37))
    got = as_float(student.evaluate.rmse(a.tolist(), b.tolist()), "rmse")
    assert_close(got, float(np.sqrt(((a - b) ** 2).mean())), "rmse", rtol=1e-5)


@check(
    title="rmse takes lists, arrays, Series and tensors, compares by position and gives a float",
    hint="Turn both into plain arrays first: two Series are subtracted by their index. float() makes a float of a tensor "
    "or of an array without dimensions.",
)
def test_rmse_types(student, rng):
    a, b = rng.normal(size=(2, 12))
    expected = float(np.sqrt(((a - b) ** 2).mean()))
    shuffled = pd.Series(b, index=rng.permutation(12))
    cases = {
        "arrays": (a, b),
        "Series": (pd.Series(a), shuffled),
        "tensors": (tensor(a), tensor(b)),
        "a list and a tensor": (a.tolist(), tensor(b)),
    }
    for name, (y_true, y_pred) in cases.items():
        got = student.evaluate.rmse(y_true, y_pred)
        floats = float | np.floating  # Python's or NumPy's
        require(isinstance(got, floats), "rmse is a float", got=type(got).__name__, case=name)
        assert_close(float(got), expected, "rmse", case=name, rtol=1e-4)


def require_rmse(student, a, b) -> None:
    """What is as it should be is measured: who refuses everything has refused nothing."""
    expected = float(np.sqrt(np.mean(np.subtract(a, b) ** 2)))
    assert_close(as_float(student.evaluate.rmse(a, b), "rmse"), expected, "rmse", case="equally many", rtol=1e-5)


@check(title="rmse refuses lengths that differ, and nothing at all", hint="raise ValueError; a mean of nothing is NaN.")
def test_rmse_refuses(student, rng):
    values = rng.normal(size=6).tolist()
    require_rmse(student, values, rng.normal(size=6).tolist())
    for y_true, y_pred in ((values, values[:5]), (values, values[:1]), ([], [])):
        with student.raises(ValueError):
            student.evaluate.rmse(y_true, y_pred)


@check(
    title="rmse never broadcasts (n,) against (n, 1)",
    hint="(n,) minus (n, 1) is (n, n): flatten both, or raise ValueError.",
)
def test_rmse_no_broadcast(student, rng):
    a, b = rng.normal(size=(2, 10))
    require_rmse(student, a, b)
    for y_true, y_pred in ((a, b[:, None]), (a[:, None], b)):
        try:
            got = student.evaluate.rmse(y_true, y_pred)
        except StudentError as error:
            if "ValueError" not in error.types:
                raise
            continue
        assert_close(as_float(got, "rmse"), float(np.sqrt(((a - b) ** 2).mean())), "rmse", case="(10,) and (10, 1)")


@check(
    title="predict answers every row once, in the loader's order",
    hint="Concatenate all batches, the last smaller one too.",
)
def test_predict_order(student, nine):
    got = student.evaluate.predict(student.make(nine.model), nine.batches, accelerator())
    assert_close(as_array(got, "the predictions", shape=(9,)), nine.predictions, "the predictions", rtol=1e-4)
    require(type(got).__name__ == "ndarray", "predict returns a NumPy array", got=type(got).__name__)


@check(title="predict runs the model in eval mode", hint="model.eval() before the loop: dropout and its like are off.")
def test_predict_eval_mode(student, nine):
    model = student.make(recipe("in_mode", recipe("Moody", nine.weight, nine.bias, quiet=TRAINING_SCALE), True))
    got = as_array(student.evaluate.predict(model, nine.batches, accelerator()), "the predictions", shape=(9,))
    assert_close(got, TRAINING_SCALE * nine.predictions, "the predictions of a model in eval mode", rtol=1e-4)


@check(
    title="predict leaves the model in the mode that it found",
    hint="Remember model.training, and set it again afterwards, whichever it was.",
)
def test_predict_restores_mode(student, nine):
    for training in (True, False):
        model = student.make(recipe("in_mode", recipe("Moody", nine.weight, nine.bias, quiet=TRAINING_SCALE), training))
        case = f"training was {training}"
        predicted = student.evaluate.predict(model, nine.batches, accelerator())
        predicted = as_array(predicted, "the predictions", shape=(9,), case=case)
        in_either = (np.allclose(predicted, scale * nine.predictions, rtol=1e-4) for scale in (1, TRAINING_SCALE))
        require(any(in_either), "the predictions are the model's, in one mode or the other", got=predicted, case=case)
        after = as_array(model(tensor(nine.X)), "the model's output", shape=(9,))
        expected = nine.predictions * (1 if training else TRAINING_SCALE)
        assert_close(after, expected, "the output afterwards", case=case, rtol=1e-4)


@check(title="predict records no gradients", hint="with torch.no_grad() or torch.inference_mode() around the loop.")
def test_predict_without_gradients(student, nine):
    model = student.make(recipe("Moody", nine.weight, nine.bias, grad_offset=100.0))
    got = as_array(student.evaluate.predict(model, nine.batches, accelerator()), "the predictions", shape=(9,))
    assert_close(
        got, nine.predictions, "the predictions of a model that adds 100 where gradients are recorded", rtol=1e-4
    )


@check(
    title="predict gives each row once on two processes",
    hint="gather_for_metrics drops the rows that padding repeats; gather keeps them (9 rows become 16).",
)
def test_predict_two_processes(student, nine):
    results = student.on(processes=2).evaluate.predict(nine.model, nine.batches, accelerator())
    for rank, value in enumerate(results.values):
        got = as_array(value, "the predictions", shape=(9,), case=f"process {rank} of 2")
        assert_close(got, nine.predictions, "the predictions", case=f"process {rank} of 2", rtol=1e-4)


@check(
    title="evaluate measures the log price",
    hint="rmse_log is a root, r2 compares with the mean of the true log prices.",
)
def test_evaluate_log(student, nine):
    got = student.evaluate.evaluate(student.make(nine.model), nine.batches, accelerator())
    error = nine.y - nine.predictions
    assert_close(_score(got, "rmse_log"), np.sqrt((error**2).mean()), "rmse_log", rtol=1e-4)
    assert_close(
        _score(got, "r2"), 1 - (error**2).sum() / ((nine.y - nine.y.mean()) ** 2).sum(), "r2", rtol=1e-4, atol=1e-5
    )


@check(
    title="evaluate measures dollars", hint="Back to dollars with expm1 first, then the error: not the other way round."
)
def test_evaluate_dollars(student, nine):
    got = student.evaluate.evaluate(student.make(nine.model), nine.batches, accelerator())
    error = np.expm1(nine.y) - np.expm1(nine.predictions)
    assert_close(_score(got, "rmse"), np.sqrt((error**2).mean()), "rmse", rtol=1e-3)
    assert_close(_score(got, "mae"), np.abs(error).mean(), "mae", rtol=1e-3)


def _score(scores: object, name: str) -> float:
    require(isinstance(scores, dict) and name in scores, f"evaluate gives {name}", got=scores)
    return as_float(scores[name], name)


@check(
    title="evaluate counts the rows of all processes",
    hint="Gather predictions and targets, then measure: an average of two processes' errors is not the error.",
)
def test_evaluate_two_processes(student, nine):
    results = student.on(processes=2).evaluate.evaluate(nine.model, nine.batches, accelerator())
    expected = float(np.sqrt(((nine.y - nine.predictions) ** 2).mean()))
    for rank, scores in enumerate(results.values):
        assert_close(_score(scores, "rmse_log"), expected, "rmse_log", case=f"process {rank} of 2", rtol=1e-4)


@check(
    title="plot_predictions shows predicted against actual, and where both are equal",
    hint="Points (actual, predicted), a line through equal values, labels on both axes.",
)
def test_predictions_plot(student, rng):
    actual = rng.lognormal(12, 0.3, 40)
    predicted = actual * rng.lognormal(0, 0.1, 40)
    figure = as_figure(student.evaluate.plot_predictions(actual, predicted), "plot_predictions' result", axes=1)
    axis = next(axis for axis in figure.axes if axis.has_data)
    require(bool(axis.xlabel and axis.ylabel), "both axes are labelled", got=f"{axis.xlabel!r} and {axis.ylabel!r}")
    clouds = [drawn.values for drawn in (*axis.points, *axis.lines) if len(drawn.values) == 40]
    require(bool(clouds), "every house is one point", expected="40 points")
    pairs = np.column_stack([actual, predicted])
    wanted = {"straight": pairs, "swapped": pairs[:, ::-1]}
    shown = [name for name, points in wanted.items() if any(_same_points(cloud, points) for cloud in clouds)]
    require(bool(shown), "the points are (actual, predicted)")
    lines = [drawn.values for drawn in axis.lines if len(drawn.values) >= 2]
    straight = any(np.allclose(line[:, 0], line[:, 1], rtol=1e-6) and np.ptp(line[:, 0]) > 0 for line in lines)
    require(straight, "the identity line is drawn", expected="a line with y = x")
    across = "pred" if shown[0] == "swapped" else "actual"
    require("swapped" not in shown or across in axis.xlabel.lower(), "the label names what is drawn", got=axis.xlabel)


def _same_points(cloud: np.ndarray, points: np.ndarray) -> bool:
    by_x = lambda values: values[np.lexsort(values.T[::-1])]  # noqa: E731
    return bool(np.allclose(by_x(cloud), by_x(points), rtol=1e-5))
