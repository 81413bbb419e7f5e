"""Task 2: features."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from helpers import Standard, recursive_average, sizes_of, trailing

FEATURES = ["return", "range", "gap", "volume", "trend", "volatility", "rsi", "macd"]
MONTH = 20


def like(values: np.ndarray, close: pd.Series) -> pd.Series:
    return pd.Series(values, index=close.index)


def log_returns(close: pd.Series) -> pd.Series:
    logs = np.log(close.to_numpy(dtype="float64"))
    return like(np.diff(logs, prepend=np.nan), close)


def future_return(close: pd.Series, horizon: int = 1) -> pd.Series:
    return np.log(close).diff(horizon)


def moving_average(close: pd.Series, window: int) -> pd.Series:
    return like(trailing(close.to_numpy(dtype="float64"), window, lambda w: w.mean(axis=1)), close)


def ema(close: pd.Series, span: int) -> pd.Series:
    return like(recursive_average(close.to_numpy(dtype="float64"), 2 / (span + 1)), close)


def volatility(close: pd.Series, window: int) -> pd.Series:
    if window < 2:
        return like(np.nan, close)
    return like(trailing(log_returns(close).to_numpy(), window, lambda w: w.std(axis=1, ddof=1)), close)


def rsi(close: pd.Series, window: int = 14) -> pd.Series:
    changes = np.diff(close.to_numpy(dtype="float64"))
    result = np.full(len(close), np.nan)
    if len(changes) >= window:
        gain, loss = (
            np.append(x[:window].mean(), recursive_average(x[window:], 1 / window, first=x[:window].mean()))
            for x in (np.maximum(changes, 0), np.maximum(-changes, 0))
        )
        both = gain + loss
        result[window:] = 50.0
        np.divide(100 * gain, both, out=result[window:], where=both > 0)
    return like(result, close)


def macd(close: pd.Series) -> pd.DataFrame:
    fast, slow = ema(close, 12), ema(close, 26)
    table = pd.DataFrame(index=close.index)
    table["macd"] = fast - slow
    table["signal"] = ema(table["macd"], 9)
    table["histogram"] = table["macd"] - table["signal"]
    return table


def build_features(prices: pd.DataFrame) -> pd.DataFrame:
    close, volume = prices["Close"], prices["Volume"]
    table = pd.DataFrame(index=prices.index)
    table["return"] = log_returns(close)
    table["range"] = np.log(prices["High"]) - np.log(prices["Low"])
    table["gap"] = np.log(prices["Open"]) - np.log(close).shift(1)
    table["volume"] = np.log((1 + volume) / (1 + moving_average(volume, MONTH)))
    table["trend"] = np.log(close) - np.log(moving_average(close, MONTH))
    table["volatility"] = volatility(close, MONTH)
    table["rsi"] = (rsi(close, 14) - 50) / 100
    table["macd"] = macd(close)["histogram"] / close
    return table[MONTH:]


def make_windows(
    features: pd.DataFrame, target: pd.Series, lookback: int, horizon: int = 1
) -> tuple[np.ndarray, np.ndarray, pd.DatetimeIndex]:
    n = len(features) - (lookback + horizon - 1)
    if n <= 0:
        raise ValueError(f"A window and its target take {lookback + horizon} days; there are {len(features)}.")
    rows = np.arange(n)[:, None] + np.arange(lookback)  # (n, lookback)
    days = features.index[rows[:, -1] + horizon]
    return features.to_numpy()[rows].astype("float32"), target[days].to_numpy().astype("float32"), days


def chronological_split(
    n: int, val_fraction: float, test_fraction: float, gap: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    n_val, n_test = sizes_of(n, val_fraction, test_fraction)
    ends = [n - n_test - n_val, n - n_test]
    everything = np.arange(n)
    train = everything[(everything < ends[0] - gap)]
    val = everything[(everything >= ends[0]) & (everything < ends[1] - gap)]
    test = everything[(everything >= ends[1])]
    for name, part in (("train", train), ("validate", val), ("test", test)):
        if part.size == 0:
            raise ValueError(f"{n} windows leave nothing to {name} with.")
    return train, val, test


class Scaler:
    def fit(self, X: np.ndarray, y: np.ndarray) -> "Scaler":
        self.features = Standard(np.reshape(X, (-1, np.shape(X)[2])))
        self.target = Standard(np.reshape(y, (-1, 1)))
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        return self.features.scale(X)

    def transform_target(self, y: np.ndarray) -> np.ndarray:
        return self.target.scale(y[:, None])[:, 0]

    def inverse_target(self, y: np.ndarray) -> np.ndarray:
        return self.target.unscale(y[:, None])[:, 0]


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
    features, target = build_features(prices), future_return(prices["Close"], horizon)
    X, y, days = make_windows(features, target, lookback, horizon)
    splits = chronological_split(X.shape[0], val_fraction, test_fraction, lookback + horizon - 1)
    scaler = Scaler()
    scaler.fit(X[splits[0]], y[splits[0]])
    z, t = scaler.transform(X), scaler.transform_target(y)
    train, val, test = (Part(z[rows], t[rows], days[rows]) for rows in splits)
    return Prepared(train, val, test, scaler)
