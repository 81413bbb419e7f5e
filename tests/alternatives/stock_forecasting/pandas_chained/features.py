"""Task 2: features that know nothing of tomorrow, and windows of them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

FEATURES = ["return", "range", "gap", "volume", "trend", "volatility", "rsi", "macd"]
MONTH = 20  # trading days


def log_returns(close: pd.Series) -> pd.Series:
    return close.pipe(np.log).diff()


def future_return(close: pd.Series, horizon: int = 1) -> pd.Series:
    return np.log(close).diff(horizon)


def moving_average(close: pd.Series, window: int) -> pd.Series:
    return close.rolling(window).mean()


def ema(close: pd.Series, span: int) -> pd.Series:
    return close.ewm(span=span, adjust=False).mean()


def volatility(close: pd.Series, window: int) -> pd.Series:
    return close.pipe(log_returns).rolling(window).std()


def wilder(changes: pd.Series, window: int) -> pd.Series:
    """A simple mean of the first `window` changes, an exponential average after it."""
    place = pd.Series(range(len(changes)), index=changes.index)
    return (
        changes.where(place.ne(window), changes.rolling(window).mean())
        .where(place.ge(window))
        .ewm(alpha=1 / window, adjust=False)
        .mean()
    )


def rsi(close: pd.Series, window: int = 14) -> pd.Series:
    changes = close.astype("float64").diff()
    gain = changes.clip(lower=0).pipe(wilder, window)
    loss = changes.mul(-1).clip(lower=0).pipe(wilder, window)
    both = gain.add(loss)
    return gain.div(both).mul(100).mask(both.eq(0), 50.0)


def macd(close: pd.Series) -> pd.DataFrame:
    return (
        close.pipe(ema, 12)
        .sub(ema(close, 26))
        .to_frame("macd")
        .assign(signal=lambda df: ema(df["macd"], 9), histogram=lambda df: df["macd"] - df["signal"])
    )


def build_features(prices: pd.DataFrame) -> pd.DataFrame:
    return (
        prices.assign(
            **{
                "return": lambda df: log_returns(df["Close"]),
                "range": lambda df: np.log(df["High"] / df["Low"]),
                "gap": lambda df: np.log(df["Open"] / df["Close"].shift()),
                "volume": lambda df: np.log1p(df["Volume"]) - np.log1p(moving_average(df["Volume"], MONTH)),
                "trend": lambda df: np.log(df["Close"] / moving_average(df["Close"], MONTH)),
                "volatility": lambda df: volatility(df["Close"], MONTH),
                "rsi": lambda df: rsi(df["Close"]).div(100).sub(0.5),
                "macd": lambda df: macd(df["Close"])["histogram"].div(df["Close"]),
            }
        )
        .loc[:, FEATURES]
        .dropna()
    )


def make_windows(
    features: pd.DataFrame, target: pd.Series, lookback: int, horizon: int = 1
) -> tuple[np.ndarray, np.ndarray, pd.DatetimeIndex]:
    days = features.index[lookback + horizon - 1 :]
    if days.empty:
        raise ValueError(f"{len(features)} days are too few for a lookback of {lookback} and a horizon of {horizon}.")
    blocks = [block.to_numpy("float32") for block in features.iloc[:-horizon].rolling(lookback)]
    return np.stack(blocks[lookback - 1 :]), target.loc[days].to_numpy("float32"), days


def chronological_split(
    n: int, val_fraction: float, test_fraction: float, gap: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    n_test, n_val = round(n * test_fraction), round(n * val_fraction)
    rows = pd.Series(range(n))
    parts = (
        rows.loc[rows < n - n_test - n_val - gap],
        rows.loc[rows.between(n - n_test - n_val, n - n_test - gap, inclusive="left")],
        rows.loc[rows >= n - n_test],
    )
    if any(part.empty for part in parts):
        raise ValueError(f"{n} windows with a gap of {gap} leave a part empty: {[len(part) for part in parts]}.")
    return tuple(part.to_numpy() for part in parts)


def moments(table: pd.DataFrame) -> pd.DataFrame:
    """Mean and deviation of each column; the deviation of one that never varies is 1."""
    return table.agg(["mean", "min", "max"]).T.assign(
        std=table.std(ddof=0), std_or_one=lambda df: df["std"].where(df["max"] > df["min"], 1.0)
    )


class Scaler:
    def fit(self, X: np.ndarray, y: np.ndarray) -> "Scaler":
        self.features = pd.DataFrame(X.reshape(-1, X.shape[-1]), dtype="float64").pipe(moments)
        self.target = pd.DataFrame({"y": y}, dtype="float64").pipe(moments).loc["y"]
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        mean, std = (self.features[name].to_numpy() for name in ("mean", "std_or_one"))
        return ((X - mean) / std).astype("float32")

    def transform_target(self, y: np.ndarray) -> np.ndarray:
        return ((y - self.target["mean"]) / self.target["std_or_one"]).astype("float32")

    def inverse_target(self, y: np.ndarray) -> np.ndarray:
        return np.asarray(y, dtype="float64") * self.target["std_or_one"] + self.target["mean"]


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
    target = prices["Close"].pipe(future_return, horizon)
    X, y, days = prices.pipe(build_features).pipe(make_windows, target, lookback, horizon)
    rows = chronological_split(len(y), val_fraction, test_fraction, gap=lookback + horizon - 1)
    scaler = Scaler().fit(X[rows[0]], y[rows[0]])
    parts = [Part(scaler.transform(X[part]), scaler.transform_target(y[part]), days[part]) for part in rows]
    return Prepared(*parts, scaler)
