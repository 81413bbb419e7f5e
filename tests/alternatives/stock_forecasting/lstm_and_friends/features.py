"""Features by pandas, windows by torch."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

FEATURES = ["return", "range", "gap", "volume", "trend", "volatility", "rsi", "macd"]
MONTH = 20


def log_returns(close: pd.Series) -> pd.Series:
    return future_return(close, 1)


def future_return(close: pd.Series, horizon: int = 1) -> pd.Series:
    return np.log(close).diff(horizon)


def moving_average(close: pd.Series, window: int) -> pd.Series:
    weights = np.full(window, 1 / window)
    if window > len(close):
        return pd.Series(np.nan, index=close.index)
    means = np.convolve(close.to_numpy(dtype="float64"), weights, mode="valid")
    return pd.Series(means, index=close.index[window - 1 :]).reindex(close.index)


def ema(close: pd.Series, span: int) -> pd.Series:
    return close.ewm(com=(span - 1) / 2, adjust=False).mean()


def volatility(close: pd.Series, window: int) -> pd.Series:
    lags = pd.concat({lag: log_returns(close).shift(lag) for lag in range(window)}, axis=1)  # (days, window)
    return lags.std(axis=1, ddof=1, skipna=False)


def rsi(close: pd.Series, window: int = 14) -> pd.Series:
    change = close.astype("float64").diff()
    if len(close) <= window:
        return pd.Series(np.nan, index=close.index)

    def smooth(part: pd.Series) -> pd.Series:
        begin = pd.Series(part.iloc[1 : window + 1].mean(), index=close.index[[window]])
        return pd.concat([begin, part.iloc[window + 1 :]]).ewm(alpha=1 / window, adjust=False).mean()

    gain, loss = smooth(change.where(change > 0, 0.0)), smooth((-change).where(change < 0, 0.0))
    return (100 * (gain / (gain + loss)).fillna(0.5)).reindex(close.index)


def macd(close: pd.Series) -> pd.DataFrame:
    line = ema(close, 12) - ema(close, 26)
    table = line.to_frame("macd")
    table.insert(1, "signal", ema(line, span=9))
    table.insert(2, "histogram", -table.diff(axis=1)["signal"])
    return table


def build_features(prices: pd.DataFrame) -> pd.DataFrame:
    log_price = prices[["Open", "High", "Low", "Close"]].transform(np.log)
    crowd = prices["Volume"].astype("float64")
    table = pd.concat(
        [
            log_returns(prices["Close"]),
            log_price["High"] - log_price["Low"],
            log_price["Open"] - log_price["Close"].shift(1),
            np.log1p(crowd) - np.log1p(moving_average(crowd, MONTH)),
            log_price["Close"] - np.log(moving_average(prices["Close"], MONTH)),
            volatility(prices["Close"], MONTH),
            rsi(prices["Close"], 14) * 0.01 - 0.5,
            macd(prices["Close"])["histogram"] / prices["Close"],
        ],
        axis=1,
        keys=FEATURES,
    )
    return table.dropna()


def make_windows(
    features: pd.DataFrame, target: pd.Series, lookback: int, horizon: int = 1
) -> tuple[np.ndarray, np.ndarray, pd.DatetimeIndex]:
    if len(features) < lookback + horizon:
        raise ValueError(f"{len(features)} rows, but a window takes {lookback} and its target {horizon} more")
    rows = torch.tensor(features.to_numpy(dtype="float32"))
    X = rows.unfold(0, lookback, 1).transpose(1, 2)[: len(rows) - lookback - horizon + 1]
    days = features.index[lookback + horizon - 1 :]
    pairs = pd.DataFrame(index=days).join(target.rename("target"))
    return X.contiguous().numpy(), pairs["target"].to_numpy(dtype="float32"), days


def chronological_split(
    n: int, val_fraction: float, test_fraction: float, gap: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    test_size, val_size = round(test_fraction * n), round(val_fraction * n)
    backwards = list(range(n))[::-1]
    test = backwards[:test_size]
    val = backwards[test_size : test_size + val_size][gap:]
    train = backwards[test_size + val_size :][gap:]
    if not (train and val and test):
        raise ValueError(f"parts of {len(train)}, {len(val)} and {len(test)} windows out of {n}")
    return np.array(train[::-1]), np.array(val[::-1]), np.array(test[::-1])


class Scaler:
    def fit(self, X: np.ndarray, y: np.ndarray) -> "Scaler":
        days = torch.tensor(X, dtype=torch.float64).flatten(0, 1)
        target = torch.tensor(y, dtype=torch.float64)
        self.std, self.mean = torch.std_mean(days, dim=0, correction=0)
        self.std[days.amax(0) == days.amin(0)] = 1.0
        self.y_std, self.y_mean = torch.std_mean(target, correction=0)
        if target.max() == target.min():
            self.y_std = torch.ones(())
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        return ((torch.tensor(X, dtype=torch.float64) - self.mean) / self.std).float().numpy()

    def transform_target(self, y: np.ndarray) -> np.ndarray:
        return ((torch.tensor(y, dtype=torch.float64) - self.y_mean) / self.y_std).float().numpy()

    def inverse_target(self, y: np.ndarray) -> np.ndarray:
        return torch.addcmul(self.y_mean, torch.tensor(y, dtype=torch.float64), self.y_std.double()).numpy()


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
    windows = make_windows(build_features(prices), future_return(prices["Close"], horizon), lookback, horizon)
    rows = chronological_split(len(windows[0]), val_fraction, test_fraction, lookback + horizon - 1)
    (X, y, days), *later = ([part[i] for part in windows] for i in rows)
    scaler = Scaler().fit(X, y)
    parts = [Part(scaler.transform(x), scaler.transform_target(t), d) for x, t, d in [(X, y, days), *later]]
    return Prepared(*parts, scaler)
