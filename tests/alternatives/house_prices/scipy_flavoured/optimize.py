import statistics

import numpy as np
import pandas as pd
from evaluate import predict, rmse
from preprocess import Preprocessor, target
from train import LinearRegression, make_loader, train

BATCH_SIZE = 256


def cross_validate(df, features, accelerator, *, k=5, seed=0, epochs=60, lr=0.01, weight_decay=0.0):
    n = len(df)
    if not 2 <= k <= n:
        raise ValueError(f"k={k} does not go with {n} houses")
    fold_of = np.random.default_rng(seed).permutation(np.arange(n) * k // n)
    X, y = df[[*features]], target(df).to_numpy()
    batch_size = BATCH_SIZE // accelerator.num_processes
    scores = []
    for fold in range(k):
        rest, held_out = fold_of != fold, fold_of == fold
        preprocessor = Preprocessor()
        inputs = preprocessor.fit_transform(X.loc[rest])
        model = LinearRegression(inputs.shape[1], bias_init=statistics.fmean(y[rest].tolist()))
        settings = {"epochs": epochs, "lr": lr, "weight_decay": weight_decay}
        train(model, make_loader(inputs, y[rest], batch_size, shuffle=True, seed=seed), accelerator, **settings)
        asked = make_loader(preprocessor.transform(X.loc[held_out]), y[held_out], batch_size, shuffle=False)
        scores.append(rmse(y[held_out], predict(model, asked, accelerator)))
    return {"rmse_log_mean": statistics.fmean(scores), "rmse_log_std": statistics.pstdev(scores)}


def search(df, feature_sets, grid, accelerator, *, k=5, seed=0):
    names = ["feature_set", *grid]
    choices = [[name] for name in feature_sets]
    for values in grid.values():
        choices = [[*choice, value] for choice in choices for value in values]
    scores = []
    for name, *values in choices:
        scores.append(cross_validate(df, feature_sets[name], accelerator, k=k, seed=seed, **dict(zip(grid, values))))
    table = pd.concat([pd.DataFrame(choices, columns=names), pd.DataFrame(scores)], axis=1)
    return table.sort_values("rmse_log_mean", ignore_index=True, na_position="last")


def best(results):
    results = results.reset_index(drop=True)
    row = results["rmse_log_mean"].idxmin()
    settings = results.columns.difference(["rmse_log_mean", "rmse_log_std"], sort=False)
    return {name: results.at[row, name].item() if hasattr(results.at[row, name], "item") else results.at[row, name]
            for name in settings}  # fmt: skip
