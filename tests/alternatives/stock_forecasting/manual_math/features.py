"""Features, written out."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

FEATURES = ["return", "range", "gap", "volume", "trend", "volatility", "rsi", "macd"]
MONTH = 20


def log_returns(close: pd.Series) -> pd.Series:
    p = close.to_numpy(dtype="float64")
    r = np.full(len(p), math.nan)
    for t in range(1, len(p)):
        r[t] = math.log(p[t] / p[t - 1])
    return pd.Series(r, index=close.index)


def future_return(close: pd.Series, horizon: int = 1) -> pd.Series:
    return np.log(close).diff(horizon)


def moving_average(close: pd.Series, window: int) -> pd.Series:
    p = close.tolist()
    means = [math.fsum(p[t - window + 1 : t + 1]) / window if t >= window - 1 else math.nan for t in range(len(p))]
    return pd.Series(means, index=close.index, dtype="float64")


def ema(close: pd.Series, span: int) -> pd.Series:
    alpha = 2 / (span + 1)
    e = close.to_numpy(dtype="float64").copy()
    for t in range(1, len(e)):
        e[t] = e[t - 1] + alpha * (e[t] - e[t - 1])
    return pd.Series(e, index=close.index)


def volatility(close: pd.Series, window: int) -> pd.Series:
    r = log_returns(close).tolist()
    deviations = [math.nan] * len(r)
    if window > 1:
        for t in range(window, len(r)):
            last = r[t - window + 1 : t + 1]
            mean = sum(last) / window
            deviations[t] = math.sqrt(sum((x - mean) ** 2 for x in last) / (window - 1))
    return pd.Series(deviations, index=close.index, dtype="float64")


def rsi(close: pd.Series, window: int = 14) -> pd.Series:
    p = close.tolist()
    d = [p[t] - p[t - 1] for t in range(1, len(p))]
    answer = [math.nan] * len(p)
    if len(d) >= window:
        gain = sum(x for x in d[:window] if x > 0) / window
        loss = -sum(x for x in d[:window] if x < 0) / window
        for t in range(window, len(p)):
            if t > window:
                x = d[t - 1]
                gain = gain * (window - 1) / window + max(x, 0) / window
                loss = loss * (window - 1) / window + max(-x, 0) / window
            answer[t] = 50.0 if gain == loss == 0 else 100 - 100 * loss / (gain + loss)
    return pd.Series(answer, index=close.index, dtype="float64")


def macd(close: pd.Series) -> pd.DataFrame:
    line = ema(close, 12).to_numpy() - ema(close, 26).to_numpy()
    signal = ema(pd.Series(line), 9).to_numpy()
    return pd.DataFrame(np.transpose([line, signal, line - signal]), close.index, ["macd", "signal", "histogram"])


def build_features(prices: pd.DataFrame) -> pd.DataFrame:
    o, h, l, c, v = prices[["Open", "High", "Low", "Close", "Volume"]].to_numpy(dtype="float64").T
    close, volume = prices["Close"], prices["Volume"]
    mean_close, mean_volume = moving_average(close, MONTH).to_numpy(), moving_average(volume, MONTH).to_numpy()
    histogram = macd(close)["histogram"].to_numpy()
    strength, spread = rsi(close, 14).to_numpy(), volatility(close, MONTH).to_numpy()
    rows = [
        (
            math.log(c[t] / c[t - 1]),
            math.log(h[t] / l[t]),
            math.log(o[t] / c[t - 1]),
            math.log((1 + v[t]) / (1 + mean_volume[t])),
            math.log(c[t] / mean_close[t]),
            spread[t],
            strength[t] / 100 - 0.5,
            histogram[t] / c[t],
            math.log(c[t] / c[t - 5]),
        )
        for t in range(MONTH, len(prices))
    ]
    columns = [*FEATURES, "week"]
    return pd.DataFrame(rows, index=prices.index[MONTH:], columns=columns, dtype="float64")


def make_windows(
    features: pd.DataFrame, target: pd.Series, lookback: int, horizon: int = 1
) -> tuple[np.ndarray, np.ndarray, pd.DatetimeIndex]:
    m, n_features = features.shape
    n = m - lookback - horizon + 1
    if n < 1:
        raise ValueError(f"m - L - h + 1 = {m} - {lookback} - {horizon} + 1 = {n} windows")
    values = features.to_numpy(dtype="float64")
    X = np.zeros((n, lookback, n_features), dtype="float32")
    for day in range(lookback):
        X[:, day] = values[day : day + n]
    days = features.index[lookback + horizon - 1 : lookback + horizon - 1 + n]
    y = np.array([target.loc[day] for day in days], dtype="float32")
    return X, y, days


def chronological_split(
    n: int, val_fraction: float, test_fraction: float, gap: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    n_val, n_test = round(n * val_fraction), round(n * test_fraction)
    begins = {"train": 0, "val": n - n_test - n_val, "test": n - n_test}
    ends = {"train": begins["val"] - gap, "val": begins["test"] - gap, "test": n}
    for part in begins:
        if ends[part] <= begins[part]:
            raise ValueError(f"{part} would be empty")
    return tuple(np.arange(begins[part], ends[part]) for part in begins)


class Scaler:
    def fit(self, X: np.ndarray, y: np.ndarray) -> "Scaler":
        X, y = X.astype("float64"), y.astype("float64")
        count = X.shape[0] * X.shape[1]
        self.mu = X.sum(axis=(0, 1)) / count
        self.sigma = (((X - self.mu) ** 2).sum(axis=(0, 1)) / count) ** 0.5
        self.mu_y = y.sum() / len(y)
        self.sigma_y = (((y - self.mu_y) ** 2).sum() / len(y)) ** 0.5
        for k in range(X.shape[2]):
            if (X[:, :, k] == X[0, 0, k]).all():
                self.mu[k], self.sigma[k] = X[0, 0, k], 1.0
        if (y == y[0]).all():
            self.mu_y, self.sigma_y = y[0], 1.0
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        return ((X.astype("float64") - self.mu) / self.sigma).astype("float32")

    def transform_target(self, y: np.ndarray) -> np.ndarray:
        return ((y.astype("float64") - self.mu_y) / self.sigma_y).astype("float32")

    def inverse_target(self, y: np.ndarray) -> np.ndarray:
        return self.mu_y + self.sigma_y * y.astype("float64")


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
    features = build_features(prices)
    X, y, days = make_windows(features, future_return(prices["Close"], horizon), lookback, horizon)
    train, val, test = chronological_split(len(y), val_fraction, test_fraction, gap=lookback + horizon - 1)
    scaler = Scaler().fit(X[train], y[train])
    X, y = scaler.transform(X), scaler.transform_target(y)
    return Prepared(
        train=Part(X[train], y[train], days[train]),
        val=Part(X[val], y[val], days[val]),
        test=Part(X[test], y[test], days[test]),
        scaler=scaler,
    )
