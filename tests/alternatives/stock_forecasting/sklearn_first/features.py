"""Task 2: features, and scikit-learn for splitting and scaling."""

from dataclasses import dataclass
from itertools import accumulate

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import FunctionTransformer, StandardScaler

FEATURES = ["return", "range", "gap", "volume", "trend", "volatility", "rsi", "macd"]
MONTH = 20  # trading days

log_ratio = FunctionTransformer(lambda pair: np.log(pair[0] / pair[1]))


def log_returns(close: pd.Series) -> pd.Series:
    return log_ratio.transform((close, close.shift(periods=1)))


def future_return(close: pd.Series, horizon: int = 1) -> pd.Series:
    return np.log(close).diff(horizon)


def moving_average(close: pd.Series, window: int) -> pd.Series:
    return close.rolling(window=window, min_periods=window).sum() / window


def smoothed(numbers, alpha: float) -> list[float]:
    return list(accumulate(numbers, lambda mean, number: mean + alpha * (number - mean)))


def ema(close: pd.Series, span: int) -> pd.Series:
    return pd.Series(smoothed(close.tolist(), 2 / (span + 1)), index=close.index, dtype=float)


def volatility(close: pd.Series, window: int) -> pd.Series:
    return np.sqrt(log_returns(close).rolling(window).var(ddof=1))


def rsi(close: pd.Series, window: int = 14) -> pd.Series:
    changes = close.diff().iloc[1:]
    result = pd.Series(np.nan, index=close.index)
    if len(changes) < window:
        return result
    gain, loss = (
        np.array(smoothed([side.iloc[:window].mean(), *side.iloc[window:]], 1 / window))
        for side in (changes.where(changes > 0, 0.0), -changes.where(changes < 0, 0.0))
    )
    still = gain + loss == 0
    result.iloc[window:] = np.where(still, 50.0, 100 * gain / np.where(still, 1.0, gain + loss))
    return result


def macd(close: pd.Series) -> pd.DataFrame:
    table = pd.DataFrame({"macd": ema(close, span=12) - ema(close, span=26)})
    table.insert(1, "signal", ema(table["macd"], span=9))
    table.insert(2, "histogram", table["macd"] - table["signal"])
    return table


def build_features(prices: pd.DataFrame) -> pd.DataFrame:
    opening, high, low, close = (prices[name] for name in ("Open", "High", "Low", "Close"))
    shares = FunctionTransformer(np.log1p).transform
    columns = (
        log_returns(close),
        log_ratio.transform((high, low)),
        log_ratio.transform((opening, close.shift())),
        shares(prices["Volume"]) - shares(moving_average(prices["Volume"], MONTH)),
        log_ratio.transform((close, moving_average(close, MONTH))),
        volatility(close, MONTH),
        rsi(close, 14) / 100 - 0.5,
        macd(close)["histogram"] / close,
    )
    table = pd.concat(columns, axis=1, keys=FEATURES)
    # two more that need no longer: the return in units of its own month, and the close's place within the day
    table["surprise"] = table["return"] / table["volatility"].where(table["volatility"] > 1e-9, 1.0)
    table["place"] = ((close - low) / (high - low).where(high > low)).fillna(0.5) - 0.5
    return table[table[FEATURES].notna().all(axis=1)]


def make_windows(
    features: pd.DataFrame, target: pd.Series, lookback: int, horizon: int = 1
) -> tuple[np.ndarray, np.ndarray, pd.DatetimeIndex]:
    first = np.arange(len(features) - lookback - horizon + 1)
    if first.size == 0:
        raise ValueError(f"lookback {lookback} and horizon {horizon} do not fit into {len(features)} days")
    X = features.to_numpy()[first[:, np.newaxis] + np.arange(lookback)].astype(np.float32)
    days = features.index[first + lookback + horizon - 1]
    return X, target[days].to_numpy().astype(np.float32), days


def chronological_split(
    n: int, val_fraction: float, test_fraction: float, gap: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rest, test = train_test_split(np.arange(n), test_size=round(n * test_fraction), shuffle=False)
    train, val = train_test_split(rest, test_size=round(n * val_fraction), shuffle=False)
    train, val = train[: max(len(train) - gap, 0)], val[: max(len(val) - gap, 0)]
    if len(train) == 0 or len(val) == 0:
        raise ValueError(f"a gap of {gap} leaves nothing of a part of {n} windows")
    return train, val, test


class Scaler:
    def __init__(self) -> None:
        self.of_features, self.of_target = StandardScaler(), StandardScaler()

    def fit(self, X: np.ndarray, y: np.ndarray) -> "Scaler":
        self.of_features.fit(np.float64(X).reshape(-1, np.shape(X)[-1]))
        self.of_target.fit(np.float64(y).reshape(-1, 1))
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        return self._apply(self.of_features.transform, X, np.shape(X)[-1]).astype(np.float32)

    def transform_target(self, y: np.ndarray) -> np.ndarray:
        return self._apply(self.of_target.transform, y, 1).astype(np.float32)

    def inverse_target(self, y: np.ndarray) -> np.ndarray:
        return self._apply(self.of_target.inverse_transform, y, 1)

    @staticmethod
    def _apply(function, numbers: np.ndarray, width: int) -> np.ndarray:
        rows = np.array(numbers, dtype=np.float64).reshape(-1, width)
        return (function(rows) if len(rows) else rows).reshape(np.shape(numbers))


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
    gap = lookback + horizon - 1
    train, val, test = chronological_split(len(days), val_fraction, test_fraction, gap=gap)
    scaler = Scaler().fit(X[train], y[train])

    def part(rows: np.ndarray) -> Part:
        return Part(scaler.transform(X[rows]), scaler.transform_target(y[rows]), days[rows])

    return Prepared(part(train), part(val), part(test), scaler)
