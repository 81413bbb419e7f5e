"""Causal features as generators over the days."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import wraps
from itertools import accumulate, chain, islice, pairwise, repeat
from math import log, log1p, nan
from statistics import fmean

import numpy as np
import pandas as pd

FEATURES = ["return", "range", "gap", "volume", "trend", "volatility", "rsi", "macd"]
MONTH = 20


def by_day(generate: Callable[..., Iterable[float]]) -> Callable[..., pd.Series]:
    """Let a generator over floats take and give a Series."""

    @wraps(generate)
    def series(close: pd.Series, *args: int, **kwargs: int) -> pd.Series:
        return pd.Series(list(generate([float(c) for c in close], *args, **kwargs)), close.index, dtype="float64")

    return series


def last_ones(values: Iterable[float], window: int) -> Iterator[tuple[float, ...] | None]:
    """The last `window` values of each day, None where there are fewer."""
    held = deque(maxlen=window)
    for value in values:
        held.append(value)
        yield tuple(held) if len(held) == window else None


@by_day
def log_returns(close: pd.Series) -> pd.Series:
    return islice(chain([nan], (log(b / a) for a, b in pairwise(close))), len(close))


def future_return(close: pd.Series, horizon: int = 1) -> pd.Series:
    return np.log(close).diff(horizon)


@by_day
def moving_average(close: pd.Series, window: int) -> pd.Series:
    return (nan if some is None else fmean(some) for some in last_ones(close, window))


@by_day
def ema(close: pd.Series, span: int) -> pd.Series:
    alpha = 2 / (span + 1)
    return accumulate(close, lambda e, c: e + alpha * (c - e))


@by_day
def volatility(close: pd.Series, window: int) -> pd.Series:
    returns = (log(b) - log(a) for a, b in pairwise(close))
    spread = (nan if some is None or window < 2 else float(np.std(some, ddof=1)) for some in last_ones(returns, window))
    return islice(chain([nan], spread), len(close))


@by_day
def rsi(close: pd.Series, window: int = 14) -> pd.Series:
    def smooth(parts: list[float]) -> Iterator[float]:
        if len(parts) >= window:
            yield from accumulate(parts[window:], lambda mean, x: mean + (x - mean) / window, initial=fmean(parts[:window]))

    changes = [b - a for a, b in pairwise(close)]
    gains, losses = smooth([max(d, 0.0) for d in changes]), smooth([max(-d, 0.0) for d in changes])
    index = (100 * g / (g + l) if g + l else 50.0 for g, l in zip(gains, losses, strict=True))
    return islice(chain(repeat(nan, window), index), len(close))


def macd(close: pd.Series) -> pd.DataFrame:
    line = ema(close, 12).sub(ema(close, 26))
    signal = ema(line, 9)
    return pd.concat([line, signal, line.sub(signal)], axis=1, keys=["macd", "signal", "histogram"])


def build_features(prices: pd.DataFrame) -> pd.DataFrame:
    def rows() -> Iterator[list[float]]:
        month_volume, month_close = (moving_average(prices[name], MONTH) for name in ("Volume", "Close"))
        slow = log_returns(prices["Close"]), volatility(prices["Close"], MONTH), rsi(prices["Close"])
        histogram = macd(prices["Close"])["histogram"]
        before = chain([nan], prices["Close"])
        columns = (prices[name] for name in ("Open", "High", "Low", "Close", "Volume"))
        for o, h, l, c, v, b, mv, mc, r, s, i, m in zip(*columns, before, month_volume, month_close, *slow, histogram):
            yield [r, log(h / l), log(o / b), log1p(v) - log1p(mv), log(c / mc), s, i / 100 - 0.5, m / c]

    return pd.DataFrame(islice(rows(), MONTH, None), index=prices.index[MONTH:], columns=FEATURES, dtype="float64")


def make_windows(
    features: pd.DataFrame, target: pd.Series, lookback: int, horizon: int = 1
) -> tuple[np.ndarray, np.ndarray, pd.DatetimeIndex]:
    value_on = target.to_dict()
    days = features.index[lookback + horizon - 1 :]
    windows = [w for w, _ in zip(last_ones(features.to_numpy(dtype="float32"), lookback), features.index) if w is not None]
    pairs = list(zip(windows, days))  # the last `horizon` windows have no target yet
    if not pairs:
        raise ValueError(f"A lookback of {lookback} and a horizon of {horizon} need more than {len(features)} days.")
    X = np.array([window for window, _ in pairs], dtype="float32")
    return X, np.array([value_on[day] for _, day in pairs], dtype="float32"), days


def chronological_split(
    n: int, val_fraction: float, test_fraction: float, gap: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    numbers = iter(range(n))
    n_test, n_val = round(n * test_fraction), round(n * val_fraction)

    def take(count: int, less: int) -> np.ndarray:
        part = list(islice(numbers, max(count, 0)))[: max(count - less, 0)]
        if not part:
            raise ValueError(f"{n} windows leave a part empty, with fractions {val_fraction}, {test_fraction}, gap {gap}.")
        return np.array(part)

    return take(n - n_val - n_test, gap), take(n_val, gap), take(n_test, 0)


def standardiser(values: np.ndarray) -> tuple[Callable[[np.ndarray], np.ndarray], Callable[[np.ndarray], np.ndarray]]:
    """There and back for the columns of (n, k) values."""
    mean = values.mean(axis=0, dtype="float64")
    constant = (values == values[:1]).all(axis=0)
    deviation = np.where(constant, 1.0, values.std(axis=0, dtype="float64"))
    mean = np.where(constant, values[0], mean)

    def there(x: np.ndarray) -> np.ndarray:
        return ((np.asarray(x, "float64") - mean) / deviation).astype("float32")

    def back(z: np.ndarray) -> np.ndarray:
        return mean + deviation * np.asarray(z, "float64")

    return there, back


class Scaler:
    def fit(self, X: np.ndarray, y: np.ndarray) -> "Scaler":
        self._there, _ = standardiser(np.concatenate(list(X)))
        self._target_there, self._target_back = standardiser(np.asarray(y))
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        return self._there(X)

    def transform_target(self, y: np.ndarray) -> np.ndarray:
        return self._target_there(y)

    def inverse_target(self, y: np.ndarray) -> np.ndarray:
        return self._target_back(y)


@dataclass(frozen=True)
class Part:
    X: np.ndarray
    y: np.ndarray
    days: pd.DatetimeIndex


@dataclass(frozen=True)
class Prepared:
    train: Part
    val: Part
    test: Part
    scaler: Scaler


def prepare(
    prices: pd.DataFrame, lookback: int, horizon: int = 1, val_fraction: float = 0.15, test_fraction: float = 0.15
) -> Prepared:
    target = future_return(prices["Close"], horizon)
    X, y, days = make_windows(build_features(prices), target, lookback, horizon)
    train, *others = chronological_split(len(X), val_fraction, test_fraction, gap=lookback + horizon - 1)
    scaler = Scaler().fit(X[train], y[train])

    def parts() -> Iterator[Part]:
        for numbers in (train, *others):
            yield Part(scaler.transform(X[numbers]), scaler.transform_target(y[numbers]), days[numbers])

    return Prepared(*parts(), scaler=scaler)
