"""Task 2, prepare: what joins the pieces must not let the future in. The pieces themselves are other checks' business."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from types import ModuleType

import numpy as np
import pandas as pd
from sklearn.linear_model import OrthogonalMatchingPursuit

from grader.errors import StudentFault
from grader.suite import CheckFailed, Run, Student, as_array, assert_close, check, reference, require

LOOKBACK, HORIZON, DAYS = 6, 3, 260
FRACTIONS = (0.2, 0.25)
PARTS = ("train", "val", "test")
# One market long enough for a forecast that comes near the best one, and days enough to see that it does.
MARKET_DAYS, UNSEEN, TERMS, FAR = 2500, 0.23, 5, 4.0
SURPRISED = 0.25  # of chance alone a correlation over these 1,150 days has a deviation of 1 / sqrt(1150) = 0.03


@dataclass(frozen=True)
class Result:
    """What `prepare` gave, by part, in plain types; `at` are the rows of prices that the targets' days are.

    `returns`: what inverse_target makes of −1, 0 and 1.
    """

    X: dict[str, np.ndarray]
    y: dict[str, np.ndarray]
    at: dict[str, np.ndarray]
    returns: np.ndarray
    handle: object = None


def prepare(student: Student, prices: pd.DataFrame, *arguments: object, case: str = "") -> Result:
    """The student's `prepare`."""
    handle = student.features.prepare(prices, *arguments)
    found, X, y, at = student.tools.prepared_parts(handle), {}, {}, {}
    for name in PARTS:
        part = found[name]
        X[name] = as_array(part["X"], f"X of {name}", shape=(None, None, None), case=case)
        y[name] = as_array(part["y"], f"y of {name}", shape=(None,), case=case)
        at[name] = _places(part["days"], prices, f"days of {name}", case)
        sizes = len(X[name]), len(y[name]), len(at[name])
        whole = sizes[0] > 0 and len(set(sizes)) == 1
        require(whole, f"{name} has as many windows as targets and days", got=sizes, case=case)
    return Result(X, y, at, as_array(found["returns"], "inverse_target", shape=(3,), case=case), handle)


def _places(days: object, prices: pd.DataFrame, what: str, case: str) -> np.ndarray:
    try:
        at = prices.index.get_indexer(pd.DatetimeIndex(days))
    except (TypeError, ValueError):
        at = np.array([-1])
    require(bool((at >= 0).all()), f"{what} are days of prices", got=type(days).__name__, case=case)
    return at


def draw_prices(rng: np.random.Generator) -> pd.DataFrame:
    """Prices that grow calmer and rise, so that each part of the days has a mean and a spread of its own."""
    spread = np.linspace(0.04, 0.01, DAYS)
    close = 50 * np.exp((np.linspace(-0.01, 0.015, DAYS) + spread * rng.normal(size=DAYS)).cumsum())
    opening = close * np.exp(spread * rng.normal(size=DAYS) / 2)
    high, low = (edge(opening, close) * factor for edge, factor in ((np.maximum, 1.01), (np.minimum, 0.99)))
    columns = {"Open": opening, "High": high, "Low": low, "Close": close, "Volume": rng.integers(1000, 9000, DAYS)}
    return pd.DataFrame(columns, pd.bdate_range("2021-01-04", periods=DAYS, name="Date"))


@reference
def prepare_case(run: Run) -> pd.DataFrame:
    """The prices of the checks that ask for one answer."""
    return draw_prices(run.rng("prepare_case"))


def prepared(student: Student, prices: pd.DataFrame) -> Result:
    """The student's parts of `prepare_case`, asked for once."""
    return student.once("prepared", lambda: prepare(student, prices, LOOKBACK, HORIZON, *FRACTIONS))


def judge(student: Student, prices: pd.DataFrame, holds: Callable[[Result], None]) -> None:
    """Fail as `holds` does, unless the parts are what the student's own pieces give when they are joined rightly."""
    parts = prepared(student, prices)
    try:
        holds(parts)
    except CheckFailed as failure:
        try:
            _require_joined(student, prices, parts)
        except (StudentFault, CheckFailed, LookupError, TypeError, ValueError, AttributeError):
            raise failure from None


def _require_joined(student: Student, prices: pd.DataFrame, parts: Result) -> None:
    """`parts` are features, windows, split and scaler of the student's own, joined as the docstring says."""
    own, target = student.features, np.log(prices["Close"]).diff(HORIZON)
    X, y, days = own.make_windows(own.build_features(prices), target, LOOKBACK, HORIZON)
    X, y, at = as_array(X, "X"), as_array(y, "y"), _places(days, prices, "days", "")
    split = own.chronological_split(len(y), *FRACTIONS, LOOKBACK + HORIZON - 1)
    rows = {name: as_array(part, name).astype(int) for name, part in zip(PARTS, split, strict=True)}
    scaler = own.Scaler()
    scaler.fit(X[rows["train"]].astype("float32"), y[rows["train"]].astype("float32"))
    for name, part in rows.items():
        scaled = scaler.transform(X[part].astype("float32")), scaler.transform_target(y[part].astype("float32"))
        assert_close(parts.X[name], as_array(scaled[0], "X"), "X", rtol=1e-4, atol=1e-5)
        assert_close(parts.y[name], as_array(scaled[1], "y"), "y", rtol=1e-4, atol=1e-5)
        assert_close(parts.at[name], at[part], "days")
        require(bool(np.nanstd(parts.X[name]) > 0 and np.nanstd(parts.y[name]) > 0), "windows and targets vary")


@check(
    title="What comes after training changes nothing in it, nor what comes after a window anything in the window",
    hint="The Scaler is fitted on the training windows and their targets alone, not the gap's, then used for all: a "
    "part scaled by itself has windows that know its last day; horizon goes to future_return and to make_windows.",
)
def test_prepare_future(student, prepare_case, rng):
    judge(student, prepare_case, lambda parts: _require_past(student, prepare_case, parts, rng))


def _require_past(student: Student, prices: pd.DataFrame, before: Result, rng: np.random.Generator) -> None:
    # The training part by its own statistics: windows and days of each feature, and the targets.
    X, y = before.X["train"].reshape(-1, before.X["train"].shape[-1]), before.y["train"]
    spread = X.std(axis=0)
    varies = spread > 1e-6
    # float32, and a deviation by n or n - 1, are far below; one more part in the statistics is far above.
    assert_close(X.mean(axis=0), np.zeros(X.shape[1]), "each feature's mean over the training windows", atol=0.01)
    assert_close(spread[varies], np.ones(int(varies.sum())), "each feature's deviation over them", rtol=0.01)
    assert_close([y.mean(), y.std()], [0, 1], "mean and deviation of the training targets", rtol=0.01, atol=0.01)
    ends = {name: before.at[name].max() for name in PARTS[:2]} | {"test": DAYS - 1 - HORIZON}
    for place, (known, last) in enumerate(ends.items()):
        case = f"other prices after the last {'window' if known == 'test' else 'day'} of {known}"
        after = prepare(student, changed_after(prices, last, rng), LOOKBACK, HORIZON, *FRACTIONS, case=case)
        assert_close(after.returns, before.returns, "inverse_target", rtol=1e-6, case=case)
        for name in PARTS[: place + 1]:
            assert_close(after.at[name], before.at[name], f"the rows that are days of {name}", case=case)
            assert_close(after.X[name], before.X[name], f"X of {name}", atol=1e-4, case=case)
            if known != "test":
                assert_close(after.y[name], before.y[name], f"y of {name}", case=case)
    for name in PARTS[1:]:  # a part that is scaled by itself knows its own last days on the first
        half, case = len(before.at[name]) // 2, f"other prices after the middle window of {name}"
        last = int(before.at[name][half - 1]) - HORIZON
        after = prepare(student, changed_after(prices, last, rng), LOOKBACK, HORIZON, *FRACTIONS, case=case)
        assert_close(after.X[name][:half], before.X[name][:half], f"X of {name} until then", atol=1e-4, case=case)


def changed_after(prices: pd.DataFrame, last: int, rng: np.random.Generator) -> pd.DataFrame:
    """Other prices from the row after `last` on."""
    changed = prices.copy()
    changed.iloc[last + 1 :, :4] *= rng.uniform(2, 4, (DAYS - last - 1, 1))
    changed.iloc[last + 1 :, 4] *= 10
    return changed


@check(
    title="The parts follow each other, share no day, and hold the return over the horizon",
    hint="lookback and horizon go unchanged to future_return, make_windows and the gap of lookback + horizon - 1; no "
    "shift of your own; val's fraction is first; one scaler for all: its inverse_target gives the return back.",
)
def test_prepare_parts(student, prepare_case):
    judge(student, prepare_case, lambda parts: _require_parts(student, prepare_case, parts))


def _require_parts(student: Student, prices: pd.DataFrame, parts: Result) -> None:
    gap = LOOKBACK + HORIZON - 1
    for name in PARTS:
        got = parts.X[name].shape
        require(got[1] == LOOKBACK, "a window has lookback days", expected=LOOKBACK, got=got[1], case=name)
        ordered = bool((np.diff(parts.at[name]) == 1).all())
        require(ordered, "a part's targets are of days in a row", got=parts.at[name], case=name)
    for before, after in pairwise(PARTS):
        first = parts.at[after].min() - gap  # the first day of the first window
        free, case = int(first - parts.at[before].max() - 1), f"{before}, then {after}"
        require(
            free >= 0, "no day of one part is one of the next", expected="0 days or more between", got=free, case=case
        )
        require(free == 0, "no window is left out without need", expected="0 days between", got=free, case=case)
    n = sum(map(len, parts.at.values())) + 2 * gap
    for name, fraction, cut in zip(PARTS[1:], FRACTIONS, (gap, 0), strict=True):
        size = len(parts.at[name]) + cut
        near = abs(size - fraction * n) <= 1.5  # of how to round, another check tells
        require(near, f"{name} has its part of the windows", expected=round(fraction * n), got=size, case=name)
    close = prices["Close"].to_numpy()
    for name, at in parts.at.items():
        returns = as_array(student.tools.returns_of(parts.handle, parts.y[name]), "inverse_target", shape=at.shape)
        wanted = np.log(close[at] / close[at - HORIZON])
        assert_close(returns, wanted, "log returns over the horizon", rtol=1e-3, atol=1e-5, case=name)


@reference
def long_market(run: Run) -> object:
    """A market whose best possible forecast is known."""
    generator: ModuleType = run.generator()
    return generator.make_market(MARKET_DAYS, run.rng("long_market"))


def terms(X: np.ndarray) -> np.ndarray:
    """What a forecast may be made of: a window's numbers, and for each of its days their products, one of two bent."""
    X = np.clip(X, -FAR, FAR)  # (n, lookback, n_features)
    products = X[:, :, :, None] * np.tanh(X)[:, :, None, :]
    return np.concatenate([X.reshape(len(X), -1), products.reshape(len(X), -1)], axis=1)


def forecast(parts: Result) -> np.ndarray:
    """Scaled forecasts of val and test, by the few terms that say most about the training part.

    So few that columns of a student's own, of use or not, hardly change how far off it is.
    """
    train, unseen = terms(parts.X["train"]), terms(np.concatenate([parts.X["val"], parts.X["test"]]))
    mean, std = train.mean(axis=0), train.std(axis=0)
    train, unseen = ((part - mean) / np.where(std > 1e-9, std, 1.0) for part in (train, unseen))
    return OrthogonalMatchingPursuit(n_nonzero_coefs=TERMS).fit(train, parts.y["train"]).predict(unseen)


@check(
    title="A regression on the windows forecasts as well as is possible, and no better",
    hint="Too weak: windows lack the newest days, or have other days' targets, or features or scaling lost what they "
    "tell. Better than possible: a window holds something of its target's day.",
)
def test_prepare_honest(student, long_market, thresholds, gauge):
    prices = long_market.prices
    parts = prepare(student, prices, 2, 1, UNSEEN, UNSEEN)
    for name in PARTS:
        finite = bool(np.isfinite(parts.X[name]).all() and np.isfinite(parts.y[name]).all())
        require(finite, "there is no NaN and no infinity", case=name)
    at = np.concatenate([parts.at["val"], parts.at["test"]])
    require(bool(len(at) > MARKET_DAYS / 4 and at.min() > 0), "val and test have their part of the days", got=len(at))
    returns = as_array(student.tools.returns_of(parts.handle, forecast(parts)), "inverse_target", shape=at.shape)
    move = (prices["Close"] / prices["Close"].shift(1)).to_numpy()[at]
    error, least = (np.abs(np.exp(guess) - move).mean() for guess in (returns, long_market.drift[at]))
    low, high, rule = thresholds["possible_mae"], thresholds["honest_mae"], "its MAE is about that of the best forecast"
    gauge(error / least, rule, at_least=low, at_most=high, unit=" times")
    ranks, surprises = (pd.Series(values).rank() for values in (returns, np.log(move) - long_market.drift[at]))
    rule, unit = "the forecast has nothing to do with what nobody can know", ", by the correlation of their ranks"
    gauge(ranks.corr(surprises), rule, at_most=SURPRISED, unit=unit)
