"""Trials out of a generator, each scored by folds that walk forward."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import accumulate, count, islice, pairwise
from random import Random

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
MEASURES = {"mae_mean", "mae_std", "seconds", "error"}


def make_loader(X: np.ndarray, y: np.ndarray, batch_size: int, *, shuffle: bool) -> DataLoader:
    data = TensorDataset(*(torch.from_numpy(np.ascontiguousarray(part, dtype="float32")) for part in (X, y)))
    return DataLoader(data, batch_size, shuffle=shuffle)


def split_settings(settings: dict) -> tuple[int, int, dict, dict]:
    rest = DEFAULTS | settings
    lookback, batch_size = rest.pop("lookback"), rest.pop("batch_size")
    architecture = {name: rest.pop(name) for name in ARCHITECTURE if name in rest}
    return lookback, batch_size, architecture, rest


def walk_forward_splits(n: int, n_splits: int, min_train: int, gap: int = 0) -> list[tuple[np.ndarray, np.ndarray]]:
    whole, rest = divmod(max(n - min_train, 0), n_splits)
    sizes = (whole + (fold >= n_splits - rest) for fold in range(n_splits))  # the later blocks are the larger ones
    edges = accumulate(sizes, initial=min_train)
    folds = [(np.arange(max(begin - gap, 0)), np.arange(begin, end)) for begin, end in pairwise(edges)]
    if any(part.size == 0 for fold in folds for part in fold):
        raise ValueError(f"A fold would be empty: n={n}, n_splits={n_splits}, min_train={min_train}, gap={gap}.")
    return folds


def cross_validate(prices: pd.DataFrame, settings: dict, accelerator: Accelerator, *, seed: int) -> list[float]:
    lookback, batch_size, architecture, rest = split_settings(settings)
    close = prices["Close"]
    X, y, days = make_windows(build_features(prices), future_return(close), lookback)
    known = close.shift().reindex(days).to_numpy()

    def score(learn: np.ndarray, check: np.ndarray) -> float:
        scaler = Scaler().fit(X[learn], y[learn])

        def batches(rows: np.ndarray, shuffle: bool) -> DataLoader:
            return make_loader(scaler.transform(X[rows]), scaler.transform_target(y[rows]), batch_size, shuffle=shuffle)

        torch.manual_seed(seed)
        model = PriceRNN(X.shape[2], **architecture)
        train(model, batches(learn, True), batches(check, False), accelerator, TrainConfig(seed=seed, **rest))
        return evaluate(model, batches(check, False), scaler, known[check], accelerator)["mae"]

    return [score(*fold) for fold in walk_forward_splits(len(X), FOLDS, len(X) // 2, lookback)]


def draws(space: dict[str, list], seed: int) -> Iterator[dict]:
    chance = Random(seed)
    while True:
        yield {name: chance.choice(values) for name, values in space.items()}


def time_keeper(budget: float | None, accelerator: Accelerator) -> Callable[[], bool]:
    begin = time.monotonic()

    def over() -> bool:
        if budget is None:
            return False
        late = torch.tensor(int(time.monotonic() - begin >= budget), device=accelerator.device)
        return bool(accelerator.reduce(late, reduction="sum") > 0)

    return over


def attempt(score: Callable[[dict], list[float]], settings: dict) -> dict:
    start = time.monotonic()
    try:
        scores = score(settings)
    except Exception as failure:
        measured = {"mae_mean": np.nan, "mae_std": np.nan, "error": str(failure) or repr(failure)}
    else:
        measured = {"mae_mean": float(np.mean(scores)), "mae_std": float(np.std(scores)), "error": ""}
    return settings | measured | {"seconds": time.monotonic() - start}


def search(
    prices: pd.DataFrame,
    space: dict[str, list],
    accelerator: Accelerator,
    *,
    n_trials: int,
    seed: int,
    budget_seconds: float | None = None,
) -> pd.DataFrame:
    past = prices.head(len(prices) - round(len(prices) * TEST_FRACTION))
    over = time_keeper(budget_seconds, accelerator)

    def trials() -> Iterator[dict]:
        for number, settings in zip(count(), islice(draws(space, seed), n_trials)):
            if number and over():
                return
            yield attempt(partial(cross_validate, past, accelerator=accelerator, seed=seed), settings)

    rows = list(trials())
    columns = {name: pd.Series([row[name] for row in rows], dtype="object") for name in space}
    columns |= {name: pd.Series([row[name] for row in rows]) for name in ("mae_mean", "mae_std", "seconds", "error")}
    return pd.DataFrame(columns)


def best(results: pd.DataFrame) -> dict:
    rows = [dict(zip(results, row, strict=True)) for row in results.itertuples(index=False, name=None)]
    well = [row for row in rows if row["mae_mean"] == row["mae_mean"]]
    if not well:
        raise ValueError(f"All trials failed: {rows[0]['error']}")
    winner = min(well, key=lambda row: row["mae_mean"])
    return {name: value for name, value in winner.items() if name not in MEASURES}


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
