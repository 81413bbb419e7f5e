"""Features out of cumulative sums and convolutions, windows without a copy."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

FEATURES = ["return", "range", "gap", "volume", "trend", "volatility", "rsi", "macd"]
MONTH = 20


def sums(values: np.ndarray, window: int) -> np.ndarray:
    """Of the last `window` values; NaN where there are fewer."""
    out = np.full(len(values), np.nan)
    if len(values) >= window:
        total = np.cumsum(values)
        out[window - 1 :] = total[window - 1 :]
        out[window:] -= total[:-window]
    return out


def smooth(values: np.ndarray, alpha: float) -> np.ndarray:
    """Exponential average from the first value on: it, and the weighted distances from it."""
    if not len(values):
        return values.copy()
    kernel = np.full(len(values), 1 - alpha)
    kernel[0] = alpha
    np.multiply.accumulate(kernel, out=kernel)
    out = np.convolve(values - values[0], kernel)[: len(values)]
    out += values[0]
    return out


def log_returns(close: pd.Series) -> pd.Series:
    logs = np.log(close.to_numpy(dtype="float64"))
    logs[1:] -= logs[:-1].copy()
    logs[:1] = np.nan
    return pd.Series(logs, index=close.index, copy=False)


def future_return(close: pd.Series, horizon: int = 1) -> pd.Series:
    return np.log(close).diff(horizon)


def moving_average(close: pd.Series, window: int) -> pd.Series:
    out = sums(close.to_numpy(dtype="float64"), window)
    out /= window
    return pd.Series(out, index=close.index, copy=False)


def ema(close: pd.Series, span: int) -> pd.Series:
    return pd.Series(smooth(close.to_numpy(dtype="float64"), 2 / (span + 1)), index=close.index)


def volatility(close: pd.Series, window: int) -> pd.Series:
    out = np.full(len(close), np.nan)
    if len(close) > window > 1:
        r = log_returns(close).to_numpy()[1:].copy()
        r -= r[0]  # squares of small numbers lose less
        s, q = sums(r, window), sums(r * r, window)
        s *= s
        s /= window
        q -= s
        q /= window - 1
        np.sqrt(np.maximum(q, 0, out=q), out=out[1:])
    return pd.Series(out, index=close.index)


def rsi(close: pd.Series, window: int = 14) -> pd.Series:
    out = np.full(len(close), np.nan)
    if len(close) > window:
        d = np.diff(close.to_numpy(dtype="float64"))
        both = np.stack([d, -d])
        np.maximum(both, 0, out=both)
        both[:, window - 1] = both[:, :window].mean(axis=1)
        averages = both[:, window - 1 :]
        for before, now in zip(averages.T, averages.T[1:]):
            now -= before
            now /= window
            now += before
        total = averages.sum(axis=0)
        out[window:] = 0.5
        np.divide(averages[0], total, out=out[window:], where=total > 0)
        out *= 100
    return pd.Series(out, index=close.index)


def macd(close: pd.Series) -> pd.DataFrame:
    out = np.empty((3, len(close)))
    p = close.to_numpy(dtype="float64")
    np.subtract(smooth(p, 2 / 13), smooth(p, 2 / 27), out=out[0])
    out[1] = smooth(out[0], 2 / 10)
    np.subtract(out[0], out[1], out=out[2])
    return pd.DataFrame(out.T, index=close.index, columns=["macd", "signal", "histogram"])


def build_features(prices: pd.DataFrame) -> pd.DataFrame:
    close, volume = prices["Close"], prices["Volume"].astype("float64")
    logs = np.log(prices[["Open", "High", "Low", "Close"]].to_numpy(dtype="float64"))
    out = np.full((len(prices), len(FEATURES)), np.nan)
    np.subtract(logs[1:, 3], logs[:-1, 3], out=out[1:, 0])
    np.subtract(logs[:, 1], logs[:, 2], out=out[:, 1])
    np.subtract(logs[1:, 0], logs[:-1, 3], out=out[1:, 2])
    np.log1p(volume, out=out[:, 3])
    out[:, 3] -= np.log1p(moving_average(volume, MONTH))
    np.subtract(logs[:, 3], np.log(moving_average(close, MONTH)), out=out[:, 4])
    out[:, 5] = volatility(close, MONTH)
    out[:, 6] = rsi(close, 14)
    out[:, 6] /= 100
    out[:, 6] -= 0.5
    np.divide(macd(close)["histogram"], close, out=out[:, 7])
    return pd.DataFrame(out[MONTH:], index=prices.index[MONTH:], columns=FEATURES)


def make_windows(
    features: pd.DataFrame, target: pd.Series, lookback: int, horizon: int = 1
) -> tuple[np.ndarray, np.ndarray, pd.DatetimeIndex]:
    n = len(features) - lookback - horizon + 1
    if n < 1:
        raise ValueError(f"lookback {lookback} + horizon {horizon} > {len(features)} days")
    values = np.ascontiguousarray(features.to_numpy(), dtype="float32")
    day, number = values.strides
    shape = (n, lookback, values.shape[1])
    X = np.lib.stride_tricks.as_strided(values, shape, (day, day, number), writeable=False)
    days = features.index[-n:]
    rows = target.index.get_indexer(days)
    return X, target.to_numpy()[rows].astype("float32"), days


def chronological_split(
    n: int, val_fraction: float, test_fraction: float, gap: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    after = np.array([n, n, n])
    after[:2] -= round(n * test_fraction)
    after[0] -= round(n * val_fraction)
    first = np.array([0, after[0], after[1]])
    after[:2] -= gap
    if (after <= first).any():
        raise ValueError(f"n = {n}: parts of {(after - first).tolist()} windows")
    numbers = np.arange(n)
    return numbers[: after[0]], numbers[first[1] : after[1]], numbers[first[2] :]


class Scaler:
    def fit(self, X: np.ndarray, y: np.ndarray) -> "Scaler":
        k = X.shape[-1]
        self.shift, self.scale = np.empty(k + 1), np.empty(k + 1)  # the last ones are the target's
        for i, part in enumerate((*np.moveaxis(X, -1, 0), y)):
            part = part.astype("float64")
            self.shift[i] = part.mean()
            same = part.min() == part.max()
            part -= self.shift[i]
            np.square(part, out=part)
            self.scale[i] = 1.0 if same else np.sqrt(part.mean())
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        out = np.subtract(X, self.shift[:-1], dtype="float64")
        out /= self.scale[:-1]
        return out.astype("float32")

    def transform_target(self, y: np.ndarray) -> np.ndarray:
        out = np.subtract(y, self.shift[-1], dtype="float64")
        out /= self.scale[-1]
        return out.astype("float32")

    def inverse_target(self, y: np.ndarray) -> np.ndarray:
        out = np.array(y, dtype="float64")
        out *= self.scale[-1]
        out += self.shift[-1]
        return out


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
    X, y, days = make_windows(build_features(prices), future_return(prices["Close"], horizon), lookback, horizon)
    split = chronological_split(len(y), val_fraction, test_fraction, lookback + horizon - 1)
    slices = [slice(part[0], part[-1] + 1) for part in split]
    scaler = Scaler().fit(X[slices[0]], y[slices[0]])
    X, y = scaler.transform(X), scaler.transform_target(y)
    return Prepared(*(Part(X[part], y[part], days[part]) for part in slices), scaler)
