"""Trials by random draws, walking forward."""

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
    block = np.arange(n - min_train) * n_splits // max(n - min_train, 1)  # of each number from min_train on
    folds = []
    for fold in range(n_splits):
        val = min_train + np.flatnonzero(block == fold)
        train = np.arange(val[0] - gap) if len(val) else val
        if not len(train):
            raise ValueError(f"fold {fold + 1} of {n_splits} has nothing to train or to validate on")
        folds.append((train, val))
    return folds


def fold_error(data, fold, last, settings, accelerator: Accelerator, seed: int) -> float:
    _, batch_size, architecture, rest = split_settings(settings)
    (X, y), (old, new) = data, fold
    scaler = Scaler().fit(X[old], y[old])
    X, y = scaler.transform(X), scaler.transform_target(y)
    torch.manual_seed(seed)
    model = PriceRNN(X.shape[-1], **architecture)
    learn = make_loader(X[old], y[old], batch_size, shuffle=True)
    choose = make_loader(X[new], y[new], batch_size, shuffle=False)
    train(model, learn, choose, accelerator, TrainConfig(**rest | {"seed": seed}))
    return float(evaluate(model, choose, scaler, last[new], accelerator)["mae"])


def cross_validate(prices: pd.DataFrame, settings: dict, accelerator: Accelerator, *, seed: int) -> list[float]:
    lookback = split_settings(settings)[0]
    features, close = build_features(prices), prices["Close"]
    X, y, days = make_windows(features, future_return(close), lookback)
    last = close.reindex(features.index).iloc[lookback - 1 : lookback - 1 + len(y)].to_numpy()
    folds = walk_forward_splits(len(y), n_splits=FOLDS, min_train=len(y) // 2, gap=lookback)
    return [fold_error((X, y), fold, last, settings, accelerator, seed) for fold in folds]


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
    chance = np.random.Generator(np.random.PCG64(seed))
    last_known = len(prices) - round(TEST_FRACTION * len(prices)) - 1
    past = prices.loc[: prices.index[last_known]]
    results = pd.DataFrame(columns=[*space, "mae_mean", "mae_std", "seconds", "error"], dtype="object")
    for trial in range(n_trials):
        if trial and budget_seconds is not None:
            clock = torch.tensor([time.monotonic() - begin], device=accelerator.device)
            if (accelerator.gather(clock) >= budget_seconds).any():
                break
        settings = {name: values[int(chance.random() * len(values))] for name, values in space.items()}
        started, mean, std, text = time.monotonic(), float("nan"), float("nan"), ""
        try:
            scores = torch.tensor(cross_validate(past, settings, accelerator, seed=seed), dtype=torch.float64)
            mean, std = scores.mean().item(), scores.std(correction=0).item()
        except Exception as error:
            text = repr(error)
        results.loc[trial] = pd.Series([*settings.values(), mean, std, time.monotonic() - started, text], results.columns, dtype="object")
    return results.astype({"mae_mean": "float64", "mae_std": "float64", "seconds": "float64"})


def best(results: pd.DataFrame) -> dict:
    lowest = results["mae_mean"].min()
    if pd.isna(lowest):
        raise ValueError(f"every trial failed, the first with: {results['error'].iat[0]}")
    row = np.flatnonzero(results["mae_mean"] == lowest)[0]
    return {name: results[name].iloc[[row]].tolist()[0] for name in results if name not in {"mae_mean", "mae_std", "seconds", "error"}}


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
