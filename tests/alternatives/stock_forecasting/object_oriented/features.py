"""Indicators as objects, a feature table built by them, and scikit-learn's scaler inside ours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
import pandas as pd
from sklearn.preprocessing import StandardScaler

FEATURES: list[str] = ["return", "range", "gap", "volume", "trend", "volatility", "rsi", "macd"]
MONTH: int = 20


@dataclass(frozen=True)
class Smoother:
    """value ← value + alpha (number − value), from a first value on."""

    alpha: float

    def run(self, numbers: np.ndarray, first: float) -> np.ndarray:
        """`first`, and after each of the numbers one more."""
        values = accumulate(numbers, lambda value, number: value + self.alpha * (number - value), initial=first)
        return np.fromiter(values, dtype="float64")


def log_returns(close: pd.Series) -> pd.Series:
    return np.log(close / close.shift(1))


def future_return(close: pd.Series, horizon: int = 1) -> pd.Series:
    return np.log(close).diff(horizon)


def moving_average(close: pd.Series, window: int) -> pd.Series:
    return close.rolling(window, min_periods=window).apply(np.mean, raw=True)


def ema(close: pd.Series, span: int) -> pd.Series:
    numbers = close.to_numpy("float64")
    smooth = Smoother(2 / (span + 1)).run(numbers[1:], numbers[0]) if len(numbers) else numbers
    return pd.Series(smooth, index=close.index, name=close.name)


def volatility(close: pd.Series, window: int) -> pd.Series:
    return log_returns(close).rolling(window, min_periods=window).apply(lambda r: np.std(r, ddof=1), raw=True)


def rsi(close: pd.Series, window: int = 14) -> pd.Series:
    changes = np.diff(close.to_numpy("float64"))
    result = pd.Series(np.nan, index=close.index, name="rsi")
    if len(changes) < window:
        return result
    gain, loss = (
        Smoother(1 / window).run(side[window:], side[:window].mean())
        for side in (np.maximum(changes, 0), np.maximum(-changes, 0))
    )
    total = gain + loss
    result.iloc[window:] = np.where(total > 0, 100 * gain / np.where(total > 0, total, 1), 50.0)
    return result


def macd(close: pd.Series) -> pd.DataFrame:
    table = pd.DataFrame({"macd": ema(close, 12) - ema(close, 26)})
    table["signal"] = ema(table["macd"], 9)
    table["histogram"] = table["macd"] - table["signal"]
    return table


class FeatureTable:
    """Recipes by name; `build` follows them all."""

    def __init__(self) -> None:
        self.recipes: dict[str, Callable[[pd.DataFrame], pd.Series]] = {
            "return": lambda p: log_returns(p["Close"]),
            "range": lambda p: np.log(p["High"]) - np.log(p["Low"]),
            "gap": lambda p: np.log(p["Open"]) - np.log(p["Close"].shift(1)),
            "volume": lambda p: np.log1p(p["Volume"]) - np.log1p(moving_average(p["Volume"], MONTH)),
            "trend": lambda p: np.log(p["Close"] / moving_average(p["Close"], MONTH)),
            "volatility": lambda p: volatility(p["Close"], MONTH),
            "rsi": lambda p: rsi(p["Close"]) / 100 - 0.5,
            "macd": lambda p: macd(p["Close"])["histogram"] / p["Close"],
            # more than asked for
            "day_by_day": lambda p: np.log(p["Close"] / p["Open"]),
            "week": lambda p: future_return(p["Close"], 5),
        }

    def build(self, prices: pd.DataFrame) -> pd.DataFrame:
        table = pd.DataFrame({name: recipe(prices) for name, recipe in self.recipes.items()})
        return table.dropna()


def build_features(prices: pd.DataFrame) -> pd.DataFrame:
    return FeatureTable().build(prices)


def make_windows(
    features: pd.DataFrame, target: pd.Series, lookback: int, horizon: int = 1
) -> tuple[np.ndarray, np.ndarray, pd.DatetimeIndex]:
    table = features.astype("float32")
    table = table.assign(**{"the target": target.reindex(features.index).shift(-horizon)})
    n = len(table) - lookback - horizon + 1
    if n <= 0:
        raise ValueError(f"expected {lookback + horizon} days or more for one window, found {len(table)}.")
    numbers = table.drop(columns="the target").to_numpy("float32")
    rows = np.arange(n)[:, None] + np.arange(lookback)[None, :]  # (n, lookback)
    y = table["the target"].to_numpy("float32")[rows[:, -1]]
    return numbers[rows], y, pd.DatetimeIndex(features.index[rows[:, -1] + horizon])


def chronological_split(
    n: int, val_fraction: float, test_fraction: float, gap: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    sizes = {"val": round(n * val_fraction), "test": round(n * test_fraction)}
    sizes["train"] = n - sum(sizes.values())
    if min(sizes["train"] - gap, sizes["val"] - gap, sizes["test"]) <= 0:
        raise ValueError(f"expected windows in each part, found {sizes} before gaps of {gap} are left out.")
    cuts = [sizes["train"], sizes["train"] + sizes["val"]]
    train, val, test = np.split(np.arange(n), cuts)
    return train[: len(train) - gap], val[: len(val) - gap], test


class Scaler:
    """Two StandardScalers: one for the features of all windows' days, one for the target."""

    def __init__(self) -> None:
        self.features = StandardScaler()
        self.target = StandardScaler()

    @staticmethod
    def rows(X: np.ndarray) -> np.ndarray:
        return np.asarray(X, dtype="float64").reshape(-1, X.shape[-1])

    @staticmethod
    def column(y: np.ndarray) -> np.ndarray:
        return np.asarray(y, dtype="float64").reshape(-1, 1)

    def fit(self, X: np.ndarray, y: np.ndarray) -> Scaler:
        self.features.fit(self.rows(X))
        self.target.fit(self.column(y))
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        return self.features.transform(self.rows(X)).reshape(X.shape).astype("float32")

    def transform_target(self, y: np.ndarray) -> np.ndarray:
        return self.target.transform(self.column(y)).ravel().astype("float32")

    def inverse_target(self, y: np.ndarray) -> np.ndarray:
        return self.target.inverse_transform(self.column(y)).ravel()


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
    numbers = chronological_split(len(y), val_fraction, test_fraction, gap=lookback + horizon - 1)
    names = ("train", "val", "test")
    scaler = Scaler().fit(X[numbers[0]], y[numbers[0]])
    parts = {
        name: Part(scaler.transform(X[i]), scaler.transform_target(y[i]), days[i])
        for name, i in zip(names, numbers, strict=True)
    }
    return Prepared(**parts, scaler=scaler)
