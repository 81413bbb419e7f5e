"""Trials as dictionaries, and a table of them."""

import time
from functools import partial

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

SCORES = {"mae_mean": np.mean, "mae_std": partial(np.std, ddof=0)}
MEASURES = (*SCORES, "seconds", "error")


def make_loader(X: np.ndarray, y: np.ndarray, batch_size: int, *, shuffle: bool) -> DataLoader:
    data = TensorDataset(*(torch.from_numpy(np.ascontiguousarray(part, dtype="float32")) for part in (X, y)))
    return DataLoader(data, batch_size, shuffle=shuffle)


def split_settings(settings: dict) -> tuple[int, int, dict, dict]:
    rest = DEFAULTS | settings
    lookback, batch_size = rest.pop("lookback"), rest.pop("batch_size")
    architecture = {name: rest.pop(name) for name in ARCHITECTURE if name in rest}
    return lookback, batch_size, architecture, rest


def walk_forward_splits(n: int, n_splits: int, min_train: int, gap: int = 0) -> list[tuple[np.ndarray, np.ndarray]]:
    blocks = dict(enumerate(np.array_split(np.arange(n)[min_train:], n_splits)))
    parts = {fold: {"train": np.arange(n)[: max(block.min(initial=n) - gap, 0)], "val": block} for fold, block in blocks.items()}
    for fold, sizes in {fold: {k: len(v) for k, v in part.items()} for fold, part in parts.items()}.items():
        if not min(sizes.values()):
            raise ValueError(f"fold {fold} has a part without windows: {sizes}")
    return [(part["train"], part["val"]) for part in parts.values()]


def cross_validate(prices: pd.DataFrame, settings: dict, accelerator: Accelerator, *, seed: int) -> list[float]:
    lookback, batch_size, architecture, rest = split_settings(settings)
    X, y, days = make_windows(build_features(prices), future_return(prices["Close"]), lookback)
    last = dict(zip(prices.index[1:], prices["Close"].iloc[:-1]))  # day -> close of the day before
    close = np.array([last[day] for day in days])
    shuffled = {"train": True, "val": False}
    scores = []
    for fold in walk_forward_splits(len(y), FOLDS, len(y) // 2, lookback):
        rows = dict(zip(shuffled, fold))
        scaler = Scaler().fit(X[rows["train"]], y[rows["train"]])
        load = {
            part: partial(make_loader, scaler.transform(X[i]), scaler.transform_target(y[i]), batch_size)
            for part, i in rows.items()
        }
        loaders = {part: load[part](shuffle=shuffle) for part, shuffle in shuffled.items()}
        torch.manual_seed(seed)
        model = PriceRNN(X.shape[-1], **architecture)
        train(model, *loaders.values(), accelerator, TrainConfig(**{"seed": seed} | rest))
        scores.append(evaluate(model, loaders["val"], scaler, close[rows["val"]], accelerator)["mae"])
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
    clock = time.perf_counter
    begin = clock()
    known = prices.drop(prices.index[len(prices) - round(len(prices) * TEST_FRACTION) :])
    generator = np.random.default_rng(seed)
    sizes = {name: len(values) for name, values in space.items()}
    trials = {}
    for number in range(n_trials):
        places = dict(zip(space, np.unravel_index(generator.integers(np.prod([*sizes.values()])), [*sizes.values()])))
        settings = {name: space[name][place] for name, place in places.items()}
        if number and budget_seconds is not None:
            times = accelerator.gather(torch.tensor([clock() - begin], device=accelerator.device))
            if times.max().item() >= budget_seconds:
                break
        row, start = dict.fromkeys(SCORES, float("nan")) | {"error": ""}, clock()
        try:
            errors = cross_validate(known, settings, accelerator, seed=seed)
            row |= {name: float(of(errors)) for name, of in SCORES.items()}
        except Exception as error:
            row["error"] = f"{error.__class__.__name__}: {error}"
        trials[number] = settings | row | {"seconds": clock() - start}
    kinds = dict.fromkeys(space, "object") | dict.fromkeys([*SCORES, "seconds"], "float64") | {"error": "str"}
    columns = [*space, *MEASURES]
    return pd.DataFrame({name: pd.Series({k: row[name] for k, row in trials.items()}, dtype=kinds[name]) for name in columns})


def best(results: pd.DataFrame) -> dict:
    columns = {name: results[name].tolist() for name in results}
    scores = {place: score for place, score in enumerate(columns["mae_mean"]) if not np.isnan(score)}
    if not scores:
        raise ValueError(f"nothing but errors, the first: {columns['error'][0]}")
    winner = min(scores, key=scores.get)
    return {name: values[winner] for name, values in columns.items() if name not in MEASURES}


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
