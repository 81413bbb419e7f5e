"""Cross-validation and search."""

from itertools import product

import numpy as np
import pandas as pd
import torch
from evaluate import predict, rmse
from preprocess import Preprocessor, target
from train import LinearRegression, make_loader, train

BATCH_SIZE = 256
OVER_FOLDS = {"rmse_log_mean": np.mean, "rmse_log_std": lambda scores: np.std(scores, ddof=1)}


def cross_validate(df, features, accelerator, *, k=5, seed=0, epochs=60, lr=0.01, weight_decay=0.0):
    if not 1 < k <= len(df):
        raise ValueError(f"{k} folds, {len(df)} houses")
    rows = torch.randperm(len(df), generator=torch.Generator().manual_seed(seed))
    folds = dict(enumerate(part.numpy() for part in rows.tensor_split(k)))
    batch = {"batch_size": max(1, BATCH_SIZE // accelerator.num_processes)}
    settings = {"epochs": epochs, "lr": lr, "weight_decay": weight_decay}
    scores = []
    for fold in folds:
        rows = {"fit": np.concatenate([folds[other] for other in folds if other != fold]), "test": folds[fold]}
        tables = {part: df.iloc[place] for part, place in rows.items()}
        preprocessor = Preprocessor().fit(tables["fit"][list(features)])
        X = {part: preprocessor.transform(table[list(features)]) for part, table in tables.items()}
        y = {part: target(table) for part, table in tables.items()}
        model = LinearRegression(X["fit"].shape[1], bias_init=float(y["fit"].mean()))
        train(model, make_loader(X["fit"], y["fit"], shuffle=True, seed=seed, **batch), accelerator, **settings)
        predicted = predict(model, make_loader(X["test"], y["test"], shuffle=False, **batch), accelerator)
        scores.append(rmse(y["test"], predicted))
    return {name: float(measure(scores)) for name, measure in OVER_FOLDS.items()}


def search(df, feature_sets, grid, accelerator, *, k=5, seed=0):
    found = {}
    for name, *values in product(feature_sets, *grid.values()):
        found[name, *values] = cross_validate(
            df, feature_sets[name], accelerator, k=k, seed=seed, **dict(zip(grid, values))
        )
    ranked = sorted(found.items(), key=lambda item: (item[1]["rmse_log_mean"], item[0][0]))
    table = {"feature_set": [choice[0] for choice, _ in ranked]}
    table |= {setting: [choice[i] for choice, _ in ranked] for i, setting in enumerate(grid, start=1)}
    table |= {score: [scores[score] for _, scores in ranked] for score in OVER_FOLDS}
    return pd.DataFrame(table)


def best(results):
    columns = results.to_dict("list")
    means = columns["rmse_log_mean"]
    row = min(range(len(means)), key=lambda i: means[i] if means[i] == means[i] else float("inf"))
    return {name: values[row] for name, values in columns.items() if name not in OVER_FOLDS}
