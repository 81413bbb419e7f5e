"""What is known on a day: typed, frozen, and without a look ahead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view

FEATURES = ["return", "range", "gap", "volume", "trend", "volatility", "rsi", "macd"]
MONTH = 20


def log_returns(close: pd.Series) -> pd.Series:
    return close.div(close.shift()).pipe(np.log)


def future_return(close: pd.Series, horizon: int = 1) -> pd.Series:
    return np.log(close).diff(horizon)


def moving_average(close: pd.Series, window: int) -> pd.Series:
    return close.rolling(window=window, min_periods=window).agg("mean")


def ema(close: pd.Series, span: int) -> pd.Series:
    return close.astype("float64").ewm(alpha=2 / (span + 1), adjust=False, min_periods=1).mean()


def volatility(close: pd.Series, window: int) -> pd.Series:
    return close.pipe(log_returns).rolling(window, min_periods=window).var(ddof=1).pow(0.5)


class Averages(NamedTuple):
    gain: float
    loss: float

    @classmethod
    def of(cls, changes: np.ndarray) -> Self:
        return cls(changes.clip(min=0).mean(), -changes.clip(max=0).mean())

    def after(self, change: float, window: int) -> Averages:
        match change:
            case up if up > 0:
                return Averages(self.gain + (up - self.gain) / window, self.loss - self.loss / window)
            case down:
                return Averages(self.gain - self.gain / window, self.loss + (-down - self.loss) / window)

    @property
    def index(self) -> float:
        match self:
            case Averages(gain=0, loss=0):
                return 50.0
            case Averages(gain, loss):
                return 100 * gain / (gain + loss)


def rsi(close: pd.Series, window: int = 14) -> pd.Series:
    result = pd.Series(np.nan, index=close.index)
    changes = np.diff(close.to_numpy(dtype="float64"))
    if len(changes) >= window:
        now = Averages.of(changes[:window])
        values = [now.index, *((now := now.after(change, window)).index for change in changes[window:])]
        result.iloc[window:] = values
    return result


def macd(close: pd.Series) -> pd.DataFrame:
    return (
        pd.DataFrame({"macd": ema(close, 12) - ema(close, 26)})
        .assign(signal=lambda df: ema(df["macd"], 9))
        .assign(histogram=lambda df: df["macd"] - df["signal"])
    )


def build_features(prices: pd.DataFrame) -> pd.DataFrame:
    close = prices["Close"]
    logs = np.log(prices[["Open", "High", "Low", "Close"]])
    known = {
        "return": logs["Close"].diff(),
        "range": logs["High"] - logs["Low"],
        "gap": logs["Open"] - logs["Close"].shift(1),
        "volume": np.log1p(prices["Volume"]) - np.log1p(moving_average(prices["Volume"], MONTH)),
        "trend": logs["Close"] - np.log(moving_average(close, MONTH)),
        "volatility": volatility(close, MONTH),
        "rsi": rsi(close).div(100).sub(0.5),
        "macd": macd(close)["histogram"].div(close),
        "body": logs["Close"] - logs["Open"],
    }
    return pd.DataFrame(known).iloc[MONTH:]


def make_windows(
    features: pd.DataFrame, target: pd.Series, lookback: int, horizon: int = 1
) -> tuple[np.ndarray, np.ndarray, pd.DatetimeIndex]:
    match len(features) - lookback - horizon + 1:
        case n if n <= 0:
            raise ValueError(f"{lookback=} and {horizon=} do not fit into {len(features)} days")
    values = features.to_numpy(dtype=np.float32)
    X = sliding_window_view(values, lookback, axis=0)[: len(values) - lookback + 1 - horizon].swapaxes(1, 2).copy()
    y = target.reindex(features.index).iloc[lookback + horizon - 1 :]
    return X, y.to_numpy(dtype=np.float32), pd.DatetimeIndex(y.index)


def chronological_split(
    n: int, val_fraction: float, test_fraction: float, gap: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    n_test, n_val = round(n * test_fraction), round(n * val_fraction)
    if (n_train := n - n_val - n_test - gap) <= 0 or n_val <= gap or n_test <= 0:
        raise ValueError(f"an empty part: {n=}, {val_fraction=}, {test_fraction=}, {gap=}")
    first = n_train + gap
    return np.r_[:n_train], np.r_[first : first + n_val - gap], np.r_[n - n_test : n]


class Moments(NamedTuple):
    mean: np.ndarray
    deviation: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray, axis: int | tuple[int, ...]) -> Self:
        values = values.astype(np.float64)
        deviation = values.std(axis=axis)
        deviation[values.max(axis=axis) == values.min(axis=axis)] = 1.0
        return cls(values.mean(axis=axis), deviation)


class Scaler:
    __slots__ = ("features", "target")

    features: Moments
    target: Moments

    def fit(self, X: np.ndarray, y: np.ndarray) -> Scaler:
        self.features, self.target = Moments.of(X, (0, 1)), Moments.of(y[:, None], 0)
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        mean, deviation = self.features
        return np.divide(X - mean, deviation).astype(np.float32)

    def transform_target(self, y: np.ndarray) -> np.ndarray:
        mean, deviation = self.target
        return np.divide(y - mean, deviation).astype(np.float32)

    def inverse_target(self, y: np.ndarray) -> np.ndarray:
        match self.target:
            case Moments(mean, deviation):
                return np.asarray(y, dtype=np.float64) * deviation + mean


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
    X, y, days = make_windows(
        build_features(prices), future_return(prices["Close"], horizon), lookback=lookback, horizon=horizon
    )
    train, val, test = chronological_split(len(days), val_fraction, test_fraction, gap=lookback + horizon - 1)
    scaler = Scaler().fit(X[train], y[train])

    def part(rows: np.ndarray) -> Part:
        return Part(X=scaler.transform(X[rows]), y=scaler.transform_target(y[rows]), days=days[rows])

    return Prepared(train=part(train), val=part(val), test=part(test), scaler=scaler)
