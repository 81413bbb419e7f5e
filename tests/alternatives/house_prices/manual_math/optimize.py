"""Task 5."""

import math

import numpy as np
import pandas as pd
from evaluate import predict, rmse
from preprocess import Preprocessor, target
from train import LinearRegression, make_loader, train

BATCH_SIZE = 256


def cross_validate(df, features, accelerator, *, k=5, seed=0, epochs=60, lr=0.01, weight_decay=0.0):
    n = len(df)
    if k < 2 or k > n:
        raise ValueError(f"k is {k}, the houses are {n}")
    order = np.argsort(np.random.default_rng(seed).random(n))
    size = max(1, BATCH_SIZE // accelerator.num_processes)
    table = df[list(features)]
    prices = target(df)
    scores = []
    for fold in range(k):
        start, stop = fold * n // k, (fold + 1) * n // k
        held_out = order[start:stop]
        rest = np.concatenate([order[:start], order[stop:]])
        preprocessor = Preprocessor().fit(table.iloc[rest])
        X, y = preprocessor.transform(table.iloc[rest]), prices.iloc[rest]
        model = LinearRegression(X.shape[1], bias_init=float(y.sum() / len(y)))
        train(
            model,
            make_loader(X, y, size, True, seed),
            accelerator,
            epochs=epochs,
            lr=lr,
            weight_decay=weight_decay,
        )
        asked = make_loader(preprocessor.transform(table.iloc[held_out]), prices.iloc[held_out], size, False)
        scores.append(rmse(prices.iloc[held_out], predict(model, asked, accelerator)))
    mean = sum(scores) / k
    return {"rmse_log_mean": mean, "rmse_log_std": math.sqrt(sum((s - mean) ** 2 for s in scores) / (k - 1))}


def combinations(grid):
    """All dictionaries with one value for each setting."""
    if not grid:
        return [{}]
    (name, values), *others = grid.items()
    return [{name: value, **rest} for value in values for rest in combinations(dict(others))]


def search(df, feature_sets, grid, accelerator, *, k=5, seed=0):
    rows = []
    for name, features in feature_sets.items():
        for settings in combinations(grid):
            row = {"feature_set": name}
            row |= settings
            row |= cross_validate(df, features, accelerator, k=k, seed=seed, **settings)
            rows.append(row)
    table = pd.DataFrame(rows)
    order = np.argsort(table["rmse_log_mean"].to_numpy(), kind="stable")
    table = table.iloc[order]
    table.index = range(len(table))
    return table


def best(results):
    lowest, winner = math.inf, None
    for row in results.to_dict("records"):
        if winner is None or row["rmse_log_mean"] < lowest:
            winner = row
            lowest = row["rmse_log_mean"] if row["rmse_log_mean"] == row["rmse_log_mean"] else math.inf
    winner = dict(winner)
    del winner["rmse_log_mean"], winner["rmse_log_std"]
    return winner
