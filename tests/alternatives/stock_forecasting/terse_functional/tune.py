"""The folds of a trial as a generator of errors."""

import time

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from evaluate import evaluate
from features import Scaler, build_features, future_return, make_windows
from model import PriceRNN
from torch.utils.data import DataLoader, TensorDataset
from train import TrainConfig, train

FOLDS = 3
TEST_FRACTION = 0.15
ARCHITECTURE = ("hidden_size", "num_layers", "dropout", "cell")
DEFAULTS = {"lookback": 20, "batch_size": 64, "hidden_size": 16}
MEASURES = ["mae_mean", "mae_std", "seconds", "error"]


def make_loader(X, y, batch_size, *, shuffle):
    data = TensorDataset(*(torch.from_numpy(np.ascontiguousarray(part, dtype="float32")) for part in (X, y)))
    return DataLoader(data, batch_size, shuffle=shuffle)


def split_settings(settings):
    rest = DEFAULTS | settings
    lookback, batch_size = rest.pop("lookback"), rest.pop("batch_size")
    return lookback, batch_size, {name: rest.pop(name) for name in ARCHITECTURE if name in rest}, rest


def walk_forward_splits(n, n_splits, min_train, gap=0):
    blocks = np.array_split(np.arange(min_train, n), n_splits)
    if min_train <= gap or not all(map(len, blocks)):
        raise ValueError(f"{n} windows cannot make {n_splits} folds after {min_train} windows and a gap of {gap}.")
    return [(np.arange(block[0] - gap), block) for block in blocks]


def fold_errors(prices, settings, accelerator, seed):
    lookback, batch_size, architecture, rest = split_settings(settings)
    X, y, days = make_windows(build_features(prices), future_return(prices["Close"]), lookback)
    close = prices["Close"].shift().loc[days].to_numpy()
    for rows in walk_forward_splits(len(y), FOLDS, len(y) // 2, lookback):
        scaler = Scaler().fit(X[rows[0]], y[rows[0]])
        learn, check = (
            make_loader(scaler.transform(X[i]), scaler.transform_target(y[i]), batch_size, shuffle=i is rows[0])
            for i in rows
        )
        torch.manual_seed(seed)
        model = PriceRNN(X.shape[-1], **architecture)
        train(model, learn, check, accelerator, TrainConfig(**rest | {"seed": seed}))
        yield evaluate(model, check, scaler, close[rows[1]], accelerator)["mae"]


def search(prices, space, accelerator, *, n_trials, seed, budget_seconds=None):
    begin, rng, rows = time.perf_counter(), np.random.default_rng(seed), []
    prices = prices.iloc[: len(prices) - round(TEST_FRACTION * len(prices))]

    def late():
        passed = torch.tensor([time.perf_counter() - begin], device=accelerator.device)
        return accelerator.gather(passed).max().item() > budget_seconds

    while len(rows) < n_trials and not (rows and budget_seconds is not None and late()):
        trial = {name: values[rng.integers(len(values))] for name, values in space.items()}
        start, errors, text = time.perf_counter(), [np.nan], ""
        try:
            errors = list(fold_errors(prices, trial, accelerator, seed))
        except Exception as error:
            text = str(error) or repr(error)
        rows.append([*trial.values(), np.mean(errors), np.std(errors), time.perf_counter() - start, text])
    table = pd.DataFrame(rows, columns=[*space, *MEASURES], dtype=object)
    return table.astype(dict.fromkeys(MEASURES[:3], "float64"))


def best(results):
    if results["mae_mean"].isna().all():
        raise ValueError(f"no trial went well: {next(iter(results['error']), 'there is none')}")
    row = results["mae_mean"].argmin()
    return {name: column.astype(object).iloc[row] for name, column in results.drop(columns=MEASURES).items()}


def plot_trials(table, naive):
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
