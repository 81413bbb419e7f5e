"""Task 4: random search, scored by walking forward."""

import time

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from accelerate import Accelerator
from evaluate import evaluate
from features import Scaler, build_features, future_return, make_windows
from matplotlib.figure import Figure
from model import PriceRNN
from torch.utils.data import DataLoader, TensorDataset
from train import TrainConfig, train

FOLDS = 3  # of each trial
TEST_FRACTION = 0.15  # of the days, the last ones: for the test, not for `search`
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
    if n_splits < 1 or n - min_train < n_splits or min_train - gap < 1:
        raise ValueError(f"{n_splits} folds do not fit into {n} windows, {min_train} before the first, gap {gap}")
    edges = min_train + (n - min_train) * np.arange(n_splits + 1) // n_splits
    return [(np.arange(low - gap), np.arange(low, high)) for low, high in np.lib.stride_tricks.sliding_window_view(edges, 2)]


def cross_validate(prices: pd.DataFrame, settings: dict, accelerator: Accelerator, *, seed: int) -> list[float]:
    lookback, batch_size, architecture, rest = split_settings(settings)
    close = prices["Close"]
    X, y, days = make_windows(build_features(prices), future_return(close), lookback)
    before = close.to_numpy("float64")[close.index.get_indexer(days) - 1]  # (n,) the day before each target's
    rest["seed"] = seed
    config = TrainConfig(**rest)
    maes = np.empty(FOLDS)
    for fold, (fit_rows, val_rows) in enumerate(walk_forward_splits(len(X), FOLDS, len(X) // 2, lookback)):
        scaler = Scaler().fit(X[fit_rows], y[fit_rows])
        Z, t = scaler.transform(X), scaler.transform_target(y)
        learn = make_loader(Z[fit_rows], t[fit_rows], batch_size, shuffle=True)
        check = make_loader(Z[val_rows], t[val_rows], batch_size, shuffle=False)
        torch.manual_seed(seed)
        network = PriceRNN(n_features=X.shape[2], **architecture)
        train(network, learn, check, accelerator, config)
        maes[fold] = evaluate(network, check, scaler, before[val_rows], accelerator)["mae"]
    return maes.tolist()


def search(
    prices: pd.DataFrame,
    space: dict[str, list],
    accelerator: Accelerator,
    *,
    n_trials: int,
    seed: int,
    budget_seconds: float | None = None,
) -> pd.DataFrame:
    kept = prices.iloc[: len(prices) - round(len(prices) * TEST_FRACTION)]
    rng = np.random.Generator(np.random.PCG64(seed))
    drawn = {name: rng.integers(0, len(values), size=n_trials) for name, values in space.items()}  # (n_trials,) each
    begin = time.monotonic()
    columns = {name: [] for name in (*space, "mae_mean", "mae_std", "seconds", "error")}
    for trial in range(n_trials):
        spent = accelerator.gather(torch.tensor(time.monotonic() - begin, device=accelerator.device))
        if trial > 0 and budget_seconds is not None and float(spent.max()) >= budget_seconds:
            break
        settings = {name: values[int(drawn[name][trial])] for name, values in space.items()}
        clock = time.monotonic()
        try:
            maes, problem = np.array(cross_validate(kept, settings, accelerator, seed=seed)), ""
        except Exception as error:
            maes, problem = np.array([np.nan]), repr(error)
        measured = {"mae_mean": maes.mean(), "mae_std": maes.std(), "seconds": time.monotonic() - clock, "error": problem}
        for name, value in (settings | measured).items():
            columns[name].append(value)
    objects = {name: pd.Series(columns[name], dtype="object") for name in space}
    return pd.DataFrame(objects | {name: columns[name] for name in ("mae_mean", "mae_std", "seconds", "error")})


def best(results: pd.DataFrame) -> dict:
    errors = results["mae_mean"].to_numpy(dtype="float64")
    if np.isnan(errors).all():
        raise ValueError(f"every trial failed, the first one with: {next(iter(results['error']), 'no trial')}")
    winner = np.nanargmin(errors)
    names = [name for name in results.columns if name not in ("mae_mean", "mae_std", "seconds", "error")]
    return {name: results[name].tolist()[winner] for name in names}


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
