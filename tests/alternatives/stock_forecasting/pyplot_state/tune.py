"""The search."""

import random
import time

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list
from evaluate import evaluate
from features import Scaler, build_features, future_return, make_windows
from matplotlib.figure import Figure
from model import PriceRNN
from torch.utils.data import DataLoader, TensorDataset
from train import TrainConfig, train

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
    size = (n - min_train) // n_splits
    extra = (n - min_train) % n_splits
    if size < 1:
        raise ValueError(f"{n - min_train} windows do not make {n_splits} blocks")
    if min_train <= gap:
        raise ValueError(f"a gap of {gap} leaves nothing of the first {min_train} windows")
    folds = []
    start = min_train
    for fold in range(n_splits):
        end = start + size
        if fold == n_splits - 1 and extra > 0 or fold < extra - 1:
            end += 1
        folds.append((np.arange(start - gap), np.arange(start, end)))
        start = end
    return folds


def cross_validate(prices: pd.DataFrame, settings: dict, accelerator: Accelerator, *, seed: int) -> list[float]:
    lookback, batch_size, architecture, rest = split_settings(settings)
    horizon = 1
    features = build_features(prices)
    target = future_return(prices["Close"], horizon)
    X, y, days = make_windows(features, target, lookback, horizon)
    close = prices["Close"].shift(horizon)
    scores = []
    for train_rows, val_rows in walk_forward_splits(len(X), FOLDS, len(X) // 2, lookback + horizon - 1):
        scaler = Scaler()
        scaler.fit(X[train_rows], y[train_rows])
        X_train, y_train = scaler.transform(X[train_rows]), scaler.transform_target(y[train_rows])
        X_val, y_val = scaler.transform(X[val_rows]), scaler.transform_target(y[val_rows])
        torch.manual_seed(seed)
        model = PriceRNN(X_train.shape[2], **architecture)
        train_loader = make_loader(X_train, y_train, batch_size, shuffle=True)
        val_loader = make_loader(X_val, y_val, batch_size, shuffle=False)
        train(model, train_loader, val_loader, accelerator, TrainConfig(seed=seed, **rest))
        last = close[days[val_rows]].values
        result = evaluate(model, val_loader, scaler, last, accelerator)
        scores.append(result["mae"])
    return scores


def search(
    prices: pd.DataFrame,
    space: dict[str, list],
    accelerator: Accelerator,
    *,
    n_trials: int,
    seed: int,
    budget_seconds: float | None = None,
) -> pd.DataFrame:
    begin = time.time()
    n_known = len(prices) - round(TEST_FRACTION * len(prices))
    prices = prices.iloc[:n_known]
    rng = random.Random(seed)
    table = {name: [] for name in space}
    mae_mean, mae_std, seconds, errors = [], [], [], []
    for trial in range(n_trials):
        settings = {}
        for name in space:
            settings[name] = space[name][rng.randrange(len(space[name]))]
        if trial > 0 and budget_seconds is not None:
            stop = [time.time() - begin >= budget_seconds]
            broadcast_object_list(stop, from_process=0)  # the first process's clock counts
            if stop[0]:
                break
        start = time.time()
        try:
            scores = cross_validate(prices, settings, accelerator, seed=seed)
            mae_mean.append(sum(scores) / len(scores))
            mae_std.append(np.std(scores))
            errors.append("")
        except Exception as e:
            mae_mean.append(np.nan)
            mae_std.append(np.nan)
            errors.append(str(e) if str(e) else type(e).__name__)
        seconds.append(time.time() - start)
        for name in space:
            table[name].append(settings[name])
    results = pd.DataFrame(table, dtype="object")
    results["mae_mean"] = mae_mean
    results["mae_std"] = mae_std
    results["seconds"] = seconds
    results["error"] = errors
    return results


def best(results: pd.DataFrame) -> dict:
    good = results.dropna(subset=["mae_mean"])
    if good.empty:
        raise ValueError("no trial went well: " + str(results.iloc[0]["error"]))
    order = np.argsort(good["mae_mean"].values.astype(float), kind="stable")
    settings = {}
    for name in good.columns:
        if name not in ("mae_mean", "mae_std", "seconds", "error"):
            value = good[name].iloc[order[0]]
            settings[name] = value.item() if isinstance(value, np.generic) else value
    return settings


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
