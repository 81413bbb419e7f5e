"""Task 2, the indicators: against plain NumPy, day by day."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from grader.errors import StudentFault
from grader.suite import CheckFailed, as_array, as_frame, as_series, assert_close, check, require, require_columns

DAYS = 90
NEAR = {"rtol": 1e-4, "atol": 2e-6}  # for float32, too, of log prices around 4 and returns around 0.03


def plain_ema(values: np.ndarray, span: int) -> np.ndarray:
    """(n,) -> (n,)"""
    average = [values[0]]
    for value in values[1:]:
        average.append(average[-1] + 2 / (span + 1) * (value - average[-1]))
    return np.array(average)


def plain_rsi(close: np.ndarray, window: int) -> np.ndarray:
    """Wilder's recursion, word for word."""
    change, strength = np.diff(close), np.full(len(close), np.nan)
    gains, losses = np.maximum(change, 0), np.maximum(-change, 0)
    gain, loss = gains[:window].mean(), losses[:window].mean()
    for day in range(window, len(close)):
        if day > window:
            gain += (gains[day - 1] - gain) / window
            loss += (losses[day - 1] - loss) / window
        strength[day] = 100 * gain / (gain + loss) if gain + loss else 50.0
    return strength


def over_windows(values: np.ndarray, window: int, measure: Callable[[np.ndarray], float]) -> np.ndarray:
    """`measure` of the last `window` values, NaN as long as there are fewer."""
    full = [measure(values[end - window : end]) for end in range(window, len(values) + 1)]
    return np.array([np.nan] * (window - 1) + full)


def draw_close(rng: np.random.Generator, n: int = DAYS) -> pd.Series:
    """Closes that move by some percent a day: log and simple returns are far apart."""
    days = pd.bdate_range("2021-03-01", periods=n, name="Date")
    return pd.Series(rng.uniform(30, 90) * np.exp(rng.normal(0.001, 0.04, n).cumsum()), days, name="Close")


def by_day(result: object, close: pd.Series, what: str, case: str = "") -> np.ndarray:
    """An indicator's values (n,), which are as many as the closes and have their days."""
    series = as_series(result, what, case=case)
    same = len(series) == len(close) and bool((series.index == close.index).all())
    require(same, f"{what} has one value a day, by the days of close", got=f"{len(series)} rows", case=case)
    return as_array(series, what, case=case)


def assert_follows(found: np.ndarray, wanted: np.ndarray, own: Callable[[], np.ndarray], what: str, case: str) -> None:
    """`found` is `wanted`, or what comes of the student's own earlier functions, which checks of their own judge."""
    try:
        assert_close(found, wanted, what, case=case, **NEAR)
    except CheckFailed as failure:
        try:
            other = own()
            assert_close(found, other, what, case=case, **NEAR)
        except (StudentFault, CheckFailed):
            raise failure from None
        known = other[np.isfinite(other)]
        if not len(known) or np.ptp(known) == 0:
            raise


@check(
    title="log_returns is ln(today's close / yesterday's)",
    hint="np.log of the quotient: neither the change in percent nor times 100. The index stays the days, of which the "
    "first is there, and NaN.",
)
def test_log_returns(student, rng):
    close = draw_close(rng)
    wanted = np.append(np.nan, np.log(close.to_numpy()[1:] / close.to_numpy()[:-1]))
    assert_close(by_day(student.features.log_returns(close), close, "log_returns"), wanted, "log_returns", **NEAR)


@check(
    title="moving_average is the plain mean of the last days, today's included",
    hint="All `window` days, no more, count the same; NaN until there are as many; it ends today, is not centred.",
)
def test_moving_average(student, rng):
    close = draw_close(rng)
    for window in (1, int(rng.integers(4, 12)), 20):
        case = f"window {window}"
        found = by_day(student.features.moving_average(close, window), close, "moving_average", case)
        assert_close(found, over_windows(close.to_numpy(), window, np.mean), "moving_average", rtol=1e-5, case=case)


@check(
    title="ema starts with the first close and then goes 2 / (span + 1) of the way to each day's",
    hint="A recursion from the first close on (adjust=False in pandas), without NaN; alpha = 2 / (span + 1).",
)
def test_ema(student, rng):
    close = draw_close(rng)
    for span in (1, int(rng.integers(3, 9)), 26):
        case = f"span {span}"
        found = by_day(student.features.ema(close, span), close, "ema", case)
        assert_close(found, plain_ema(close.to_numpy(), span), "ema", rtol=1e-5, case=case)


@check(
    title="volatility is the sample standard deviation of the last daily log returns",
    hint="Of log returns, not of prices; around their mean, not 0; ddof 1; per day, so no root of 252; NaN until "
    "there are `window` returns: the first day has none, and no 0 either.",
)
def test_volatility(student, rng):
    close = draw_close(rng)
    returns = np.diff(np.log(close.to_numpy()), prepend=np.nan)
    for window in (int(rng.integers(3, 9)), 20):
        case = f"window {window}"
        spread = lambda values: over_windows(values, window, lambda last: last.std(ddof=1))  # noqa: B023, E731
        found = by_day(student.features.volatility(close, window), close, "volatility", case)
        own = lambda: spread(by_day(student.features.log_returns(close), close, "log_returns"))  # noqa: B023, E731
        assert_follows(found, spread(returns), own, "volatility", case)


@check(
    title="rsi follows Wilder: a simple mean first, then 1 / window of the way to each day's gain and loss",
    hint="Gains and losses are differences of closes, both positive; first the mean of the first `window`, then alpha "
    "1 / window, no span; NaN on the first `window` days; 100 without a loss, 50 without a change. 14 is a default.",
)
def test_rsi(student, rng):
    close = draw_close(rng)
    n, window = len(close), int(rng.integers(5, 11))
    rises = np.cumsum(rng.uniform(0.1, 1, n)) + 20
    cases = {
        "ups and downs, window 14": (close.to_numpy(), ()),
        f"ups and downs, window {window}": (close.to_numpy(), (window,)),
        "a price that only rises": (rises, (window,)),
        "a price that only falls": (rises[::-1], (window,)),
        "a price that stands still": (np.full(n, 40.0), (window,)),
        "a price that stands still, then rises": (np.maximum(rises, rises[window + 5]), (window,)),
    }
    for case, (values, window_given) in cases.items():
        series = pd.Series(values.copy(), close.index)
        found = by_day(student.features.rsi(series, *window_given), series, "rsi", case)
        wanted = plain_rsi(values, *(window_given or (14,)))
        assert_close(found, wanted, "rsi", rtol=1e-4, atol=1e-3, case=case)  # of 100


@check(
    title="macd is the 12-day ema less the 26-day one; its signal the 9-day ema of that; the histogram their difference",
    hint="By ema() as the handout has it, from the first day on; columns macd, signal, histogram (macd less signal).",
)
def test_macd(student, rng):
    close = draw_close(rng)
    found = as_frame(student.features.macd(close), "macd's result")
    names = ["macd", "signal", "histogram"]
    require_columns(found, names, "macd's result")

    def lines(ema: Callable[[pd.Series, int], np.ndarray]) -> np.ndarray:
        line = ema(close, 12) - ema(close, 26)
        signal = ema(pd.Series(line, close.index), 9)
        return np.stack([line, signal, line - signal], axis=1)  # (n, 3)

    table = np.stack([by_day(found[name], close, f"macd's {name}") for name in names], axis=1)
    own = lambda: lines(lambda series, span: by_day(student.features.ema(series, span), series, "ema"))  # noqa: E731
    wanted = lines(lambda series, span: plain_ema(series.to_numpy(), span))
    for place, name in enumerate(names):
        # Differences of prices around 60: float32 prices would leave some 1e-5.
        ask = lambda place=place: own()[:, place]  # noqa: E731
        assert_follows(table[:, place], wanted[:, place], ask, f"macd's {name}", "")
