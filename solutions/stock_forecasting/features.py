"""Task 2 · From prices to windows: what a network may know on a day, and what it is to say about a later one.

Everything here is *causal*: whatever belongs to day t is computed from days up to t. A number that knows tomorrow makes
every forecast look good, and none of them is.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

FEATURES = ["return", "range", "gap", "volume", "trend", "volatility", "rsi", "macd"]
MONTH = 20  # trading days


def log_returns(close: pd.Series) -> pd.Series:
    """Daily log returns, ln(close of the day / close of the day before); NaN on the first day."""
    ### BEGIN SOLUTION
    return np.log(close).diff()
    ### END SOLUTION


def future_return(close: pd.Series, horizon: int = 1) -> pd.Series:
    """What is forecast: the log return over the `horizon` days that end on each day; NaN on the first ones. Given."""
    return np.log(close).diff(horizon)


def moving_average(close: pd.Series, window: int) -> pd.Series:
    """Simple mean of the last `window` days, today's included; NaN as long as there are fewer."""
    ### BEGIN SOLUTION
    return close.rolling(window).mean()
    ### END SOLUTION


def ema(close: pd.Series, span: int) -> pd.Series:
    """Exponential moving average: e₁ = close₁, then eₜ = eₜ₋₁ + α (closeₜ − eₜ₋₁) with α = 2 / (span + 1)."""
    ### BEGIN SOLUTION
    return close.ewm(span=span, adjust=False).mean()
    ### END SOLUTION


def volatility(close: pd.Series, window: int) -> pd.Series:
    """Sample standard deviation (ddof 1) of the last `window` daily log returns, not annualised; NaN if there are fewer."""
    ### BEGIN SOLUTION
    return log_returns(close).rolling(window).std(ddof=1)
    ### END SOLUTION


def rsi(close: pd.Series, window: int = 14) -> pd.Series:
    """Wilder's relative strength index, 0 to 100.

    With the days' gains and losses, both ≥ 0: the first averages are the simple means of the first `window` changes, then
    averageₜ = averageₜ₋₁ + (todayₜ − averageₜ₋₁) / window; and RSI = 100 · gain / (gain + loss), or 50 where both are 0.

    Source: J. W. Wilder, New Concepts in Technical Trading Systems, 1978.

    Returns:
        NaN on the first `window` days, which have fewer than `window` changes.
    """
    # Hint: after the first average it is an exponential one, with alpha=1 / window.
    ### BEGIN SOLUTION
    change = close.diff()

    def smoothed(part: pd.Series) -> pd.Series:
        start = part.rolling(window).mean()[window : window + 1]  # of the first `window` changes
        return pd.concat([start, part[window + 1 :]]).ewm(alpha=1 / window, adjust=False).mean()

    gain, loss = smoothed(change.clip(lower=0)), smoothed(-change.clip(upper=0))
    total = gain + loss
    strength = (100 * gain / total.where(total > 0)).fillna(50.0)
    return strength.reindex(close.index)
    ### END SOLUTION


def macd(close: pd.Series) -> pd.DataFrame:
    """Moving average convergence/divergence.

    Returns:
        `macd`: ema over 12 less ema over 26 days; `signal`: its ema over 9 days; `histogram`: `macd` less `signal`.

    Source: G. Appel, Technical Analysis: Power Tools for Active Investors, 2005.
    """
    ### BEGIN SOLUTION
    line = ema(close, 12) - ema(close, 26)
    signal = ema(line, 9)
    return pd.DataFrame({"macd": line, "signal": signal, "histogram": line - signal})
    ### END SOLUTION


def build_features(prices: pd.DataFrame) -> pd.DataFrame:
    """What is known at the close of each day, in numbers that mean the same at any price.

    Columns, at least (`FEATURES`; more are welcome if they are causal and do not depend on the currency):
        return: log return of the day
        range: ln(High / Low)
        gap: ln(Open / Close of the day before)
        volume: ln(1 + Volume) less ln(1 + its mean over the last `MONTH` days)
        trend: ln(Close / its mean over the last `MONTH` days)
        volatility: of the last `MONTH` days
        rsi: over 14 days, / 100 − 0.5
        macd: the histogram / Close

    Args:
        prices: as `clean_prices` returns them; not changed.

    Returns:
        One row a day, without NaN: the first days, on which not everything is known yet, are left out, and no other.
    """
    ### BEGIN SOLUTION
    close, volume = prices["Close"], prices["Volume"].astype("float64")
    features = pd.DataFrame(
        {
            "return": log_returns(close),
            "range": np.log(prices["High"] / prices["Low"]),
            "gap": np.log(prices["Open"] / close.shift(1)),
            "volume": np.log1p(volume) - np.log1p(moving_average(volume, MONTH)),
            "trend": np.log(close / moving_average(close, MONTH)),
            "volatility": volatility(close, MONTH),
            "rsi": rsi(close) / 100 - 0.5,
            "macd": macd(close)["histogram"] / close,
        }
    )
    return features.dropna()
    ### END SOLUTION


def make_windows(
    features: pd.DataFrame, target: pd.Series, lookback: int, horizon: int = 1
) -> tuple[np.ndarray, np.ndarray, pd.DatetimeIndex]:
    """Every window of `lookback` days with the target `horizon` days behind it.

    Args:
        features: one row a day.
        target: has a value for each of these days, and perhaps for others: what belongs together has the same date.
        lookback: days of a window.
        horizon: from a window's last day to the day of its target, in rows of `features`.

    Returns:
        X (n, lookback, n_features) float32, oldest day first; y (n,) float32; and the n days that the targets are of:
        the window that ends with row t has the target of row t + horizon. Windows in order, as many as there are.

    Raises:
        ValueError: not a single window fits.
    """
    ### BEGIN SOLUTION
    n = len(features) - lookback - horizon + 1
    if n < 1:
        raise ValueError(f"expected at least {lookback + horizon} days for a window, found {len(features)}.")
    days = features.index[lookback + horizon - 1 :]
    rows = np.arange(n)[:, None] + np.arange(lookback)  # (n, lookback)
    X = features.to_numpy("float32")[rows]  # (n, lookback, n_features)
    return X, target.loc[days].to_numpy("float32"), days
    ### END SOLUTION


def chronological_split(
    n: int, val_fraction: float, test_fraction: float, gap: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Part n windows into those to train on, those to choose by, and those to test with, in the order of time.

    Args:
        n: number of windows, in order.
        val_fraction, test_fraction: of n, rounded to whole windows. What they leave is for training.
        gap: windows that are left out at the end of the training part and of the validation part, so that no day of
            theirs, window or target, comes again in the next part: lookback + horizon − 1 of them.

    Returns:
        The windows' numbers, three ascending arrays: train, val, test.

    Raises:
        ValueError: a part would be empty.
    """
    ### BEGIN SOLUTION
    n_val, n_test = round(n * val_fraction), round(n * test_fraction)
    n_train = n - n_val - n_test
    parts = np.arange(n_train - gap), np.arange(n_train, n - n_test - gap), np.arange(n - n_test, n)
    if not all(map(len, parts)):
        sizes = ", ".join(str(len(part)) for part in parts)
        raise ValueError(f"expected windows for training, validation and test, found {n} with gaps of {gap}: {sizes}.")
    return parts
    ### END SOLUTION


class Scaler:
    """Standardises features and target by what the training windows taught."""

    def fit(self, X: np.ndarray, y: np.ndarray) -> "Scaler":
        """Learn mean and standard deviation (ddof 0) of each feature, over all windows and days, and of the target.

        Fitting again begins anew.

        Args:
            X: (n, lookback, n_features); y: (n,).

        Returns:
            The scaler itself.
        """
        ### BEGIN SOLUTION
        flat = X.reshape(-1, X.shape[-1]).astype("float64")  # (n · lookback, n_features)
        self.mean, std = flat.mean(axis=0), flat.std(axis=0)
        self.std = np.where(std > 1e-9 * np.abs(self.mean), std, 1.0)  # below that it is rounding, not variation
        self.target_mean, self.target_std = float(np.mean(y, dtype="float64")), float(np.std(y, dtype="float64")) or 1.0
        return self
        ### END SOLUTION

    def transform(self, X: np.ndarray) -> np.ndarray:
        """(X − mean) / standard deviation, float32, of the shape of X.

        What never varied in training is taken to have a deviation of 1: there it becomes 0, not NaN.
        """
        ### BEGIN SOLUTION
        return ((X - self.mean) / self.std).astype("float32")
        ### END SOLUTION

    def transform_target(self, y: np.ndarray) -> np.ndarray:
        """The same for the target: (n,) float32."""
        ### BEGIN SOLUTION
        return ((y - self.target_mean) / self.target_std).astype("float32")
        ### END SOLUTION

    def inverse_target(self, y: np.ndarray) -> np.ndarray:
        """Back from what `transform_target` returns to the target's own units: (n,) float64."""
        ### BEGIN SOLUTION
        return np.asarray(y, dtype="float64") * self.target_std + self.target_mean
        ### END SOLUTION


@dataclass(frozen=True)
class Part:
    """Windows of one part, standardised: X (n, lookback, n_features), y (n,), days of the targets (n,). Given."""

    X: np.ndarray
    y: np.ndarray
    days: pd.DatetimeIndex


@dataclass(frozen=True)
class Prepared:
    """What training, choosing and testing need. Given."""

    train: Part
    val: Part
    test: Part
    scaler: Scaler


def prepare(
    prices: pd.DataFrame, lookback: int, horizon: int = 1, val_fraction: float = 0.15, test_fraction: float = 0.15
) -> Prepared:
    """From prices to standardised windows: `build_features`, `future_return`, `make_windows`, `chronological_split` with
    the gap that these windows need, and a `Scaler` that has seen the training part and nothing else.

    Args:
        prices: as `clean_prices` returns them.
        lookback, horizon: as for `make_windows`.
        val_fraction, test_fraction: as for `chronological_split`.
    """
    ### BEGIN SOLUTION
    X, y, days = make_windows(build_features(prices), future_return(prices["Close"], horizon), lookback, horizon)
    parts = chronological_split(len(y), val_fraction, test_fraction, gap=lookback + horizon - 1)
    train = parts[0]
    scaler = Scaler().fit(X[train], y[train])
    return Prepared(
        *(Part(scaler.transform(X[rows]), scaler.transform_target(y[rows]), days[rows]) for rows in parts), scaler
    )
    ### END SOLUTION
