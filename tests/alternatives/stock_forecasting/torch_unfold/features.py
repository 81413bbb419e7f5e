"""Task 2: features and windows with torch, in float64 up to the last step."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch.nn.functional import pad

FEATURES = ["return", "range", "gap", "volume", "trend", "volatility", "rsi", "macd"]
MONTH = 20  # trading days


def tensor(values) -> torch.Tensor:
    """A new float64 tensor."""
    return torch.from_numpy(np.array(values, dtype="float64", order="C"))


def front(x: torch.Tensor, n: int) -> torch.Tensor:
    """x behind as many NaN as make n numbers."""
    return pad(x, (n - len(x), 0), value=torch.nan)


def before(x: torch.Tensor, days: int = 1) -> torch.Tensor:
    return front(x[:-days], len(x))


def rolling(x: torch.Tensor, window: int) -> torch.Tensor:
    """(n - window + 1, window)"""
    return x.unfold(0, window, 1) if len(x) >= window else x.new_empty(0, window)


def exponential(x: torch.Tensor, alpha: float) -> torch.Tensor:
    """y_t = alpha x_t + (1 - alpha) y_{t-1} from y_0 = x_0, in log2(n) steps."""
    y = alpha * x
    y[:1] = x[:1]
    reach = 1
    while reach < len(y):
        y = torch.cat([y[:reach], y[reach:] + (1 - alpha) ** reach * y[:-reach]])
        reach *= 2
    return y


def log_returns(close: pd.Series) -> pd.Series:
    return pd.Series(front(tensor(close).log().diff(), len(close)).numpy(), close.index)


def future_return(close: pd.Series, horizon: int = 1) -> pd.Series:
    return np.log(close).diff(horizon)


def moving_average(close: pd.Series, window: int) -> pd.Series:
    return pd.Series(front(rolling(tensor(close), window).mean(dim=1), len(close)).numpy(), close.index)


def ema(close: pd.Series, span: int) -> pd.Series:
    return pd.Series(exponential(tensor(close), 2 / (span + 1)).numpy(), close.index)


def volatility(close: pd.Series, window: int) -> pd.Series:
    returns = tensor(close).log().diff()
    return pd.Series(front(rolling(returns, window).std(dim=1, correction=1), len(close)).numpy(), close.index)


def rsi(close: pd.Series, window: int = 14) -> pd.Series:
    change = tensor(close).diff()
    if len(change) < window:
        return pd.Series(torch.full((len(close),), torch.nan).double().numpy(), close.index)
    gain, loss = (
        exponential(torch.cat([side[:window].mean(0, keepdim=True), side[window:]]), 1 / window)
        for side in (change.relu(), change.neg().relu())
    )
    strength = torch.where(gain + loss == 0, 50.0, 100 * gain / (gain + loss))
    return pd.Series(front(strength, len(close)).numpy(), close.index)


def macd(close: pd.Series) -> pd.DataFrame:
    x = tensor(close)
    line = exponential(x, 2 / 13).sub(exponential(x, 2 / 27))
    signal = exponential(line, 0.2)
    values = torch.stack([line, signal, line - signal], dim=1)
    return pd.DataFrame(values.numpy(), close.index, ["macd", "signal", "histogram"])


def build_features(prices: pd.DataFrame) -> pd.DataFrame:
    n = len(prices)
    opening, high, low, close = tensor(prices[["Open", "High", "Low", "Close"]]).log().unbind(dim=1)
    volume = tensor(prices["Volume"])
    month = lambda x: front(rolling(x, MONTH).mean(dim=1), n)  # noqa: E731
    columns = {
        "return": close - before(close),
        "range": high - low,
        "gap": opening - before(close),
        "volume": volume.log1p() - month(volume).log1p(),
        "trend": close - month(close.exp()).log(),
        "volatility": tensor(volatility(prices["Close"], MONTH)),
        "rsi": tensor(rsi(prices["Close"])) / 100 - 0.5,
        "macd": tensor(macd(prices["Close"])["histogram"]) / tensor(prices["Close"]),
    }
    values = torch.stack([columns[name] for name in FEATURES], dim=1)
    known = values.isfinite().all(dim=1)
    return pd.DataFrame(values[known].numpy(), prices.index[known.numpy()], FEATURES)


def make_windows(
    features: pd.DataFrame, target: pd.Series, lookback: int, horizon: int = 1
) -> tuple[np.ndarray, np.ndarray, pd.DatetimeIndex]:
    last = len(features) - horizon  # rows from here on end no window
    if last < lookback:
        raise ValueError(f"{len(features)} days are no window of {lookback} and a target {horizon} behind it")
    X = tensor(features)[:last].unfold(0, lookback, 1).transpose(1, 2)  # (n, lookback, n_features)
    days = features.index[lookback + horizon - 1 :]
    y = tensor(target[target.index.isin(days)].reindex(days))
    return X.float().contiguous().numpy(), y.float().numpy(), days


def chronological_split(
    n: int, val_fraction: float, test_fraction: float, gap: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    n_test, n_val = round(n * test_fraction), round(n * val_fraction)
    lengths = [n - n_val - n_test - gap, gap, n_val - gap, gap, n_test]
    if min(lengths[::2]) <= 0:
        raise ValueError(f"too few windows: {n} for {val_fraction:.0%}, {test_fraction:.0%} and gaps of {gap}")
    train, _, val, _, test = torch.arange(n).split(lengths)
    return train.numpy(), val.numpy(), test.numpy()


class Scaler:
    def fit(self, X: np.ndarray, y: np.ndarray) -> "Scaler":
        self.std, self.mean = self.std_and_mean(tensor(X).flatten(0, 1))
        self.y_std, self.y_mean = self.std_and_mean(tensor(y))
        return self

    @staticmethod
    def std_and_mean(rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        std, mean = torch.std_mean(rows, dim=0, correction=0)
        lowest, highest = rows.aminmax(dim=0)
        return std.masked_fill(lowest == highest, 1.0), mean

    def transform(self, X: np.ndarray) -> np.ndarray:
        return tensor(X).sub_(self.mean).div_(self.std).float().numpy()

    def transform_target(self, y: np.ndarray) -> np.ndarray:
        return tensor(y).sub_(self.y_mean).div_(self.y_std).float().numpy()

    def inverse_target(self, y: np.ndarray) -> np.ndarray:
        return torch.addcmul(self.y_mean, tensor(y), self.y_std).numpy()


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
    target = future_return(prices["Close"], horizon)
    X, y, days = make_windows(build_features(prices), target, lookback, horizon)
    train, val, test = chronological_split(len(y), val_fraction, test_fraction, lookback + horizon - 1)
    scaler = Scaler().fit(X[train], y[train])
    scaled = scaler.transform(X), scaler.transform_target(y), days
    return Prepared(*(Part(*(column[rows] for column in scaled)) for rows in (train, val, test)), scaler)
