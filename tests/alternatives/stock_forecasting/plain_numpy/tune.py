"""Trials in a list of dictionaries; the other tasks are used as modules."""

import math
import random
import time

import evaluate as evaluation
import features
import matplotlib.pyplot as plt
import model as networks
import numpy as np
import pandas as pd
import torch
import train as training
from torch.utils.data import DataLoader, TensorDataset

FOLDS = 3
TEST_FRACTION = 0.15
ARCHITECTURE = ("hidden_size", "num_layers", "dropout", "cell")
DEFAULTS = {"lookback": 20, "batch_size": 64, "hidden_size": 16}
MEASURES = ("mae_mean", "mae_std", "seconds", "error")


def make_loader(X, y, batch_size, *, shuffle):
    data = TensorDataset(*(torch.from_numpy(np.ascontiguousarray(part, dtype="float32")) for part in (X, y)))
    return DataLoader(data, batch_size, shuffle=shuffle)


def split_settings(settings):
    rest = DEFAULTS | settings
    lookback, batch_size = rest.pop("lookback"), rest.pop("batch_size")
    architecture = {name: rest.pop(name) for name in ARCHITECTURE if name in rest}
    return lookback, batch_size, architecture, rest


def walk_forward_splits(n, n_splits, min_train, gap=0):
    folds = []
    for i in range(n_splits):
        begin = min_train + (n - min_train) * i // n_splits
        end = min_train + (n - min_train) * (i + 1) // n_splits
        if begin - gap < 1:
            raise ValueError(f"fold {i} has nothing to train on: min_train is {min_train}, gap {gap}")
        if end <= begin:
            raise ValueError(f"fold {i} has nothing to validate on: {n} windows, {n_splits} splits after {min_train}")
        folds.append((np.arange(0, begin - gap), np.arange(begin, end)))
    return folds


def cross_validate(prices, settings, accelerator, *, seed):
    lookback, batch_size, architecture, rest = split_settings(settings)
    table = features.build_features(prices)
    X, y, days = features.make_windows(table, features.future_return(prices["Close"]), lookback)
    closes = prices["Close"].to_numpy(dtype="float64")
    row_of_day = {day: row for row, day in enumerate(prices.index)}
    last = np.array([closes[row_of_day[day] - 1] for day in days])
    scores = []
    for train_rows, val_rows in walk_forward_splits(len(X), FOLDS, len(X) // 2, gap=lookback):
        scaler = features.Scaler()
        scaler.fit(X[train_rows], y[train_rows])
        scaled_X, scaled_y = scaler.transform(X), scaler.transform_target(y)
        torch.manual_seed(seed)
        network = networks.PriceRNN(X.shape[2], **architecture)
        config = training.TrainConfig(**{**rest, "seed": seed})
        train_loader = make_loader(scaled_X[train_rows], scaled_y[train_rows], batch_size, shuffle=True)
        val_loader = make_loader(scaled_X[val_rows], scaled_y[val_rows], batch_size, shuffle=False)
        training.train(network, train_loader, val_loader, accelerator, config)
        measured = evaluation.evaluate(network, val_loader, scaler, last[val_rows], accelerator)
        scores.append(measured["mae"])
    return scores


class Clock:
    """The time that the slowest of all processes has seen pass."""

    def __init__(self, accelerator):
        self.accelerator, self.begin = accelerator, time.time()

    def seconds(self):
        own = torch.tensor([time.time() - self.begin], dtype=torch.float32, device=self.accelerator.device)
        return self.accelerator.gather(own).max().item()


def search(prices, space, accelerator, *, n_trials, seed, budget_seconds=None):
    known = prices.iloc[: len(prices) - round(len(prices) * TEST_FRACTION)]
    dice = random.Random(seed)
    drawn = []
    for _ in range(n_trials):
        drawn.append({name: values[dice.randrange(len(values))] for name, values in space.items()})

    clock = Clock(accelerator)
    rows = []
    for number, settings in enumerate(drawn):
        if number > 0 and budget_seconds is not None and clock.seconds() >= budget_seconds:
            break
        begin = time.time()
        row = {"mae_mean": math.nan, "mae_std": math.nan, "error": ""}
        try:
            scores = cross_validate(known, settings, accelerator, seed=seed)
            row["mae_mean"], row["mae_std"] = float(np.mean(scores)), float(np.std(scores))
        except Exception as error:
            row["error"] = f"{type(error).__name__}: {error}"
        row["seconds"] = time.time() - begin
        rows.append(row)

    table = pd.DataFrame(index=range(len(rows)))
    for name in space:
        table[name] = pd.Series([drawn[i][name] for i in range(len(rows))], dtype="object")
    for name in MEASURES:
        table[name] = pd.Series([row[name] for row in rows], dtype="object" if name == "error" else "float64")
    return table


def best(results):
    winner = None
    for i, score in enumerate(results["mae_mean"]):
        if not math.isnan(score) and (winner is None or score < results["mae_mean"].iloc[winner]):
            winner = i
    if winner is None:
        told = results["error"].iloc[0] if len(results) else "there is none"
        raise ValueError(f"no trial went well; the first one: {told}")
    settings = {}
    for name in results.columns:
        if name not in MEASURES:
            value = results[name].iloc[winner]
            settings[name] = value.item() if isinstance(value, np.generic) else value
    return settings


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
