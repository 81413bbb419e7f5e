"""Task 2: small objects that see one day after the other, so that none can look ahead."""

import math
from collections import deque
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

FEATURES = ["return", "range", "gap", "volume", "trend", "volatility", "rsi", "macd"]
MONTH = 20  # trading days


@dataclass
class Last:
    """The last `size` numbers; a statistic of them once there are so many."""

    size: int
    numbers: deque = field(default_factory=deque)

    def push(self, x: float) -> bool:
        if not math.isnan(x):
            self.numbers.append(x)
        if len(self.numbers) > self.size:
            self.numbers.popleft()
        return len(self.numbers) == self.size

    def mean(self, x: float) -> float:
        return math.fsum(self.numbers) / self.size if self.push(x) else math.nan

    def deviation(self, x: float) -> float:
        if not self.push(x) or self.size < 2:
            return math.nan
        centre = math.fsum(self.numbers) / self.size
        return math.sqrt(math.fsum((number - centre) ** 2 for number in self.numbers) / (self.size - 1))


@dataclass
class Smooth:
    """An exponential average."""

    alpha: float
    value: float | None = None

    def push(self, x: float) -> float:
        self.value = x if self.value is None else self.value + self.alpha * (x - self.value)
        return self.value


@dataclass
class Wilder:
    """The mean of the first `window` numbers, then smoothed."""

    window: int
    first: list = field(default_factory=list)
    smooth: Smooth | None = None

    def push(self, x: float) -> float:
        if self.smooth:
            return self.smooth.push(x)
        self.first.append(x)
        if len(self.first) < self.window:
            return math.nan
        self.smooth = Smooth(1 / self.window)
        return self.smooth.push(math.fsum(self.first) / self.window)


def each(step, series: pd.Series) -> pd.Series:
    return pd.Series([step(float(x)) for x in series], index=series.index, dtype="float64")


def log_returns(close: pd.Series) -> pd.Series:
    return np.log(close / close.shift(1))


def future_return(close: pd.Series, horizon: int = 1) -> pd.Series:
    return np.log(close).diff(horizon)


def moving_average(close: pd.Series, window: int) -> pd.Series:
    return each(Last(window).mean, close)


def ema(close: pd.Series, span: int) -> pd.Series:
    return each(Smooth(2 / (1 + span)).push, close)


def volatility(close: pd.Series, window: int) -> pd.Series:
    return each(Last(window).deviation, log_returns(close))


def rsi(close: pd.Series, window: int = 14) -> pd.Series:
    gains, losses, before, index = Wilder(window), Wilder(window), None, []
    for price in close:
        if before is None:
            index.append(math.nan)
        else:
            up, down = gains.push(max(price - before, 0.0)), losses.push(max(before - price, 0.0))
            index.append(50.0 if up == down == 0 else 100 * up / (up + down))
        before = price
    return pd.Series(index, index=close.index, dtype="float64")


def macd(close: pd.Series) -> pd.DataFrame:
    fast, slow, ninth = Smooth(2 / 13), Smooth(2 / 27), Smooth(2 / 10)
    rows = []
    for price in close:
        line = fast.push(price) - slow.push(price)
        signal = ninth.push(line)
        rows.append((line, signal, line - signal))
    return pd.DataFrame(rows, index=close.index, columns=["macd", "signal", "histogram"], dtype="float64")


def build_features(prices: pd.DataFrame) -> pd.DataFrame:
    close, volume = prices["Close"], prices["Volume"].astype("float64")
    columns = {
        "return": log_returns(close),
        "range": np.log(prices["High"]).sub(np.log(prices["Low"])),
        "gap": np.log(prices["Open"]).sub(np.log(close).shift()),
        "volume": np.log((1 + volume) / (1 + moving_average(volume, MONTH))),
        "trend": np.log(close).sub(np.log(moving_average(close, MONTH))),
        "volatility": volatility(close, MONTH),
        "rsi": (rsi(close) - 50) / 100,
        "macd": macd(close)["histogram"] / close,
    }
    table = pd.DataFrame(columns, index=prices.index)
    return table.loc[table.notna().all(axis=1)]


@dataclass(frozen=True)
class Windowing:
    lookback: int
    horizon: int = 1

    @property
    def gap(self) -> int:
        return self.lookback + self.horizon - 1

    def count(self, days: int) -> int:
        return max(days - self.gap, 0)


def make_windows(
    features: pd.DataFrame, target: pd.Series, lookback: int, horizon: int = 1
) -> tuple[np.ndarray, np.ndarray, pd.DatetimeIndex]:
    cut = Windowing(lookback, horizon)
    n = cut.count(len(features))
    if not n:
        raise ValueError(f"{cut} leaves no window of {len(features)} days")
    X = np.empty((n, lookback, features.shape[1]), dtype="float32")
    values = features.to_numpy()
    for day in range(lookback):
        X[:, day] = values[day : day + n]
    days = pd.DatetimeIndex(features.index[cut.gap :])
    return X, np.asarray([target.at[day] for day in days], dtype="float32"), days


def chronological_split(
    n: int, val_fraction: float, test_fraction: float, gap: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    sizes = {"test": round(n * test_fraction), "val": round(n * val_fraction)}
    ends = {"train": n - sizes["test"] - sizes["val"] - gap, "val": n - sizes["test"] - gap, "test": n}
    begins = {"train": 0, "val": n - sizes["test"] - sizes["val"], "test": n - sizes["test"]}
    for part, end in ends.items():
        if end <= begins[part]:
            raise ValueError(f"nothing is left for {part}: {n} windows, {sizes}, gap {gap}")
    return tuple(np.arange(begins[part], end) for part, end in ends.items())


@dataclass(frozen=True)
class Standard:
    """Mean and deviation of numbers along their first axis."""

    mean: np.ndarray
    std: np.ndarray

    @classmethod
    def of(cls, numbers: np.ndarray) -> "Standard":
        numbers = np.asarray(numbers, dtype="float64")
        constant = numbers.max(axis=0) == numbers.min(axis=0)
        return cls(numbers.mean(axis=0), np.where(constant, 1.0, numbers.std(axis=0)))

    def to(self, numbers: np.ndarray) -> np.ndarray:
        return ((np.asarray(numbers, dtype="float64") - self.mean) / self.std).astype("float32")

    def back(self, numbers: np.ndarray) -> np.ndarray:
        return np.asarray(numbers).astype("float64") * self.std + self.mean


class Scaler:
    X: Standard
    y: Standard

    def fit(self, X: np.ndarray, y: np.ndarray) -> "Scaler":
        self.X, self.y = Standard.of(np.concatenate(list(X))), Standard.of(y)
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        return self.X.to(X)

    def transform_target(self, y: np.ndarray) -> np.ndarray:
        return self.y.to(y)

    def inverse_target(self, y: np.ndarray) -> np.ndarray:
        return self.y.back(y)


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
    cut = Windowing(lookback, horizon)
    windows = make_windows(
        features=build_features(prices),
        target=future_return(prices["Close"], horizon=cut.horizon),
        lookback=cut.lookback,
        horizon=cut.horizon,
    )
    rows = chronological_split(len(windows[0]), val_fraction, test_fraction, gap=cut.gap)
    parts = [tuple(column[part] for column in windows) for part in rows]
    scaler = Scaler().fit(*parts[0][:2])
    scaled = (Part(X=scaler.transform(X), y=scaler.transform_target(y), days=days) for X, y, days in parts)
    return Prepared(*scaled, scaler=scaler)
