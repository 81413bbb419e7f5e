"""Task 2: features known at the close, and windows of them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

FEATURES = ["return", "range", "gap", "volume", "trend", "volatility", "rsi", "macd"]
MONTH = 20  # trading days


def log_returns(close: pd.Series) -> pd.Series:
    return np.log1p(close.pct_change(fill_method=None))


def future_return(close: pd.Series, horizon: int = 1) -> pd.Series:
    return np.log(close).diff(horizon)


def moving_average(close: pd.Series, window: int) -> pd.Series:
    sums = close.astype("float64").cumsum()
    result = (sums - sums.shift(window, fill_value=0.0)) / window
    result.iloc[: window - 1] = np.nan
    return result


def ema(close: pd.Series, span: int) -> pd.Series:
    return close.ewm(alpha=2 / (span + 1), adjust=False, min_periods=1).mean()


def volatility(close: pd.Series, window: int) -> pd.Series:
    return log_returns(close).rolling(window).aggregate(lambda part: part.std(ddof=1))


def rsi(close: pd.Series, window: int = 14) -> pd.Series:
    if len(close) <= window:
        return pd.Series(index=close.index, dtype="float64")

    def average(moves: pd.Series) -> pd.Series:
        start = pd.Series([moves.iloc[1 : window + 1].mean()], index=moves.index[[window]])
        return pd.concat([start, moves.iloc[window + 1 :]]).ewm(alpha=1 / window, adjust=False).mean()

    changes = close - close.shift()
    gain, loss = average(changes.clip(lower=0)), average((-changes).clip(lower=0))
    strength = 100 * gain / (gain + loss)  # 0 / 0 is NaN
    return strength.fillna(50.0).reindex(close.index)


def macd(close: pd.Series) -> pd.DataFrame:
    columns = {"macd": ema(close, 12) - ema(close, 26)}
    columns["signal"] = ema(columns["macd"], 9)
    columns["histogram"] = columns["macd"] - columns["signal"]
    return pd.concat(columns, axis="columns")


def build_features(prices: pd.DataFrame) -> pd.DataFrame:
    Open, High, Low, Close, Volume = (prices[name].astype("float64") for name in ("Open", "High", "Low", "Close", "Volume"))
    month = Close.rolling(MONTH).mean()
    table = pd.concat(
        {
            "return": log_returns(Close),
            "range": np.log(High / Low),
            "gap": np.log(Open / Close.shift(1)),
            "volume": np.log(1 + Volume) - np.log(1 + moving_average(Volume, MONTH)),
            "trend": np.log(Close / month),
            "volatility": volatility(Close, MONTH),
            "rsi": rsi(Close) / 100 - 0.5,
            "macd": macd(Close)["histogram"] / Close,
        },
        axis=1,
    )
    return table.drop(index=table.index[table.isna().any(axis=1)])


def make_windows(
    features: pd.DataFrame, target: pd.Series, lookback: int, horizon: int = 1
) -> tuple[np.ndarray, np.ndarray, pd.DatetimeIndex]:
    values = np.ascontiguousarray(features, dtype="float32")  # (m, n_features)
    n = len(values) - (lookback + horizon) + 1
    if n <= 0:
        raise ValueError(f"Not one window: {len(values)} days, but {lookback} + {horizon} are needed.")
    day, number = values.strides
    X = np.lib.stride_tricks.as_strided(values, (n, lookback, values.shape[1]), (day, day, number)).copy()
    days = features.index[-n:]
    joined = pd.DataFrame(index=days).join(target.rename("y"))
    return X, joined["y"].to_numpy("float32"), days


def chronological_split(
    n: int, val_fraction: float, test_fraction: float, gap: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    n_val, n_test = round(n * val_fraction), round(n * test_fraction)
    n_train = n - n_val - n_test
    if min(n_train - gap, n_val - gap, n_test) < 1:
        raise ValueError(f"{n} windows cannot be parted: {n_train}, {n_val}, {n_test}, less a gap of {gap}.")
    train, val, test = np.split(np.arange(n), [n_train, n_train + n_val])
    return train[: n_train - gap], val[: n_val - gap], test


class Scaler:
    def fit(self, X: np.ndarray, y: np.ndarray) -> "Scaler":
        self.statistics = {}
        for name, values, axes in (("X", X, (0, 1)), ("y", y, 0)):
            mean, std = np.mean(values, axis=axes, dtype="float64"), np.std(values, axis=axes, dtype="float64")
            varies = np.max(values, axis=axes) != np.min(values, axis=axes)
            self.statistics[name] = mean, np.where(varies, std, 1.0)
        return self

    def _standard(self, name: str, values: np.ndarray) -> np.ndarray:
        mean, std = self.statistics[name]
        return ((values - mean) / std).astype("float32", copy=False)

    def transform(self, X: np.ndarray) -> np.ndarray:
        return self._standard("X", X)

    def transform_target(self, y: np.ndarray) -> np.ndarray:
        return self._standard("y", y)

    def inverse_target(self, y: np.ndarray) -> np.ndarray:
        mean, std = self.statistics["y"]
        return mean + std * np.array(y, dtype="float64")


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
    rows = chronological_split(len(X), val_fraction, test_fraction, gap=lookback + horizon - 1)
    scaler = Scaler().fit(X[rows[0]], y[rows[0]])
    train, val, test = (Part(scaler.transform(X[r]), scaler.transform_target(y[r]), days[r]) for r in rows)
    return Prepared(train, val, test, scaler)
