"""Task 4: walking forward with torch's splits."""

import time
import traceback

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
    numbers = torch.arange(n)
    blocks = numbers[min_train:].tensor_split(n_splits)
    folds = []
    for block in blocks:
        if len(block) == 0 or block[0] <= gap:
            raise ValueError(f"with {n_splits} splits of {n} windows from {min_train} on, gap {gap}, a fold is empty")
        folds.append((numbers[: block[0] - gap].numpy(), block.numpy()))
    return folds


def cross_validate(prices: pd.DataFrame, settings: dict, accelerator: Accelerator, *, seed: int) -> list[float]:
    lookback, batch_size, architecture, rest = split_settings(settings)
    X, y, days = make_windows(build_features(prices), future_return(prices["Close"]), lookback)
    close = torch.tensor(prices["Close"].to_numpy("float64"))
    place = torch.from_numpy(prices.index.get_indexer(days))
    yesterday = close[place - 1].numpy()
    rest.update(seed=seed)
    maes = []
    for rows, held_out in walk_forward_splits(len(X), FOLDS, len(X) // 2, lookback):
        scaler = Scaler().fit(X[rows], y[rows])
        torch.manual_seed(seed)
        model = PriceRNN(X.shape[-1], **architecture)
        learn = make_loader(scaler.transform(X[rows]), scaler.transform_target(y[rows]), batch_size, shuffle=True)
        watch = make_loader(
            scaler.transform(X[held_out]), scaler.transform_target(y[held_out]), batch_size, shuffle=False
        )
        train(model, learn, watch, accelerator, TrainConfig(**rest))
        measures = evaluate(model, watch, scaler, yesterday[held_out], accelerator)
        maes.append(measures["mae"])
    return maes


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
    n_test = round(TEST_FRACTION * len(prices))
    prices = prices.head(len(prices) - n_test)
    children = np.random.SeedSequence(seed).spawn(len(space))
    draws = {
        name: np.random.default_rng(child).choice(len(space[name]), size=n_trials)
        for name, child in zip(space, children)
    }
    rows = []
    for trial in range(n_trials):
        spent = torch.tensor(time.perf_counter() - begin, device=accelerator.device)
        spent = accelerator.reduce(spent, reduction="mean").item()  # the same on all processes
        if budget_seconds is not None and trial >= 1 and spent >= budget_seconds:
            break
        settings = {name: space[name][draws[name][trial]] for name in space}
        clock, error = time.perf_counter(), ""
        mean = std = torch.tensor(torch.nan)
        try:
            maes = torch.tensor(cross_validate(prices, settings, accelerator, seed=seed), dtype=torch.float64)
            std, mean = torch.std_mean(maes, correction=0)
        except Exception as exception:
            error = "".join(traceback.format_exception_only(exception)).strip()
        scores = {"mae_mean": mean.item(), "mae_std": std.item(), "seconds": time.perf_counter() - clock}
        rows.append(settings | scores | {"error": error})
    columns = [*space, "mae_mean", "mae_std", "seconds", "error"]
    values = np.empty((len(rows), len(columns)), dtype=object)
    for place, row in enumerate(rows):
        for number, name in enumerate(columns):
            values[place, number] = row[name]
    table = pd.DataFrame(values, columns=columns)
    measures = ["mae_mean", "mae_std", "seconds"]
    table[measures] = table[measures].astype("float64")
    return table


def best(results: pd.DataFrame) -> dict:
    errors = torch.tensor(results["mae_mean"].astype("float64").tolist(), dtype=torch.float64)
    if errors.isnan().all():
        raise ValueError(f"each trial ended with an error, the first with {results['error'].iloc[:1].to_list()}")
    winner = errors.nan_to_num(nan=torch.inf).argmin().item()
    settings = dict(zip(results.columns, results.astype(object).iloc[winner]))
    return {name: settings[name] for name in settings.keys() - {"mae_mean", "mae_std", "seconds", "error"}}


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
