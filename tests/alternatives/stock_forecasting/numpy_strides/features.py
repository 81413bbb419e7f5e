"""Task 2: features and windows on arrays."""

from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view

FEATURES = ["return", "range", "gap", "volume", "trend", "volatility", "rsi", "macd"]
MONTH = 20  # trading days


def lagged(x: np.ndarray) -> np.ndarray:
    """Yesterday's number, NaN on the first day."""
    return np.concatenate([[np.nan], x])[: len(x)]


def over_windows(x: np.ndarray, window: int, statistic) -> np.ndarray:
    """statistic(windows, axis=-1) at each window's last day, NaN before."""
    out = np.full(len(x), np.nan)
    if window <= len(x):
        out[window - 1 :] = statistic(sliding_window_view(x, window), axis=-1)
    return out


def recursive_mean(x: np.ndarray, alpha: float) -> np.ndarray:
    """e_t = e_{t-1} + alpha (x_t - e_{t-1}), begun with x's first number."""
    out = np.array(x, dtype="float64")
    for t in range(1, len(out)):
        out[t] = (1 - alpha) * out[t - 1] + alpha * out[t]
    return out


def log_returns(close: pd.Series) -> pd.Series:
    p = close.to_numpy("float64")
    return pd.Series(np.log(p / lagged(p)), index=close.index)


def future_return(close: pd.Series, horizon: int = 1) -> pd.Series:
    return np.log(close).diff(horizon)


def moving_average(close: pd.Series, window: int) -> pd.Series:
    return pd.Series(over_windows(close.to_numpy("float64"), window, np.mean), index=close.index)


def ema(close: pd.Series, span: int) -> pd.Series:
    return pd.Series(recursive_mean(close.to_numpy(), 2 / (span + 1)), index=close.index)


def volatility(close: pd.Series, window: int) -> pd.Series:
    returns = log_returns(close).to_numpy()
    spread = over_windows(returns, window, partial(np.std, ddof=1))  # NaN as long as the first day is in it
    return pd.Series(spread, index=close.index)


def rsi(close: pd.Series, window: int = 14) -> pd.Series:
    out = np.full(len(close), np.nan)
    if len(close) > window:
        change = np.diff(close.to_numpy("float64"))
        sides = np.stack([np.maximum(change, 0), np.maximum(-change, 0)])  # gains, losses: (2, n - 1)
        averages = [
            recursive_mean(np.append(side[:window].mean(), side[window:]), 1 / window) for side in sides
        ]  # from day `window` on
        gain, total = averages[0], np.add(*averages)
        out[window:] = np.divide(100 * gain, total, out=np.full_like(total, 50.0), where=total > 0)
    return pd.Series(out, index=close.index)


def macd(close: pd.Series) -> pd.DataFrame:
    x = close.to_numpy()
    line = recursive_mean(x, 2 / 13) - recursive_mean(x, 2 / 27)
    signal = recursive_mean(line, 2 / 10)
    return pd.DataFrame(np.c_[line, signal, line - signal], index=close.index, columns=["macd", "signal", "histogram"])


def build_features(prices: pd.DataFrame) -> pd.DataFrame:
    o, h, l, c, v = (prices[name].to_numpy("float64") for name in ("Open", "High", "Low", "Close", "Volume"))
    close = prices["Close"]
    columns = [
        np.log(c) - np.log(lagged(c)),
        np.log(h) - np.log(l),
        np.log(o) - np.log(lagged(c)),
        np.log1p(v) - np.log1p(over_windows(v, MONTH, np.mean)),
        np.log(c) - np.log(over_windows(c, MONTH, np.mean)),
        volatility(close, MONTH).to_numpy(),
        rsi(close, 14).to_numpy() / 100 - 0.5,
        macd(close)["histogram"].to_numpy() / c,
    ]
    table = pd.DataFrame(np.stack(columns, axis=1), index=prices.index, columns=FEATURES)
    return table.iloc[MONTH:]  # the first volatility is on day MONTH, counted from 0


def make_windows(
    features: pd.DataFrame, target: pd.Series, lookback: int, horizon: int = 1
) -> tuple[np.ndarray, np.ndarray, pd.DatetimeIndex]:
    n = len(features) - lookback - horizon + 1
    if n < 1:
        raise ValueError(f"no window: {len(features)} days, lookback {lookback}, horizon {horizon}")
    rows = features.to_numpy(dtype="float32")
    X = sliding_window_view(rows, lookback, axis=0)[:n].transpose(0, 2, 1)  # a view (n, lookback, n_features)
    days = features.index[-n:]
    return X, target.reindex(days).to_numpy(dtype="float32"), days


def chronological_split(
    n: int, val_fraction: float, test_fraction: float, gap: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    test = n - round(n * test_fraction)
    val = test - round(n * val_fraction)
    parts = np.arange(val - gap), np.arange(val, test - gap), np.arange(test, n)
    if min(part.size for part in parts) == 0:
        raise ValueError(f"cannot part {n} windows into {val_fraction} and {test_fraction} with a gap of {gap}")
    return parts


def centre_and_width(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation along all axes but the last, 1 where nothing varies."""
    rows = x.reshape(-1, x.shape[-1]).astype("float64")
    return rows.mean(axis=0), np.where(np.ptp(rows, axis=0) == 0, 1.0, rows.std(axis=0))


class Scaler:
    def fit(self, X: np.ndarray, y: np.ndarray) -> "Scaler":
        self.x_mean, self.x_std = centre_and_width(np.asarray(X))
        (self.y_mean,), (self.y_std,) = centre_and_width(np.asarray(y)[:, None])
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        z = np.subtract(X, self.x_mean, dtype="float64")
        z /= self.x_std
        return z.astype(np.float32)

    def transform_target(self, y: np.ndarray) -> np.ndarray:
        return np.float32(np.divide(np.subtract(y, self.y_mean, dtype="float64"), self.y_std))

    def inverse_target(self, y: np.ndarray) -> np.ndarray:
        return np.multiply(y, self.y_std, dtype="float64") + self.y_mean


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
    table = build_features(prices)
    X, y, days = make_windows(table, future_return(prices["Close"], horizon), lookback, horizon)
    train, val, test = chronological_split(y.size, val_fraction, test_fraction, lookback + horizon - 1)
    scaler = Scaler().fit(X[train], y[train])
    Z, t = scaler.transform(X), scaler.transform_target(y)
    return Prepared(
        train=Part(Z[train], t[train], days[train]),
        val=Part(Z[val], t[val], days[val]),
        test=Part(Z[test], t[test], days[test]),
        scaler=scaler,
    )
