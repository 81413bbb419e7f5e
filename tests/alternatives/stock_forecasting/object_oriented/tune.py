"""scikit-learn draws and splits; trials are objects."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from accelerate import Accelerator
from accelerate.utils import gather_object
from evaluate import evaluate, naive_forecast
from features import Scaler, build_features, future_return, make_windows
from matplotlib.figure import Figure
from model import PriceRNN
from sklearn.model_selection import ParameterSampler
from torch.utils.data import DataLoader, TensorDataset
from train import TrainConfig, train

FOLDS: int = 3
TEST_FRACTION: float = 0.15
ARCHITECTURE: tuple[str, ...] = ("hidden_size", "num_layers", "dropout", "cell")
DEFAULTS: dict[str, Any] = {"lookback": 20, "batch_size": 64, "hidden_size": 16}


def make_loader(X: np.ndarray, y: np.ndarray, batch_size: int, *, shuffle: bool) -> DataLoader:
    data = TensorDataset(*(torch.from_numpy(np.ascontiguousarray(part, dtype="float32")) for part in (X, y)))
    return DataLoader(data, batch_size, shuffle=shuffle)


def split_settings(settings: dict[str, Any]) -> tuple[int, int, dict[str, Any], dict[str, Any]]:
    rest = DEFAULTS | settings
    lookback, batch_size = rest.pop("lookback"), rest.pop("batch_size")
    architecture = {name: rest.pop(name) for name in ARCHITECTURE if name in rest}
    return lookback, batch_size, architecture, rest


def walk_forward_splits(n: int, n_splits: int, min_train: int, gap: int = 0) -> list[tuple[np.ndarray, np.ndarray]]:
    if n - min_train < n_splits or min_train - gap < 1 or n_splits < 1:
        raise ValueError(
            f"expected windows to train and to validate on in each of {n_splits} folds; found {n} windows, of which "
            f"{min_train} come before the first block, less a gap of {gap}."
        )
    edges = np.linspace(min_train, n, n_splits + 1).round().astype(int)
    return [(np.arange(0, a - gap), np.arange(a, b)) for a, b in zip(edges[:-1], edges[1:], strict=True)]


@dataclass(frozen=True)
class Choice:
    """A distribution for ParameterSampler: each value as likely as any other, drawn anew for each trial."""

    values: list[Any]

    def rvs(self, random_state: np.random.RandomState) -> Any:
        return self.values[random_state.randint(len(self.values))]


@dataclass
class Validation:
    """One choice of settings, on all folds."""

    prices: pd.DataFrame
    settings: dict[str, Any]
    accelerator: Accelerator
    seed: int

    def __post_init__(self) -> None:
        self.lookback, self.batch_size, self.architecture, self.rest = split_settings(self.settings)
        close = self.prices["Close"]
        self.X, self.y, days = make_windows(build_features(self.prices), future_return(close), self.lookback)
        self.last: np.ndarray = naive_forecast(close).reindex(days).to_numpy("float64")

    def fold(self, learn: np.ndarray, check: np.ndarray) -> float:
        scaler = Scaler().fit(self.X[learn], self.y[learn])

        def loader(rows: np.ndarray, shuffle: bool) -> DataLoader:
            X, y = scaler.transform(self.X[rows]), scaler.transform_target(self.y[rows])
            return make_loader(X, y, self.batch_size, shuffle=shuffle)

        torch.manual_seed(self.seed)
        model = PriceRNN(self.X.shape[-1], **self.architecture)
        config = TrainConfig(**{**self.rest, "seed": self.seed})
        train(model, loader(learn, True), loader(check, False), self.accelerator, config)
        scores = evaluate(model, loader(check, False), scaler, self.last[check], self.accelerator)
        return float(scores["mae"])

    def run(self) -> list[float]:
        n = len(self.y)
        return [self.fold(*rows) for rows in walk_forward_splits(n, FOLDS, n // 2, gap=self.lookback)]


def cross_validate(
    prices: pd.DataFrame, settings: dict[str, Any], accelerator: Accelerator, *, seed: int
) -> list[float]:
    return Validation(prices, settings, accelerator, seed).run()


def attempt(prices: pd.DataFrame, settings: dict[str, Any], accelerator: Accelerator, seed: int) -> dict[str, Any]:
    begin = time.monotonic()
    try:
        scores = pd.Series(cross_validate(prices, settings, accelerator, seed=seed))
        measures = {"mae_mean": scores.mean(), "mae_std": scores.std(ddof=0), "error": ""}
    except Exception as error:
        measures = {"mae_mean": np.nan, "mae_std": np.nan, "error": f"{error}" or type(error).__name__}
    return settings | measures | {"seconds": time.monotonic() - begin}


def search(
    prices: pd.DataFrame,
    space: dict[str, list],
    accelerator: Accelerator,
    *,
    n_trials: int,
    seed: int,
    budget_seconds: float | None = None,
) -> pd.DataFrame:
    begin = time.monotonic()
    n_test = round(TEST_FRACTION * len(prices))
    before_test = prices.head(len(prices) - n_test)
    sampler = ParameterSampler({name: Choice(values) for name, values in space.items()}, n_trials, random_state=seed)
    records: list[dict[str, Any]] = []
    for settings in sampler:
        if records and budget_seconds is not None:
            passed = gather_object([time.monotonic() - begin])
            if max(passed) >= budget_seconds:
                break
        records.append(attempt(before_test, settings, accelerator, seed))
    table = pd.DataFrame.from_records(records, columns=[*space, "mae_mean", "mae_std", "seconds", "error"]).astype(object)
    for name in space:  # from_records has guessed dtypes
        table[name] = pd.Series([record[name] for record in records], dtype=object)
    return table.astype({"mae_mean": float, "mae_std": float, "seconds": float})


def best(results: pd.DataFrame) -> dict[str, Any]:
    good = results[results["mae_mean"].notna()]
    if good.empty:
        first = results["error"].iloc[0] if len(results) else "none was tried"
        raise ValueError(f"expected a trial that went well, found none: {first}")
    winner = good.sort_values("mae_mean", kind="stable").head(1)
    settings = winner.drop(columns=["mae_mean", "mae_std", "seconds", "error"])
    return {str(name): settings[name].tolist()[0] for name in settings}


def plot_trials(table: pd.DataFrame, naive: float) -> Figure:
    ranked = table.dropna(subset=["mae_mean"]).sort_values("mae_mean", ignore_index=True)
    names = [
        f"{row.cell} {row.hidden_size}×{row.num_layers}, {row.lookback} days, lr {row.lr}"
        for row in ranked.itertuples()
    ]
    figure, axis = plt.subplots(figsize=(8, 1.2 + 0.4 * len(ranked)), layout="constrained")
    axis.errorbar(
        ranked["mae_mean"], ranked.index, xerr=ranked["mae_std"], fmt="o", capsize=3, label="trial ± std over folds"
    )
    axis.axvline(naive, color="grey", linestyle="--", label="naive forecast")
    axis.set_yticks(ranked.index, names)
    axis.invert_yaxis()
    axis.set(title="Trials, walking forward", xlabel="MAE, in units of price")
    axis.legend(loc="lower right")
    return figure
