"""Task 2: features, windows, split, scaling, step by step."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

FEATURES = ["return", "range", "gap", "volume", "trend", "volatility", "rsi", "macd"]
MONTH = 20  # trading days


def log_returns(close: pd.Series) -> pd.Series:
    values = list(close)
    result = []
    for i in range(len(values)):
        if i == 0:
            result.append(math.nan)
        else:
            result.append(math.log(values[i] / values[i - 1]))
    return pd.Series(result, index=close.index, dtype="float64")


def future_return(close: pd.Series, horizon: int = 1) -> pd.Series:
    return np.log(close).diff(horizon)


def moving_average(close: pd.Series, window: int) -> pd.Series:
    values = list(close)
    result = []
    for i in range(len(values)):
        if i + 1 < window:
            result.append(math.nan)
        else:
            last_values = values[i + 1 - window : i + 1]
            result.append(sum(last_values) / window)
    return pd.Series(result, index=close.index, dtype="float64")


def ema(close: pd.Series, span: int) -> pd.Series:
    alpha = 2 / (span + 1)
    result = []
    for price in close:
        if len(result) == 0:
            average = price
        else:
            average = average + alpha * (price - average)
        result.append(average)
    return pd.Series(result, index=close.index, dtype="float64")


def volatility(close: pd.Series, window: int) -> pd.Series:
    returns = list(log_returns(close))
    result = []
    for i in range(len(returns)):
        if i < window or window < 2:
            result.append(math.nan)
            continue
        last_returns = returns[i - window + 1 : i + 1]
        mean = sum(last_returns) / window
        squares = 0.0
        for value in last_returns:
            squares = squares + (value - mean) ** 2
        result.append(math.sqrt(squares / (window - 1)))
    return pd.Series(result, index=close.index, dtype="float64")


def rsi(close: pd.Series, window: int = 14) -> pd.Series:
    prices = list(close)
    result = []
    sum_of_gains = 0.0
    sum_of_losses = 0.0
    average_gain = 0.0
    average_loss = 0.0
    for i in range(len(prices)):
        if i == 0:
            result.append(math.nan)
            continue
        change = prices[i] - prices[i - 1]
        gain = max(change, 0.0)
        loss = max(-change, 0.0)
        if i <= window:
            sum_of_gains += gain
            sum_of_losses += loss
            average_gain = sum_of_gains / window
            average_loss = sum_of_losses / window
        else:
            average_gain = average_gain + (gain - average_gain) / window
            average_loss = average_loss + (loss - average_loss) / window
        if i < window:
            result.append(math.nan)
        elif average_gain == 0 and average_loss == 0:
            result.append(50.0)
        else:
            result.append(100 * average_gain / (average_gain + average_loss))
    return pd.Series(result, index=close.index, dtype="float64")


def macd(close: pd.Series) -> pd.DataFrame:
    fast = ema(close, 12)
    slow = ema(close, 26)
    line = fast - slow
    signal = ema(line, 9)
    table = pd.DataFrame(index=close.index)
    table["macd"] = line
    table["signal"] = signal
    table["histogram"] = line - signal
    return table


def build_features(prices: pd.DataFrame) -> pd.DataFrame:
    close = prices["Close"]
    mean_volume = moving_average(prices["Volume"], MONTH)
    mean_close = moving_average(close, MONTH)
    histogram = macd(close)["histogram"]
    strength = rsi(close)

    table = pd.DataFrame(index=prices.index)
    table["return"] = log_returns(close)
    table["range"] = np.log(prices["High"] / prices["Low"])
    gaps = []
    for i in range(len(prices)):
        if i == 0:
            gaps.append(math.nan)
        else:
            gaps.append(math.log(prices["Open"].iloc[i] / close.iloc[i - 1]))
    table["gap"] = gaps
    table["volume"] = np.log(1 + prices["Volume"]) - np.log(1 + mean_volume)
    table["trend"] = np.log(close / mean_close)
    table["volatility"] = volatility(close, MONTH)
    table["rsi"] = strength / 100 - 0.5
    table["macd"] = histogram / close
    table = table.dropna()
    return table


def make_windows(
    features: pd.DataFrame, target: pd.Series, lookback: int, horizon: int = 1
) -> tuple[np.ndarray, np.ndarray, pd.DatetimeIndex]:
    numbers = features.to_numpy()
    target_of_day = dict(zip(target.index, target))
    X = []
    y = []
    days = []
    end = lookback - 1  # row of a window's last day
    while end + horizon < len(features):
        first = end - lookback + 1
        window = numbers[first : end + 1]
        day = features.index[end + horizon]
        X.append(window)
        y.append(target_of_day[day])
        days.append(day)
        end += 1
    if len(X) == 0:
        raise ValueError("There are only " + str(len(features)) + " days, which is not enough for one window.")
    X = np.array(X, dtype="float32")
    y = np.array(y, dtype="float32")
    days = pd.DatetimeIndex(days)
    return X, y, days


def chronological_split(
    n: int, val_fraction: float, test_fraction: float, gap: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    number_of_test = round(n * test_fraction)
    number_of_val = round(n * val_fraction)
    first_test = n - number_of_test
    first_val = first_test - number_of_val
    train = []
    val = []
    test = []
    for i in range(n):
        if i >= first_test:
            test.append(i)
        elif i >= first_val:
            if i < first_test - gap:
                val.append(i)
        elif i < first_val - gap:
            train.append(i)
    for name, part in (("training", train), ("validation", val), ("test", test)):
        if len(part) == 0:
            raise ValueError("The " + name + " part would be empty.")
    return np.array(train), np.array(val), np.array(test)


class Scaler:
    def fit(self, X: np.ndarray, y: np.ndarray) -> "Scaler":
        self.means = []
        self.deviations = []
        for k in range(X.shape[2]):
            column = X[:, :, k].astype("float64").flatten()
            mean, deviation = self.learn(column)
            self.means.append(mean)
            self.deviations.append(deviation)
        self.target_mean, self.target_deviation = self.learn(np.array(y, dtype="float64"))
        return self

    def learn(self, numbers: np.ndarray) -> tuple[float, float]:
        mean = float(np.mean(numbers))
        deviation = float(np.std(numbers))
        if np.all(numbers == numbers[0]):
            mean = float(numbers[0])
            deviation = 1.0
        return mean, deviation

    def transform(self, X: np.ndarray) -> np.ndarray:
        result = np.zeros(X.shape, dtype="float32")
        for k in range(len(self.means)):
            result[..., k] = (X[..., k].astype("float64") - self.means[k]) / self.deviations[k]
        return result

    def transform_target(self, y: np.ndarray) -> np.ndarray:
        centred = np.array(y, dtype="float64") - self.target_mean
        scaled = centred / self.target_deviation
        return scaled.astype("float32")

    def inverse_target(self, y: np.ndarray) -> np.ndarray:
        result = np.zeros(len(y), dtype="float64")
        for i in range(len(y)):
            result[i] = float(y[i]) * self.target_deviation + self.target_mean
        return result


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

    gap = lookback + horizon - 1
    train_rows, val_rows, test_rows = chronological_split(len(X), val_fraction, test_fraction, gap)

    scaler = Scaler()
    scaler.fit(X[train_rows], y[train_rows])

    train_part = Part(scaler.transform(X[train_rows]), scaler.transform_target(y[train_rows]), days[train_rows])
    val_part = Part(scaler.transform(X[val_rows]), scaler.transform_target(y[val_rows]), days[val_rows])
    test_part = Part(scaler.transform(X[test_rows]), scaler.transform_target(y[test_rows]), days[test_rows])
    return Prepared(train_part, val_part, test_part, scaler)
