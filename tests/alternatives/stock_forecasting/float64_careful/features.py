"""Task 2: features by filters, in float64 as long as possible."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from helpers import delayed, doubles
from scipy.signal import lfilter

FEATURES = ["return", "range", "gap", "volume", "trend", "volatility", "rsi", "macd"]
MONTH = 20  # trading days


def like(close: pd.Series, values: np.ndarray) -> pd.Series:
    return pd.Series(values, index=close.index, name=close.name, dtype="float64")


def log_returns(close: pd.Series) -> pd.Series:
    logs = np.log(doubles(close))
    return like(close, logs - delayed(logs))


def future_return(close: pd.Series, horizon: int = 1) -> pd.Series:
    return np.log(close).diff(horizon)


def means(x: np.ndarray, window: int) -> np.ndarray:
    kernel = np.ones(window)
    valid = np.convolve(x, kernel, mode="valid") / window if len(x) >= window else doubles([])
    return np.concatenate([np.full(len(x) - len(valid), np.nan), valid])


def smooth(x: np.ndarray, alpha: float) -> np.ndarray:
    """y_t = alpha x_t + (1 - alpha) y_{t-1}, and y_0 = x_0."""
    if not len(x):
        return doubles(x)
    return lfilter([alpha], [1.0, alpha - 1.0], x, zi=[(1.0 - alpha) * x[0]])[0]


def moving_average(close: pd.Series, window: int) -> pd.Series:
    return like(close, means(doubles(close), window))


def ema(close: pd.Series, span: int) -> pd.Series:
    return like(close, smooth(doubles(close), alpha=2.0 / (span + 1.0)))


def volatility(close: pd.Series, window: int) -> pd.Series:
    return log_returns(close).rolling(window).apply(np.std, raw=True, kwargs={"ddof": 1})


def rsi(close: pd.Series, window: int = 14) -> pd.Series:
    out = np.full(len(close), np.nan)
    change = np.diff(doubles(close))
    if len(change) >= window:
        average = {}
        for side, moves in (("gain", change), ("loss", -change)):
            moves = np.clip(moves, 0.0, None)
            average[side] = smooth(np.r_[moves[:window].mean(), moves[window:]], alpha=1.0 / window)
        with np.errstate(invalid="ignore"):
            strength = 100.0 * average["gain"] / (average["gain"] + average["loss"])
        out[window:] = np.where(np.isnan(strength), 50.0, strength)
    return like(close, out)


def macd(close: pd.Series) -> pd.DataFrame:
    x = doubles(close)
    line = smooth(x, 2 / (12 + 1)) - smooth(x, 2 / (26 + 1))
    signal = smooth(line, 2 / (9 + 1))
    return pd.DataFrame.from_dict({"macd": line, "signal": signal, "histogram": line - signal}).set_index(close.index)


def build_features(prices: pd.DataFrame) -> pd.DataFrame:
    price = {name: doubles(prices[name]) for name in prices.columns}
    log = {name: np.log(price[name]) for name in ("Open", "High", "Low", "Close")}
    close, before = prices["Close"], delayed(log["Close"])
    table = pd.DataFrame(index=prices.index, dtype="float64")
    weekday = 2 * np.pi * doubles(prices.index.dayofweek) / 5  # known on every day
    table["weekday_sin"], table["weekday_cos"] = np.sin(weekday), np.cos(weekday)
    table["return"] = log["Close"] - before
    table["range"] = log["High"] - log["Low"]
    table["gap"] = log["Open"] - before
    table["volume"] = np.log1p(price["Volume"]) - np.log1p(means(price["Volume"], MONTH))
    table["trend"] = log["Close"] - np.log(means(price["Close"], MONTH))
    table["volatility"] = volatility(close, MONTH).to_numpy()
    table["rsi"] = rsi(close, 14).to_numpy() / 100.0 - 0.5
    table["macd"] = macd(close)["histogram"].to_numpy() / price["Close"]
    table["week"] = log["Close"] - delayed(log["Close"], 5)
    return table.iloc[MONTH:].astype("float64")


def make_windows(
    features: pd.DataFrame, target: pd.Series, lookback: int, horizon: int = 1
) -> tuple[np.ndarray, np.ndarray, pd.DatetimeIndex]:
    days = features.index[lookback - 1 + horizon :]
    if len(days) < 1:
        raise ValueError(f"No window of {lookback} days with a target {horizon} days later in {len(features)} days.")
    numbers = doubles(features)
    X = np.stack([numbers[place : place + lookback] for place in range(len(days))])
    y = doubles(target.reindex(index=days))
    return X.astype(np.float32), y.astype(np.float32), days


def chronological_split(
    n: int, val_fraction: float, test_fraction: float, gap: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    numbers = np.arange(n, dtype=np.int32)
    from_test = n - round(n * test_fraction)
    from_val = from_test - round(n * val_fraction)
    train = numbers[numbers < from_val - gap]
    val = numbers[(from_val <= numbers) & (numbers < from_test - gap)]
    test = numbers[from_test <= numbers]
    if not (len(train) and len(val) and len(test)):
        raise ValueError(f"{n} windows make {len(train)} to train on, {len(val)} to choose by, {len(test)} to test with.")
    return train, val, test


class Scaler:
    """All statistics are float64; only what goes into the network is float32."""

    def fit(self, X: np.ndarray, y: np.ndarray) -> "Scaler":
        self.mean, self.scale = self._learn(X, axis=(0, 1))
        self.target_mean, self.target_scale = self._learn(y, axis=0)
        return self

    @staticmethod
    def _learn(values: np.ndarray, axis) -> tuple[np.ndarray, np.ndarray]:
        values = np.array(values, dtype=np.longdouble)
        mean = values.mean(axis=axis)
        variance = np.square(values - mean).mean(axis=axis)
        varied = np.amax(values, axis=axis) > np.amin(values, axis=axis)
        return np.float64(mean), np.float64(np.sqrt(np.where(varied, variance, 1.0)))

    def transform(self, X: np.ndarray) -> np.ndarray:
        return np.float32((doubles(X) - self.mean) / self.scale)

    def transform_target(self, y: np.ndarray) -> np.ndarray:
        y = doubles(y)
        y -= self.target_mean
        y /= self.target_scale
        return y.astype("f4")

    def inverse_target(self, y: np.ndarray) -> np.ndarray:
        y = doubles(y)
        y *= self.target_scale
        y += self.target_mean
        return y


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
    X, y, days = make_windows(features, target, lookback=lookback, horizon=horizon)
    numbers = chronological_split(len(X), val_fraction, test_fraction, gap=horizon + lookback - 1)
    scaler = Scaler()
    scaler.fit(X=X[numbers[0]], y=y[numbers[0]])
    named = dict(zip(("train", "val", "test"), numbers))
    parts = {
        name: Part(X=scaler.transform(X[rows]), y=scaler.transform_target(y[rows]), days=days.take(rows))
        for name, rows in named.items()
    }
    return Prepared(**parts, scaler=scaler)
