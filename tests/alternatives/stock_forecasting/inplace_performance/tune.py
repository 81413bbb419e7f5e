"""Search with all draws made at once and features computed once a trial."""

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
    sizes = np.full(n_splits, (n - min_train) // n_splits)
    sizes[::-1][: (n - min_train) % n_splits] += 1
    begins = np.full(n_splits, min_train)
    begins[1:] += np.cumsum(sizes[:-1])
    if (sizes < 1).any() or begins[0] - gap < 1:
        raise ValueError(f"blocks of {sizes.tolist()} windows, training from {begins[0] - gap} on")
    numbers = np.arange(n)
    return [(numbers[: begin - gap], numbers[begin : begin + size]) for begin, size in zip(begins, sizes)]


def cross_validate(prices: pd.DataFrame, settings: dict, accelerator: Accelerator, *, seed: int) -> list[float]:
    lookback, batch_size, architecture, rest = split_settings(settings)
    close = prices["Close"]
    X, y, days = make_windows(build_features(prices), future_return(close), lookback)
    before = close.to_numpy()[close.index.searchsorted(days) - 1]
    config = TrainConfig(seed=seed, **rest)
    scores = np.empty(FOLDS)
    for i, (old, new) in enumerate(walk_forward_splits(len(X), FOLDS, len(X) // 2, gap=lookback)):
        old, new = slice(0, len(old)), slice(new[0], new[-1] + 1)  # views
        scaler = Scaler().fit(X[old], y[old])
        Z, t = scaler.transform(X[: new.stop]), scaler.transform_target(y[: new.stop])
        torch.manual_seed(seed)
        model = PriceRNN(Z.shape[-1], **architecture)
        held_out = make_loader(Z[new], t[new], batch_size, shuffle=False)
        train(model, make_loader(Z[old], t[old], batch_size, shuffle=True), held_out, accelerator, config)
        scores[i] = evaluate(model, held_out, scaler, before[new], accelerator)["mae"]
    return scores.tolist()


def search(
    prices: pd.DataFrame,
    space: dict[str, list],
    accelerator: Accelerator,
    *,
    n_trials: int,
    seed: int,
    budget_seconds: float | None = None,
) -> pd.DataFrame:
    begin = time.perf_counter()
    budget = np.inf if budget_seconds is None else budget_seconds
    known = prices.iloc[: len(prices) - round(len(prices) * TEST_FRACTION)]
    sizes = [len(values) for values in space.values()]
    drawn = np.random.default_rng(seed).integers(0, sizes, size=(n_trials, len(sizes)))
    measured = np.full((n_trials, 3), np.nan)  # mae_mean, mae_std, seconds
    errors = [""] * n_trials
    n = 0
    clock = torch.zeros(accelerator.num_processes, device=accelerator.device)
    while n < n_trials:
        clock.zero_()
        clock[accelerator.process_index] = time.perf_counter() - begin
        if n and accelerator.reduce(clock, reduction="sum").amax().item() >= budget:
            break
        settings = {name: values[place] for (name, values), place in zip(space.items(), drawn[n])}
        start = time.perf_counter()
        try:
            scores = cross_validate(known, settings, accelerator, seed=seed)
            measured[n, :2] = np.mean(scores), np.std(scores)
        except Exception as error:
            errors[n] = str(error) or type(error).__name__
        measured[n, 2] = time.perf_counter() - start
        n += 1
    columns = {name: np.empty(n, dtype="object") for name in space}
    for (name, column), places in zip(columns.items(), drawn.T):
        column[:] = [space[name][place] for place in places[:n]]
    columns |= dict(zip(("mae_mean", "mae_std", "seconds"), measured[:n].T))
    return pd.DataFrame({**columns, "error": errors[:n]})


def best(results: pd.DataFrame) -> dict:
    scores = results["mae_mean"].to_numpy(dtype="float64", na_value=np.nan)
    if np.isnan(scores).all():
        raise ValueError(f"0 of {len(scores)} trials went well: {results['error'].to_numpy()[0]}")
    row = results.iloc[[np.nanargmin(scores)]]
    (settings,) = row.drop(columns=["mae_mean", "mae_std", "seconds", "error"]).to_dict("records")
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
