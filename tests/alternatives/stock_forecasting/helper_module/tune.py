"""Task 4: trials."""

import time
from functools import partial

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from accelerate import Accelerator
from helpers import longest, score_folds
from matplotlib.figure import Figure
from torch.utils.data import DataLoader, TensorDataset

FOLDS = 3
TEST_FRACTION = 0.15
ARCHITECTURE = ("hidden_size", "num_layers", "dropout", "cell")
DEFAULTS = {"lookback": 20, "batch_size": 64, "hidden_size": 16}


def make_loader(X: np.ndarray, y: np.ndarray, batch_size: int, *, shuffle: bool) -> DataLoader:
    data = TensorDataset(*(torch.from_numpy(np.ascontiguousarray(part, dtype="float32")) for part in (X, y)))
    return DataLoader(data, batch_size, shuffle=shuffle)


def split_settings(settings: dict) -> tuple[int, int, dict, dict]:
    rest = DEFAULTS | settings
    lookback, batch_size = rest.pop("lookback"), rest.pop("batch_size")
    architecture = {name: rest.pop(name) for name in ARCHITECTURE if name in rest}
    return lookback, batch_size, architecture, rest


def walk_forward_splits(n: int, n_splits: int, min_train: int, gap: int = 0) -> list[tuple[np.ndarray, np.ndarray]]:
    edges = np.linspace(min_train, n, n_splits + 1).round().astype(int)
    folds = [(np.arange(0, a - gap), np.arange(a, b)) for a, b in zip(edges, edges[1:])]
    if not all(len(train) and len(val) for train, val in folds):
        raise ValueError(f"A fold is empty: {n} windows, {n_splits} folds after {min_train}, gap {gap}.")
    return folds


def folds_of(n: int, lookback: int) -> list[tuple[np.ndarray, np.ndarray]]:
    return walk_forward_splits(n, FOLDS, n // 2, gap=lookback)


def cross_validate(prices: pd.DataFrame, settings: dict, accelerator: Accelerator, *, seed: int) -> list[float]:
    return list(score_folds(prices, split_settings(settings), folds_of, accelerator, seed, make_loader))


def search(
    prices: pd.DataFrame,
    space: dict[str, list],
    accelerator: Accelerator,
    *,
    n_trials: int,
    seed: int,
    budget_seconds: float | None = None,
) -> pd.DataFrame:
    n_test = round(TEST_FRACTION * len(prices))
    score = partial(cross_validate, prices[: len(prices) - n_test], accelerator=accelerator, seed=seed)
    numbers = np.random.RandomState(seed)
    places = {name: numbers.randint(len(values), size=n_trials) for name, values in space.items()}
    table = pd.DataFrame(
        {name: pd.Series([space[name][i] for i in places[name]], dtype="object") for name in space},
        index=range(n_trials),
    )
    table["mae_mean"] = table["mae_std"] = table["seconds"] = np.nan
    table["error"] = ""
    begin = time.time()
    for trial in range(n_trials):
        if budget_seconds is not None and trial > 0 and longest(time.time() - begin, accelerator) >= budget_seconds:
            return table[:trial]
        start = time.time()
        try:
            maes = score({name: table[name][trial] for name in space})
            table.loc[trial, ["mae_mean", "mae_std"]] = np.mean(maes), np.std(maes)
        except Exception as error:
            table.loc[trial, "error"] = f"{type(error).__name__}: {error}"
        table.loc[trial, "seconds"] = time.time() - start
    return table


def best(results: pd.DataFrame) -> dict:
    went_well = results["mae_mean"].notna().to_numpy()
    if not went_well.any():
        raise ValueError(f"Not a single trial went well. {results['error'].to_list()[0]}")
    place = int(np.nanargmin(results["mae_mean"].to_numpy(dtype="float64")))
    settings = results.columns.drop(["mae_mean", "mae_std", "seconds", "error"])
    return {name: results[name].to_list()[place] for name in settings}


def plot_trials(table: pd.DataFrame, naive: float) -> Figure:
    ranked = table.dropna(subset=["mae_mean"]).sort_values("mae_mean", ignore_index=True)
    names = [
        f"{row.cell} {row.hidden_size}\u00d7{row.num_layers}, {row.lookback} days, lr {row.lr}"
        for row in ranked.itertuples()
    ]
    figure, axis = plt.subplots(figsize=(8, 1.2 + 0.4 * len(ranked)), layout="constrained")
    axis.errorbar(
        ranked["mae_mean"], ranked.index, xerr=ranked["mae_std"], fmt="o", capsize=3, label="trial \u00b1 std over folds"
    )
    axis.axvline(naive, color="grey", linestyle="--", label="naive forecast")
    axis.set_yticks(ranked.index, names)
    axis.invert_yaxis()
    axis.set(title="Trials, walking forward", xlabel="MAE, in units of price")
    axis.legend(loc="lower right")
    return figure
