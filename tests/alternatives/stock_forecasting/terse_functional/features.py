"""Chains of pandas, windows by strides."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view

FEATURES = ["return", "range", "gap", "volume", "trend", "volatility", "rsi", "macd"]
MONTH = 20


def log_returns(close):
    return np.log(close).diff()


def future_return(close, horizon=1):
    return np.log(close).diff(horizon)


def moving_average(close, window):
    return close.rolling(window).mean()


def ema(close, span):
    return close.ewm(span=span, adjust=False).mean()


def volatility(close, window):
    return log_returns(close).rolling(window).std()


def wilder(changes, window):
    seeded = changes.rolling(window).mean().where(np.arange(len(changes)) <= window, changes)
    return seeded.iloc[window:].ewm(alpha=1 / window, adjust=False).mean().reindex(changes.index)


def rsi(close, window=14):
    gain, loss = (wilder((side * close.diff()).clip(lower=0), window) for side in (1, -1))
    return (100 * gain / (gain + loss)).mask((gain + loss) == 0, 50.0)


def macd(close):
    line = ema(close, 12) - ema(close, 26)
    return pd.DataFrame({"macd": line, "signal": (signal := ema(line, 9)), "histogram": line - signal})


def build_features(prices):
    close, volume = prices["Close"], prices["Volume"]
    return pd.DataFrame(
        {
            "return": log_returns(close),
            "range": np.log(prices["High"] / prices["Low"]),
            "gap": np.log(prices["Open"] / close.shift()),
            "volume": np.log1p(volume) - np.log1p(moving_average(volume, MONTH)),
            "trend": np.log(close / moving_average(close, MONTH)),
            "volatility": volatility(close, MONTH),
            "rsi": rsi(close) / 100 - 0.5,
            "macd": macd(close)["histogram"] / close,
        }
    ).dropna()


def make_windows(features, target, lookback, horizon=1):
    if (n := len(features) - lookback - horizon + 1) < 1:
        raise ValueError(f"{len(features)} days are too few for a lookback of {lookback} and a horizon of {horizon}.")
    X = sliding_window_view(features.to_numpy("float32"), lookback, axis=0)[:n].transpose(0, 2, 1)
    days = features.index[-n:]
    return np.ascontiguousarray(X), target.loc[days].to_numpy("float32"), days


def chronological_split(n, val_fraction, test_fraction, gap=0):
    test = n - round(n * test_fraction)
    val = test - round(n * val_fraction)
    bounds = (0, val - gap), (val, test - gap), (test, n)
    if val < 0 or any(begin >= end for begin, end in bounds):
        raise ValueError(f"{n} windows are too few for parts of {val_fraction} and {test_fraction} with gaps of {gap}.")
    return tuple(np.arange(*bound) for bound in bounds)


def mean_and_divisor(x):
    """Over axis 0; the divisor is 1 where nothing varies."""
    x = x.astype("float64")
    return x.mean(0), np.where(np.ptp(x, 0) > 0, x.std(0), 1.0)


class Scaler:
    def fit(self, X, y):
        self.of_X = mean_and_divisor(X.reshape(-1, X.shape[-1]))
        self.of_y = mean_and_divisor(np.asarray(y))
        return self

    def transform(self, X):
        return ((X - self.of_X[0]) / self.of_X[1]).astype("float32")

    def transform_target(self, y):
        return ((y - self.of_y[0]) / self.of_y[1]).astype("float32")

    def inverse_target(self, y):
        return np.float64(y) * self.of_y[1] + self.of_y[0]


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


def prepare(prices, lookback, horizon=1, val_fraction=0.15, test_fraction=0.15):
    X, y, days = make_windows(build_features(prices), future_return(prices["Close"], horizon), lookback, horizon)
    rows = chronological_split(len(y), val_fraction, test_fraction, lookback + horizon - 1)
    scaler = Scaler().fit(X[rows[0]], y[rows[0]])
    return Prepared(*(Part(scaler.transform(X[i]), scaler.transform_target(y[i]), days[i]) for i in rows), scaler)
