"""Task 5, errors and forecasts: by numbers whose errors are plain, and a network whose answers tell how it was asked."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from grader.suite import (
    Run,
    accelerator,
    as_array,
    as_float,
    as_series,
    assert_close,
    check,
    loader,
    recipe,
    reference,
    require,
    tensor,
)

N, BATCH, TIME, FEATURES = 9, 4, 3, 2  # nine: neither batches of four nor two processes share them out evenly
TRAINING_SCALE = 3.0  # answers in eval mode are this many times those in training mode
MEASURES = ("mae", "rmse", "mape", "directional_accuracy", "naive_mae", "skill")


def measured(student, name: str, y_true: np.ndarray, y_pred: np.ndarray, *, case: str = "") -> float:
    """A measure of the student's: a float, of Python's or NumPy's, neither an array nor a tensor."""
    found = getattr(student.evaluate, name)(y_true, y_pred)
    require(isinstance(found, float | np.floating), f"{name} is a float", got=type(found).__name__, case=case)
    return float(found)


@check(
    title="mae and rmse are the mean absolute error and the root of the mean square, as floats",
    hint="abs() before the mean, or signs cancel; a spread (np.std) leaves the mean error out. float() makes a float "
    "of a tensor or of an array without dimensions.",
)
def test_mae_rmse(student, rng):
    for n in (1, 37):
        y_true, y_pred = rng.normal(100, 20, (2, n))
        error, case = y_pred - y_true, f"{n} forecasts"
        got = [measured(student, name, y_true, y_pred, case=case) for name in ("mae", "rmse")]
        assert_close(got[0], np.abs(error).mean(), "mae", case=case)
        assert_close(got[1], np.sqrt((error**2).mean()), "rmse", case=case)


@check(
    title="mape is in percent of the true values, as a float",
    hint="Each error by its own true value, then the mean, times 100; float() of a tensor or an array.",
)
def test_mape(student, rng):
    assert_close(measured(student, "mape", np.array([50.0, 200.0]), np.array([60.0, 190.0])), 12.5, "mape")
    y_true = rng.uniform(5, 300, 23)
    y_pred = y_true + rng.normal(0, 20, 23)
    expected = 100 * np.mean([abs(p - t) / t for t, p in zip(y_true, y_pred, strict=True)])
    assert_close(measured(student, "mape", y_true, y_pred), expected, "mape")


def moves(student, steps: list[tuple[int, int]], rng: np.random.Generator) -> float:
    """Directional accuracy where the true price and the forecast move by whole steps from the last one."""
    true, forecast = np.array(steps, dtype="float64").T
    last = rng.integers(50, 400, len(steps)).astype("float64")
    return as_float(student.evaluate.directional_accuracy(last, last + true, last + forecast), "directional_accuracy")


@check(
    title="directional_accuracy counts rises and falls from the last known price",
    hint="Compare signs of the changes from `last`. Unchanged days are left out of both counts; a forecast of no "
    "change is wrong on the other days; NaN where no day has a direction. A part of 1, not percent.",
)
def test_direction(student, rng):
    right = [(3, 1), (1, 20), (-2, -9), (-7, -1)]
    wrong, still = [(2, -3), (-5, 1), (4, 0), (-6, 0)], [(0, 5), (0, -2), (0, 0)]
    counts = rng.integers(1, 4, 3)
    cases = {
        "all right": (right, 1.0),
        "all wrong, by the other direction or none": (wrong, 0.0),
        "prices that fall": ([(-1, -4), (-3, 2), (-2, -1), (-2, -2)], 0.75),
        "forecasts of no change among right ones": (right + wrong[2:], 4 / 6),
        "unchanged days among others": (right + wrong[:1] + still, 4 / 5),
        "many unchanged days": (right[:1] + wrong[:3] + still * 5, 1 / 4),
        "no day with a direction": (still, np.nan),
        "days in any order": None,
    }
    mixed = right * counts[0] + wrong * counts[1] + still * counts[2]
    cases["days in any order"] = (
        [mixed[i] for i in rng.permutation(len(mixed))],
        counts[0] / (counts[0] + counts[1]),
    )
    for case, (steps, expected) in cases.items():
        assert_close(moves(student, steps, rng), expected, "directional_accuracy", case=case)


@check(
    title="naive_forecast is the close of `horizon` days before, in the rows of close",
    hint="A shift forwards in time: the first `horizon` rows are NaN, neither filled nor dropped. One day unless told "
    "otherwise.",
)
def test_naive(student, rng):
    n = 12
    index = pd.DatetimeIndex(np.sort(rng.choice(pd.bdate_range("2022-01-03", periods=40), n, replace=False)))
    close = pd.Series(rng.uniform(50, 90, n), index=index)
    for horizon in (None, 1, 2, 5):
        days, case = horizon or 1, f"horizon={horizon}" if horizon else "no horizon given"
        got = student.evaluate.naive_forecast(close, *([] if horizon is None else [horizon]))
        got = as_series(got, "naive_forecast's result", case=case)
        require(len(got) == n, "there is one row a day", expected=n, got=len(got), case=case)
        require(list(got.index) == list(index), "the rows are those of close", got=list(got.index)[:3], case=case)
        expected = [np.nan] * days + close.to_list()[: n - days]
        assert_close(got, expected, "the forecast", case=case)


@dataclass(frozen=True)
class Case:
    """Nine windows with scaled targets, and the prices from which these lead on."""

    weight: np.ndarray
    bias: float
    X: np.ndarray
    y: np.ndarray
    close: np.ndarray
    mean: float
    std: float

    @property
    def answers(self) -> np.ndarray:
        return (self.X[:, -1] - 0.5 * self.X[:, 0]) @ self.weight + self.bias

    def model(self, *, training: bool = False, **settings: float):
        return recipe("forecaster_in_mode", training, self.weight, self.bias, **settings)

    @property
    def batches(self):
        return loader(self.X, self.y, batch_size=BATCH)

    def prices(self, y: np.ndarray) -> np.ndarray:
        return self.close * np.exp(y * self.std + self.mean)

    def measures(self) -> dict[str, float]:
        true, forecast, last = self.prices(self.y), self.prices(self.answers), self.close
        error, naive = np.abs(forecast - true), np.abs(last - true).mean()
        return {
            "mae": error.mean(),
            "rmse": np.sqrt((error**2).mean()),
            "mape": 100 * (error / true).mean(),
            "directional_accuracy": (np.sign(forecast - last) == np.sign(true - last)).mean(),
            "naive_mae": naive,
            "skill": 1 - error.mean() / naive,
        }


@reference
def nine(run: Run) -> Case:
    """Returns of some per cent whose mean is far from 0, so that scaled targets and returns differ in sign, too."""
    rng = run.rng("nine windows")
    while True:
        X, weight = rng.normal(size=(N, TIME, FEATURES)), rng.normal(0, 0.7, FEATURES)
        close = rng.uniform(20, 400, N)
        case = Case(weight, 0.3, X, np.zeros(N), close, float(rng.uniform(0.01, 0.02)), float(rng.uniform(0.03, 0.05)))
        case = Case(weight, 0.3, X, case.answers + rng.normal(0, 1, N), close, case.mean, case.std)
        returns = np.array([case.y, case.answers]) * case.std + case.mean
        scaled = np.mean(np.sign(case.y) == np.sign(case.answers))
        # No change is so small that rounding could turn it, and the directions of scaled targets would not do.
        if np.abs(returns).min() > 1e-4 and scaled != case.measures()["directional_accuracy"]:
            return case


def require_predicted(found: object, nine: Case, case: str = "", scale: float = 1.0) -> None:
    require(isinstance(found, tuple | list) and len(found) == 2, "predict gives (y_true, y_pred)", got=found, case=case)
    y_true, y_pred = (as_array(part, "y_true or y_pred", shape=(N,), case=case) for part in found)
    # Sums of a few float32 numbers of size 1.
    assert_close(y_true, nine.y, "y_true", case=case, atol=1e-5)
    assert_close(y_pred, scale * nine.answers, "y_pred", case=case, rtol=1e-4, atol=1e-5)


@check(
    title="predict gives what is true and what the model says, once for each sample, in the loader's order",
    hint="All batches, the last one too: it has a single sample, of which squeeze() makes a number. (y_true, y_pred) "
    "as arrays of shape (n,).",
)
def test_predict_order(student, nine):
    found = student.evaluate.predict(student.make(nine.model()), nine.batches, accelerator())
    require_predicted(found, nine)
    kinds = [type(part).__name__ for part in found]
    require(kinds == ["ndarray"] * 2, "predict gives NumPy arrays", got=kinds)


@check(
    title="predict asks in eval mode and without gradients, and leaves the model in the mode in which it came",
    hint="model.eval() and torch.no_grad() around the loop; remember model.training before, and set it again after.",
)
def test_predict_mode(student, nine):
    for training in (True, False):
        case = f"training was {training}"
        model = student.make(nine.model(training=training, quiet=TRAINING_SCALE, grad_offset=100.0))
        found = student.evaluate.predict(model, nine.batches, accelerator())
        require_predicted(found, nine, f"{case}; answers are 100 higher where gradients are recorded", TRAINING_SCALE)
        after = as_array(model(tensor(nine.X)), "the model's output", shape=(N,), case=case)
        expected = nine.answers * (1 if training else TRAINING_SCALE) + 100
        assert_close(after, expected, "the model's output afterwards", case=case, rtol=1e-5, atol=1e-4)


@check(
    title="On two processes predict gives each sample once, in order, to both",
    hint="Prepare model and loader; gather_for_metrics drops what padding repeats, gather keeps it (9 become 16). "
    "What is true is gathered as the forecasts are, batch by batch: whole shares are out of order.",
)
def test_predict_two_processes(student, nine):
    results = student.on(processes=2).evaluate.predict(nine.model(), nine.batches, accelerator())
    for rank, found in enumerate(results.values):
        require_predicted(found, nine, f"process {rank} of 2")


def evaluated(student, nine: Case) -> dict[str, float]:
    """evaluate's measures, asked for once."""
    scale = recipe("TargetScale", nine.mean, nine.std)
    ask = lambda: student.evaluate.evaluate(  # noqa: E731
        student.make(nine.model()), nine.batches, scale, nine.close, accelerator()
    )
    got = student.once("evaluate's measures", ask)
    rule = "evaluate gives a dictionary with its measures"
    require(isinstance(got, dict) and set(got) >= set(MEASURES), rule, expected=MEASURES, got=got)
    return {name: as_float(got[name], name) for name in MEASURES}


# float32 answers have an error of 1e-7; of a price that is some 1e-6 of its usual change.
SLACK = {"rtol": 1e-4, "atol": 1e-5}


@check(
    title="evaluate measures prices",
    hint="Scaled targets → log returns (scaler.inverse_target) → prices: close · exp(r), each from its own close, for "
    "truth and forecast; then the errors. The direction is that from `close`.",
)
def test_evaluate_prices(student, nine):
    got, expected = evaluated(student, nine), nine.measures()
    for name in ("mae", "rmse", "mape", "directional_accuracy"):
        assert_close(got[name], expected[name], name, **SLACK)


@check(
    title="skill compares with the forecast that the price stays as it is",
    hint="naive_mae is how far `close` itself, as the forecast, is from the true prices; skill = 1 − mae / naive_mae.",
)
def test_evaluate_skill(student, nine):
    got, expected = evaluated(student, nine), nine.measures()
    for name in ("naive_mae", "skill"):
        assert_close(got[name], expected[name], name, **SLACK)
