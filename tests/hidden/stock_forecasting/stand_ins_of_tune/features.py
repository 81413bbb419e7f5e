"""Task 2 in its shortest form, for the checks of tune: two features, five days of warm-up, and a fixed scale of the target.

What a `Scaler` has learned, from windows and from targets, shows in the features alone.
"""

import numpy as np
import pandas as pd

FEATURES = ["return", "trend"]
TREND_DAYS = 5
TARGET_SHIFT, TARGET_SCALE = 0.004, 40.0


def log_returns(close):
    return np.log(close).diff()


def future_return(close, horizon=1):
    return np.log(close).diff(horizon)


def build_features(prices):
    log_close = np.log(prices["Close"])
    return pd.DataFrame({"return": log_close.diff(), "trend": log_close.diff(TREND_DAYS)}).dropna()


def make_windows(features, target, lookback, horizon=1):
    n = len(features) - lookback - horizon + 1
    if n < 1:
        raise ValueError("not a single window fits")
    rows = np.arange(n)[:, None] + np.arange(lookback)
    days = features.index[lookback + horizon - 1 :]
    return features.to_numpy("float32")[rows], target.loc[days].to_numpy("float32"), days


def chronological_split(n, val_fraction, test_fraction, gap=0):
    n_val, n_test = round(n * val_fraction), round(n * test_fraction)
    n_train = n - n_val - n_test
    return np.arange(n_train - gap), np.arange(n_train, n - n_test - gap), np.arange(n - n_test, n)


class Scaler:
    def fit(self, X, y):
        flat = np.asarray(X, dtype="float64").reshape(-1, X.shape[-1])
        self.mean, self.std = flat.mean(axis=0) + np.mean(y, dtype="float64"), flat.std(axis=0)
        return self

    def transform(self, X):
        return ((X - self.mean) / self.std).astype("float32")

    def transform_target(self, y):
        return ((y - TARGET_SHIFT) * TARGET_SCALE).astype("float32")

    def inverse_target(self, y):
        return np.asarray(y, dtype="float64") / TARGET_SCALE + TARGET_SHIFT
