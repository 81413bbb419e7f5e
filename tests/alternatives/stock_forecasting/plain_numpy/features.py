"""Every formula as a loop over days, in float64."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

FEATURES = ["return", "range", "gap", "volume", "trend", "volatility", "rsi", "macd"]
MONTH = 20


def numbers(series):
    return np.asarray(series, dtype=np.float64)


def log_returns(close):
    c = numbers(close)
    out = np.full(len(c), np.nan)
    for t in range(1, len(c)):
        out[t] = math.log(c[t] / c[t - 1])
    return pd.Series(out, index=close.index)


def future_return(close, horizon=1):
    return np.log(close).diff(horizon)


def moving_average(close, window):
    c = numbers(close)
    out = np.full(len(c), np.nan)
    for t in range(window - 1, len(c)):
        out[t] = c[t - window + 1 : t + 1].mean()
    return pd.Series(out, index=close.index)


def ema(close, span):
    c = numbers(close)
    alpha = 2 / (span + 1)
    out = np.empty(len(c))
    for t in range(len(c)):
        out[t] = c[0] if t == 0 else out[t - 1] + alpha * (c[t] - out[t - 1])
    return pd.Series(out, index=close.index)


def volatility(close, window):
    r = numbers(log_returns(close))
    out = np.full(len(r), np.nan)
    for t in range(window, len(r)):
        out[t] = np.std(r[t - window + 1 : t + 1], ddof=1)
    return pd.Series(out, index=close.index)


class WilderAverage:
    """Collects its first `window` numbers, then forgets slowly."""

    def __init__(self, window):
        self.window = window
        self.first = []
        self.value = None

    def add(self, number):
        if self.value is not None:
            self.value += (number - self.value) / self.window
            return
        self.first.append(number)
        if len(self.first) == self.window:
            self.value = sum(self.first) / self.window


def rsi(close, window=14):
    c = numbers(close)
    out = np.full(len(c), np.nan)
    gain, loss = WilderAverage(window), WilderAverage(window)
    for t in range(1, len(c)):
        change = c[t] - c[t - 1]
        gain.add(max(change, 0.0))
        loss.add(max(-change, 0.0))
        if gain.value is not None:
            total = gain.value + loss.value
            out[t] = 50.0 if total == 0 else 100.0 * gain.value / total
    return pd.Series(out, index=close.index)


def macd(close):
    line = ema(close, 12) - ema(close, 26)
    signal = ema(line, 9)
    return pd.DataFrame({"macd": line, "signal": signal, "histogram": line - signal})


def build_features(prices):
    open_, high, low, close, volume = (numbers(prices[name]) for name in ("Open", "High", "Low", "Close", "Volume"))
    n = len(prices)
    mean_close = numbers(moving_average(prices["Close"], MONTH))
    mean_volume = numbers(moving_average(prices["Volume"], MONTH))
    returns = numbers(log_returns(prices["Close"]))
    deviation = numbers(volatility(prices["Close"], MONTH))
    strength = numbers(rsi(prices["Close"]))
    histogram = numbers(macd(prices["Close"])["histogram"])
    rows = []
    for t in range(MONTH, n):
        row = {
            "return": returns[t],
            "range": math.log(high[t] / low[t]),
            "gap": math.log(open_[t] / close[t - 1]),
            "volume": math.log(1 + volume[t]) - math.log(1 + mean_volume[t]),
            "trend": math.log(close[t] / mean_close[t]),
            "volatility": deviation[t],
            "rsi": strength[t] / 100 - 0.5,
            "macd": histogram[t] / close[t],
            "shadow": math.log(high[t] / close[t]),  # one more: how far below its high the day ended
        }
        rows.append(list(row.values()))
    values = np.array(rows, dtype=np.float64).reshape(-1, len(FEATURES) + 1)
    return pd.DataFrame(values, index=prices.index[MONTH:], columns=[*FEATURES, "shadow"])


def make_windows(features, target, lookback, horizon=1):
    x = features.to_numpy(dtype=np.float64)
    of_day = dict(zip(target.index, numbers(target), strict=True))
    X, y, days = [], [], []
    for last in range(lookback - 1, len(x) - horizon):
        day = features.index[last + horizon]
        X.append(x[last - lookback + 1 : last + 1])
        y.append(of_day[day])
        days.append(day)
    if len(X) == 0:
        raise ValueError(
            f"expected at least {lookback + horizon} days of features for a lookback of {lookback} and a horizon of "
            f"{horizon}, found {len(x)}"
        )
    return np.array(X, dtype=np.float32), np.array(y, dtype=np.float32), features.index[lookback + horizon - 1 :]


def chronological_split(n, val_fraction, test_fraction, gap=0):
    n_test = round(n * test_fraction)
    n_val = round(n * val_fraction)
    test_begin = n - n_test
    val_begin = test_begin - n_val
    train = list(range(0, val_begin - gap))
    val = list(range(val_begin, test_begin - gap)) if val_begin >= 0 else []
    test = list(range(test_begin, n)) if test_begin >= 0 else []
    for name, part in (("train", train), ("val", val), ("test", test)):
        if len(part) == 0:
            raise ValueError(f"nothing is left for {name}: {n} windows, {n_val} to choose by, {n_test} to test, gap {gap}")
    return np.array(train), np.array(val), np.array(test)


class Column:
    """Mean and deviation of one list of numbers; one that never varied is always 0."""

    def __init__(self, values):
        values = np.asarray(values, dtype=np.float64).ravel()
        self.mean = float(values.mean())
        self.std = float(values.std())
        self.constant = values.max() == values.min()

    def forward(self, values):
        values = np.asarray(values, dtype=np.float64)
        if self.constant:
            return np.zeros_like(values)
        return (values - self.mean) / self.std

    def backward(self, values):
        values = np.asarray(values, dtype=np.float64)
        if self.constant:
            return np.full_like(values, self.mean)
        return values * self.std + self.mean


class Scaler:
    def fit(self, X, y):
        self.columns = [Column(X[:, :, f]) for f in range(X.shape[2])]
        self.target = Column(y)
        return self

    def transform(self, X):
        out = np.empty(X.shape, dtype=np.float32)
        for f, column in enumerate(self.columns):
            out[:, :, f] = column.forward(X[:, :, f])
        return out

    def transform_target(self, y):
        return self.target.forward(y).astype(np.float32)

    def inverse_target(self, y):
        return self.target.backward(y)


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
    features = build_features(prices)
    target = future_return(prices["Close"], horizon)
    X, y, days = make_windows(features, target, lookback, horizon)
    train, val, test = chronological_split(len(X), val_fraction, test_fraction, gap=lookback + horizon - 1)
    scaler = Scaler()
    scaler.fit(X[train], y[train])
    parts = []
    for rows in (train, val, test):
        parts.append(Part(scaler.transform(X[rows]), scaler.transform_target(y[rows]), days[rows]))
    return Prepared(parts[0], parts[1], parts[2], scaler)
