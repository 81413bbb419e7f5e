"""Features and windows."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.preprocessing import StandardScaler

FEATURES = ["return", "range", "gap", "volume", "trend", "volatility", "rsi", "macd"]
MONTH = 20


def log_returns(close: pd.Series) -> pd.Series:
    return np.log1p(close.pct_change(fill_method=None))


def future_return(close: pd.Series, horizon: int = 1) -> pd.Series:
    return np.log(close).diff(horizon)


def moving_average(close: pd.Series, window: int) -> pd.Series:
    total = close.rolling(window).sum()
    return total / window


def ema(close: pd.Series, span: int) -> pd.Series:
    e = pd.Series(0.0, index=close.index)
    alpha = 2 / (span + 1)
    for t in range(len(close)):
        if t == 0:
            e.iloc[t] = close.iloc[t]
        else:
            e.iloc[t] = (1 - alpha) * e.iloc[t - 1] + alpha * close.iloc[t]
    return e


def volatility(close: pd.Series, window: int) -> pd.Series:
    return log_returns(close).rolling(window).apply(np.std, raw=True, kwargs={"ddof": 1}) if window > 1 else close * np.nan


def rsi(close: pd.Series, window: int = 14) -> pd.Series:
    result = close * np.nan
    gain = loss = 0.0
    for t in range(1, len(close)):
        d = float(close.iloc[t]) - float(close.iloc[t - 1])
        if t <= window:
            gain += max(d, 0) / window
            loss += max(-d, 0) / window
        else:
            gain += (max(d, 0) - gain) / window
            loss += (max(-d, 0) - loss) / window
        if t >= window:
            result.iloc[t] = 100 * gain / (gain + loss) if gain + loss > 0 else 50
    return result


def macd(close: pd.Series) -> pd.DataFrame:
    df = pd.DataFrame({"ema12": ema(close, 12), "ema26": ema(close, 26)})
    df = df.eval("macd = ema12 - ema26")
    df["signal"] = ema(df["macd"], 9)
    return df.eval("histogram = macd - signal")[["macd", "signal", "histogram"]]


def build_features(prices: pd.DataFrame) -> pd.DataFrame:
    df = prices.copy()
    df["return"] = log_returns(df["Close"])
    df["range"] = np.log(df["High"] / df["Low"])
    df["gap"] = np.log(df["Open"] / df["Close"].shift(1))
    df["volume"] = np.log(1 + df["Volume"]) - np.log(1 + moving_average(df["Volume"], MONTH))
    df["trend"] = np.log(df["Close"] / moving_average(df["Close"], MONTH))
    df["volatility"] = volatility(df["Close"], MONTH)
    df["rsi"] = rsi(df["Close"], 14) / 100 - 0.5
    df["macd"] = macd(df["Close"])["histogram"] / df["Close"]
    df["before"] = df["return"].shift(1)
    return df.drop(columns=prices.columns).dropna(subset=FEATURES)


def make_windows(
    features: pd.DataFrame, target: pd.Series, lookback: int, horizon: int = 1
) -> tuple[np.ndarray, np.ndarray, pd.DatetimeIndex]:
    X, y, days = [], [], []
    for end in range(lookback, len(features) - horizon + 1):
        day = features.index[end - 1 + horizon]
        X.append(features.iloc[end - lookback : end].to_numpy())
        y.append(target.at[day])
        days.append(day)
    if len(X) == 0:
        raise ValueError(f"no window of {lookback} days with a target {horizon} days later")
    return np.array(X, dtype=np.float32), np.array(y, dtype=np.float32), pd.DatetimeIndex(days, name=features.index.name)


def chronological_split(
    n: int, val_fraction: float, test_fraction: float, gap: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    number = np.arange(n)
    n_test = round(n * test_fraction)
    n_val = round(n * val_fraction)
    if n_test + n_val >= n:
        raise ValueError("nothing to train on")
    train, val, test = np.split(number, [n - n_test - n_val, n - n_test])
    train, val = train[: max(len(train) - gap, 0)], val[: max(len(val) - gap, 0)]
    if min(len(train), len(val), len(test)) == 0:
        raise ValueError(f"{n} windows give parts of {len(train)}, {len(val)} and {len(test)}")
    return train, val, test


class Scaler:
    def fit(self, X: np.ndarray, y: np.ndarray) -> "Scaler":
        self.x_scaler = StandardScaler().fit(X.reshape(-1, X.shape[2]).astype(np.float64))
        self.y_scaler = StandardScaler().fit(y.reshape(-1, 1).astype(np.float64))
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        flat = X.reshape(-1, X.shape[2]).astype(np.float64)
        return self.x_scaler.transform(flat).reshape(X.shape).astype(np.float32)

    def transform_target(self, y: np.ndarray) -> np.ndarray:
        return self.y_scaler.transform(y.reshape(-1, 1).astype(np.float64)).ravel().astype(np.float32)

    def inverse_target(self, y: np.ndarray) -> np.ndarray:
        return self.y_scaler.inverse_transform(y.reshape(-1, 1).astype(np.float64)).ravel()


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
    target = future_return(prices["Close"], horizon)
    X, y, days = make_windows(features, target, lookback, horizon)
    train, val, test = chronological_split(len(X), val_fraction, test_fraction, gap=lookback + horizon - 1)
    scaler = Scaler()
    scaler.fit(X[train], y[train])
    train = Part(scaler.transform(X[train]), scaler.transform_target(y[train]), days[train])
    val = Part(scaler.transform(X[val]), scaler.transform_target(y[val]), days[val])
    test = Part(scaler.transform(X[test]), scaler.transform_target(y[test]), days[test])
    return Prepared(train, val, test, scaler)
