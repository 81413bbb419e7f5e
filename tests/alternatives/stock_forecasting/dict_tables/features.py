"""Features as a table of formulas."""

from dataclasses import dataclass
from operator import itemgetter

import numpy as np
import pandas as pd
from scipy.signal import lfilter

FEATURES = ["return", "range", "gap", "volume", "trend", "volatility", "rsi", "macd"]
MONTH = 20

SPANS = {"fast": 12, "slow": 26, "signal": 9}
STATISTICS = {"mean": lambda rolled: rolled.mean(), "std": lambda rolled: rolled.std(ddof=1)}


def rolling(values: pd.Series, window: int, statistic: str) -> pd.Series:
    return STATISTICS[statistic](values.rolling(window))


def log_returns(close: pd.Series) -> pd.Series:
    return np.log(close / close.shift(1))


def future_return(close: pd.Series, horizon: int = 1) -> pd.Series:
    return np.log(close).diff(horizon)


def moving_average(close: pd.Series, window: int) -> pd.Series:
    return rolling(close, window, "mean")


def smooth(values: np.ndarray, alpha: float) -> np.ndarray:
    """e = (1 - alpha) e + alpha v, from the first value on."""
    if not len(values):
        return values
    return lfilter([alpha], [1, alpha - 1], values, zi=[(1 - alpha) * values[0]])[0]


def ema(close: pd.Series, span: int) -> pd.Series:
    return pd.Series(smooth(close.to_numpy(dtype="float64"), 2 / (span + 1)), index=close.index)


def volatility(close: pd.Series, window: int) -> pd.Series:
    return rolling(log_returns(close), window, "std")


SIDES = {"gain": lambda d: np.where(d > 0, d, 0.0), "loss": lambda d: np.where(d < 0, -d, 0.0)}


def rsi(close: pd.Series, window: int = 14) -> pd.Series:
    changes = np.diff(close.to_numpy(dtype="float64"))
    if len(changes) < window:
        return pd.Series(np.nan, index=close.index)
    mean = {}
    for side, of in SIDES.items():
        part = of(changes)
        mean[side] = smooth(np.concatenate([[part[:window].mean()], part[window:]]), 1 / window)
    total = mean["gain"] + mean["loss"]
    values = np.where(total == 0, 50.0, 100 * mean["gain"] / np.where(total == 0, 1.0, total))
    return pd.Series(dict(zip(close.index[window:], values))).reindex(close.index)


def macd(close: pd.Series) -> pd.DataFrame:
    columns = {}
    formulas = {
        "macd": lambda: ema(close, SPANS["fast"]) - ema(close, SPANS["slow"]),
        "signal": lambda: ema(columns["macd"], SPANS["signal"]),
        "histogram": lambda: columns["macd"] - columns["signal"],
    }
    for name, formula in formulas.items():
        columns[name] = formula()
    return pd.DataFrame(columns)


FORMULAS = {
    "return": lambda p: log_returns(p["Close"]),
    "range": lambda p: np.log(p["High"] / p["Low"]),
    "gap": lambda p: np.log(p["Open"] / p["Close"].shift(1)),
    "volume": lambda p: np.log1p(p["Volume"]).sub(np.log1p(moving_average(p["Volume"], MONTH))),
    "trend": lambda p: np.log(p["Close"] / moving_average(p["Close"], MONTH)),
    "volatility": lambda p: volatility(p["Close"], MONTH),
    "rsi": lambda p: rsi(p["Close"]) / 100 - 0.5,
    "macd": lambda p: macd(p["Close"])["histogram"] / p["Close"],
    "volume_change": lambda p: np.log1p(p["Volume"]).diff(),
    "return_before": lambda p: log_returns(p["Close"]).shift(1),
}


def build_features(prices: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({name: formula(prices) for name, formula in FORMULAS.items()}).dropna(how="any")


def make_windows(
    features: pd.DataFrame, target: pd.Series, lookback: int, horizon: int = 1
) -> tuple[np.ndarray, np.ndarray, pd.DatetimeIndex]:
    rows = dict(zip(features.index, range(len(features))))
    ends = {day: row - horizon + 1 for day, row in rows.items() if row - horizon + 1 >= lookback}
    if not ends:
        raise ValueError(f"{len(features)} days make no window of lookback {lookback} and horizon {horizon}")
    values, known = features.to_numpy("float32"), target.to_dict()
    X = {day: values[end - lookback : end] for day, end in ends.items()}
    y = itemgetter(*ends)(known) if len(ends) > 1 else [known[day] for day in ends]
    return np.array(list(X.values())), np.asarray(y, dtype="float32"), pd.DatetimeIndex(list(ends))


def chronological_split(
    n: int, val_fraction: float, test_fraction: float, gap: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    size = {"val": round(n * val_fraction), "test": round(n * test_fraction)}
    ranges = {
        "train": range(0, n - size["val"] - size["test"] - gap),
        "val": range(n - size["val"] - size["test"], n - size["test"] - gap),
        "test": range(n - size["test"], n),
    }
    if empty := [part for part, numbers in ranges.items() if len(numbers) == 0]:
        raise ValueError(f"{n} windows leave {' and '.join(empty)} empty")
    return tuple(np.array(numbers) for numbers in ranges.values())


class Scaler:
    AXES = {"X": (0, 1), "y": 0}

    def fit(self, X: np.ndarray, y: np.ndarray) -> "Scaler":
        self.learnt = {}
        for name, values in {"X": X, "y": y}.items():
            values = np.asarray(values, dtype="float64")
            axis = self.AXES[name]
            varied = np.max(values, axis) != np.min(values, axis)
            self.learnt[name] = {"mean": np.mean(values, axis), "std": np.where(varied, np.std(values, axis), 1)}
        return self

    def _scaled(self, name: str, values: np.ndarray) -> np.ndarray:
        learnt = self.learnt[name]
        return ((values - learnt["mean"]) / learnt["std"]).astype("float32")

    def transform(self, X: np.ndarray) -> np.ndarray:
        return self._scaled("X", X)

    def transform_target(self, y: np.ndarray) -> np.ndarray:
        return self._scaled("y", y)

    def inverse_target(self, y: np.ndarray) -> np.ndarray:
        return np.multiply(y, self.learnt["y"]["std"], dtype="float64") + self.learnt["y"]["mean"]


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
    window = {"lookback": lookback, "horizon": horizon}
    X, y, days = make_windows(build_features(prices), future_return(prices["Close"], horizon), **window)
    fractions = {"val_fraction": val_fraction, "test_fraction": test_fraction, "gap": sum(window.values()) - 1}
    rows = dict(zip(("train", "val", "test"), chronological_split(len(y), **fractions)))
    scaler = Scaler().fit(X[rows["train"]], y[rows["train"]])
    columns = {"X": lambda i: scaler.transform(X[i]), "y": lambda i: scaler.transform_target(y[i]), "days": lambda i: days[i]}
    parts = {part: Part(**{name: of(i) for name, of in columns.items()}) for part, i in rows.items()}
    return Prepared(**parts, scaler=scaler)
