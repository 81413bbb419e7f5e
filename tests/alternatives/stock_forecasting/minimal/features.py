"""Features, windows, parts and scales; nothing knows a later day."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

FEATURES = ["return", "range", "gap", "volume", "trend", "volatility", "rsi", "macd"]
MONTH = 20


def log_returns(close: pd.Series) -> pd.Series:
    return np.log(close).diff()


def future_return(close: pd.Series, horizon: int = 1) -> pd.Series:
    return np.log(close).diff(horizon)


def moving_average(close: pd.Series, window: int) -> pd.Series:
    return close.rolling(window).mean()


def ema(close: pd.Series, span: int) -> pd.Series:
    return close.ewm(span=span, adjust=False).mean()


def volatility(close: pd.Series, window: int) -> pd.Series:
    return log_returns(close).rolling(window).std()


def wilder(change: pd.Series, window: int) -> pd.Series:
    change = change.copy()
    change.iloc[window : window + 1] = change.iloc[1 : window + 1].mean()
    change.iloc[:window] = np.nan
    return change.ewm(alpha=1 / window, adjust=False).mean()


def rsi(close: pd.Series, window: int = 14) -> pd.Series:
    d = close.astype(float).diff()
    gain, loss = wilder(d.clip(lower=0), window), wilder(-d.clip(upper=0), window)
    return (100 * gain / (gain + loss)).mask(gain + loss == 0, 50)


def macd(close: pd.Series) -> pd.DataFrame:
    line = ema(close, 12) - ema(close, 26)
    signal = ema(line, 9)
    return pd.DataFrame({"macd": line, "signal": signal, "histogram": line - signal})


def build_features(prices: pd.DataFrame) -> pd.DataFrame:
    o, h, l, c, v = (prices[name] for name in ("Open", "High", "Low", "Close", "Volume"))
    table = {
        "return": log_returns(c),
        "range": np.log(h / l),
        "gap": np.log(o / c.shift()),
        "volume": np.log1p(v) - np.log1p(moving_average(v, MONTH)),
        "trend": np.log(c / moving_average(c, MONTH)),
        "volatility": volatility(c, MONTH),
        "rsi": rsi(c) / 100 - 0.5,
        "macd": macd(c)["histogram"] / c,
    }
    return pd.DataFrame(table).dropna()


def make_windows(
    features: pd.DataFrame, target: pd.Series, lookback: int, horizon: int = 1
) -> tuple[np.ndarray, np.ndarray, pd.DatetimeIndex]:
    n = len(features) - lookback - horizon + 1
    if n < 1:
        raise ValueError(f"{len(features)} days are too few for lookback {lookback} and horizon {horizon}")
    days = features.index[-n:]
    x = features.to_numpy("float32")
    return np.stack([x[i : i + lookback] for i in range(n)]), target.loc[days].to_numpy("float32"), days


def chronological_split(
    n: int, val_fraction: float, test_fraction: float, gap: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    test = n - round(n * test_fraction)
    val = test - round(n * val_fraction)
    parts = np.arange(val - gap), np.arange(val, test - gap), np.arange(test, n)
    if not all(map(len, parts)):
        raise ValueError(f"{n} windows are too few for three parts with gaps of {gap}")
    return parts


class Scaler:
    def fit(self, X: np.ndarray, y: np.ndarray) -> "Scaler":
        flat = X.reshape(-1, X.shape[-1])
        self.x, self.y = self.learn(flat), self.learn(y)
        return self

    @staticmethod
    def learn(a):
        a = a.astype("float64")
        return a.mean(0), np.where(np.ptp(a, 0) > 0, a.std(0), 1.0)

    def transform(self, X: np.ndarray) -> np.ndarray:
        return ((X - self.x[0]) / self.x[1]).astype("float32")

    def transform_target(self, y: np.ndarray) -> np.ndarray:
        return ((y - self.y[0]) / self.y[1]).astype("float32")

    def inverse_target(self, y: np.ndarray) -> np.ndarray:
        return y.astype("float64") * self.y[1] + self.y[0]


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
    rows = chronological_split(len(y), val_fraction, test_fraction, lookback + horizon - 1)
    scaler = Scaler().fit(X[rows[0]], y[rows[0]])
    return Prepared(*(Part(scaler.transform(X[i]), scaler.transform_target(y[i]), days[i]) for i in rows), scaler)
