"""Task 4: search in the past."""

import time

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from accelerate import Accelerator
from evaluate import evaluate
from features import Scaler, build_features, future_return, make_windows
from helpers import delayed, doubles
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
    rest = n - min_train
    if not 1 <= n_splits <= rest:
        raise ValueError(f"{rest} windows after the first {min_train} do not make {n_splits} blocks.")
    if min_train <= gap:
        raise ValueError(f"A gap of {gap} leaves nothing of the first {min_train} windows to train on.")
    sizes = [rest // n_splits + (fold < rest % n_splits) for fold in range(n_splits)]
    ends = min_train + np.cumsum(sizes)
    numbers = np.arange(n)
    return [(numbers[: end - size - gap].copy(), numbers[end - size : end].copy()) for size, end in zip(sizes, ends)]


def cross_validate(prices: pd.DataFrame, settings: dict, accelerator: Accelerator, *, seed: int) -> list[float]:
    lookback, batch_size, architecture, rest = split_settings(settings)
    X, y, days = make_windows(build_features(prices), future_return(prices["Close"], horizon=1), lookback, horizon=1)
    last = pd.Series(delayed(doubles(prices["Close"])), index=prices.index).reindex(days).to_numpy()
    config = TrainConfig(seed=seed, **{name: value for name, value in rest.items() if name != "seed"})

    def data(rows: np.ndarray, scaler: Scaler, *, shuffle: bool) -> DataLoader:
        return make_loader(scaler.transform(X[rows]), scaler.transform_target(y[rows]), batch_size, shuffle=shuffle)

    scores = []
    for past, future in walk_forward_splits(n=len(y), n_splits=FOLDS, min_train=len(y) // 2, gap=lookback):
        scaler = Scaler()
        scaler.fit(X[past], y[past])
        torch.manual_seed(seed)
        model = PriceRNN(X.shape[-1], **architecture)
        loaders = data(past, scaler, shuffle=True), data(future, scaler, shuffle=False)
        train(
            model=model, train_loader=loaders[0], val_loader=loaders[1], accelerator=accelerator, config=config
        )
        measures = evaluate(
            model=model, loader=loaders[1], scaler=scaler, close=last[future], accelerator=accelerator
        )
        scores.append(float(measures["mae"]))
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
    days = len(prices)
    known = prices.iloc[: days - round(TEST_FRACTION * days)]
    generator = torch.Generator().manual_seed(seed)  # of its own
    deadline = None if budget_seconds is None else time.perf_counter_ns() + round(budget_seconds * 1e9)
    table = {name: [] for name in (*space, "mae_mean", "mae_std", "seconds", "error")}
    for trial in range(n_trials):
        settings = {name: values[torch.randint(len(values), (), generator=generator)] for name, values in space.items()}
        if trial and deadline is not None:
            late = torch.tensor([time.perf_counter_ns() >= deadline], device=accelerator.device)
            if accelerator.gather(late.long()).any():
                break
        begin = time.perf_counter_ns()
        mean = std = np.nan
        error = ""
        try:
            scores = doubles(cross_validate(known, settings, accelerator, seed=seed))
            mean = scores.mean()
            std = np.sqrt(np.square(scores - mean).mean())
        except Exception as problem:
            error = str(problem) or type(problem).__name__
        seconds = (time.perf_counter_ns() - begin) * 1e-9
        for name, value in zip(table, (*settings.values(), mean, std, seconds, error)):
            table[name].append(value)
    return pd.DataFrame({name: np.array([*values, None], dtype=object)[:-1] for name, values in table.items()}).astype(
        {"mae_mean": "float64", "mae_std": "float64", "seconds": "float64"}
    )


def best(results: pd.DataFrame) -> dict:
    means = doubles(results["mae_mean"])
    if not np.isfinite(means).any():
        raise ValueError(f"Nothing went well; the first trial: {results['error'].to_list()[:1]}")
    place = int(np.argmin(np.where(np.isnan(means), np.inf, means)))
    settings = results.drop(columns=["mae_mean", "mae_std", "seconds", "error"])
    return {name: column.to_list()[place] for name, column in settings.items()}


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
