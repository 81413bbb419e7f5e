"""Task 2: features, windows, split and scaling, each with its checks."""

import operator
from dataclasses import dataclass

import numpy as np
import pandas as pd

FEATURES = ["return", "range", "gap", "volume", "trend", "volatility", "rsi", "macd"]
MONTH = 20  # trading days


def require_whole(name: str, number: int, least: int = 1) -> int:
    number = operator.index(number)
    if number < least:
        raise ValueError(f"{name}: expected a whole number from {least} on, found {number}.")
    return number


def log_returns(close: pd.Series) -> pd.Series:
    logs = np.log(close.to_numpy(dtype="float64"))
    return pd.Series(np.diff(logs, prepend=np.nan), index=close.index)


def future_return(close: pd.Series, horizon: int = 1) -> pd.Series:
    return np.log(close).diff(horizon)


def moving_average(close: pd.Series, window: int) -> pd.Series:
    require_whole("window", window)
    total = close.astype("float64")
    for days in range(1, window):
        total = total + close.shift(days)
    return total / window


def ema(close: pd.Series, span: int) -> pd.Series:
    require_whole("span", span)
    return close.ewm(com=(span - 1) / 2, adjust=False).mean()


def volatility(close: pd.Series, window: int) -> pd.Series:
    require_whole("window", window, least=2)
    returns = log_returns(close)
    beside = pd.concat([returns.shift(days) for days in range(window)], axis=1)
    return beside.std(axis=1, ddof=1, skipna=False)


def rsi(close: pd.Series, window: int = 14) -> pd.Series:
    require_whole("window", window)
    result = np.full(len(close), np.nan)
    changes = np.diff(close.to_numpy(dtype="float64"))
    moves = np.column_stack([changes.clip(min=0), (-changes).clip(min=0)])  # gain and loss of each change
    average = np.zeros(2)
    for number, move in enumerate(moves, start=1):
        average += (move - average) / min(number, window)  # at first this is the running mean
        if number >= window:
            gain, loss = average
            result[number] = 50.0 if gain <= 0 and loss <= 0 else 100.0 * gain / (gain + loss)
    return pd.Series(result, index=close.index)


def macd(close: pd.Series) -> pd.DataFrame:
    line = ema(close, 12).subtract(ema(close, 26))
    signal = ema(line, 9)
    return pd.DataFrame(dict(macd=line, signal=signal, histogram=line.subtract(signal)))


def build_features(prices: pd.DataFrame) -> pd.DataFrame:
    missing = {"Open", "High", "Low", "Close", "Volume"}.difference(prices.columns)
    if missing:
        raise ValueError(f"prices: found no {', '.join(sorted(missing))}.")
    if not prices.index.is_monotonic_increasing:
        raise ValueError("prices: expected the days in ascending order.")
    close, volume = prices["Close"], prices["Volume"]
    yesterday = close.shift(1)
    table = pd.DataFrame(np.nan, index=prices.index, columns=FEATURES)
    table["return"] = log_returns(close)
    table["range"] = np.log(prices["High"].div(prices["Low"]))
    table["gap"] = np.log(prices["Open"].div(yesterday))
    table["volume"] = np.log1p(volume).sub(np.log1p(moving_average(volume, MONTH)))
    table["trend"] = np.log(close.div(moving_average(close, MONTH)))
    table["volatility"] = volatility(close, MONTH)
    table["rsi"] = rsi(close, window=14).div(100).sub(0.5)
    table["macd"] = macd(close)["histogram"].div(close)
    known = table.dropna()
    if len(known) < max(len(table) - MONTH, 0):
        raise ValueError("prices: a hole or an impossible price; call clean_prices first.")
    return known


def make_windows(
    features: pd.DataFrame, target: pd.Series, lookback: int, horizon: int = 1
) -> tuple[np.ndarray, np.ndarray, pd.DatetimeIndex]:
    require_whole("lookback", lookback)
    require_whole("horizon", horizon)
    ends = range(lookback - 1, len(features) - horizon)
    if not ends:
        raise ValueError(f"expected at least {lookback + horizon} days of features, found {len(features)}.")
    days = pd.DatetimeIndex([features.index[end + horizon] for end in ends], name=features.index.name)
    unknown = days.difference(target.index)
    if len(unknown):
        raise ValueError(f"target: nothing on {unknown[0].date()}, and on {len(unknown)} days in all.")
    y = target.loc[days].to_numpy()
    if np.isnan(y).any():
        raise ValueError(f"target: not a number on {days[np.isnan(y)][0].date()}.")
    X = np.array([features.iloc[end - lookback + 1 : end + 1].to_numpy() for end in ends])
    return X.astype("float32"), y.astype("float32"), days


def chronological_split(
    n: int, val_fraction: float, test_fraction: float, gap: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    require_whole("gap", gap, least=0)
    for name, fraction in (("val_fraction", val_fraction), ("test_fraction", test_fraction)):
        if not 0 <= fraction <= 1:
            raise ValueError(f"{name}: expected a number from 0 to 1, found {fraction}.")
    test = range(n - round(n * test_fraction), n)
    val = range(test.start - round(n * val_fraction), test.start - gap)
    train = range(0, val.start - gap)
    for name, part in {"training": train, "validation": val, "test": test}.items():
        if not part:
            raise ValueError(f"{n} windows and a gap of {gap} leave nothing for {name}.")
    return tuple(np.fromiter(part, dtype="int64", count=len(part)) for part in (train, val, test))


class Scaler:
    _mean = _std = _target_mean = _target_std = None

    def fit(self, X: np.ndarray, y: np.ndarray) -> "Scaler":
        if np.ndim(X) != 3 or np.shape(y) != (len(X),) or not np.size(X):
            raise ValueError(f"expected X (n, lookback, n_features) and y (n,), found {np.shape(X)}, {np.shape(y)}.")
        table = np.asarray(X, dtype="float64").reshape(-1, np.shape(X)[2]).T  # (n_features, n * lookback)
        self._mean = np.array([row[0] if (row == row[0]).all() else row.mean() for row in table])
        self._std = np.array([1.0 if (row == row[0]).all() else row.std() for row in table])
        y = np.asarray(y, dtype="float64")
        varied = np.unique(y).size > 1
        self._target_mean, self._target_std = (y.mean(), y.std()) if varied else (y[0], 1.0)
        return self

    def _require_fitted(self) -> None:
        if self._mean is None:
            raise RuntimeError("this Scaler has not been fitted.")

    def transform(self, X: np.ndarray) -> np.ndarray:
        self._require_fitted()
        if np.shape(X)[-1] != len(self._mean):
            raise ValueError(f"fitted on {len(self._mean)} features, found {np.shape(X)[-1]}.")
        return ((np.asarray(X, dtype="float64") - self._mean) / self._std).astype("float32")

    def transform_target(self, y: np.ndarray) -> np.ndarray:
        self._require_fitted()
        return ((np.asarray(y, dtype="float64") - self._target_mean) / self._target_std).astype("float32")

    def inverse_target(self, y: np.ndarray) -> np.ndarray:
        self._require_fitted()
        return self._target_mean + self._target_std * np.asarray(y, dtype="float64")


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
    require_whole("horizon", horizon)
    features, target = build_features(prices), future_return(prices["Close"], horizon)
    X, y, days = make_windows(features, target, lookback, horizon)
    in_common = lookback + horizon - 1  # windows that share a day with the next part
    train, val, test = chronological_split(len(y), val_fraction, test_fraction, gap=in_common)
    scaler = Scaler().fit(X[train], y[train])
    parts = {}
    for name, rows in zip(["train", "val", "test"], [train, val, test]):
        parts[name] = Part(scaler.transform(X[rows]), scaler.transform_target(y[rows]), days[rows])
    return Prepared(scaler=scaler, **parts)
