from collections import ChainMap
from functools import partial
from itertools import product
from statistics import fmean, stdev

import numpy as np
import pandas as pd
from evaluate import predict, rmse
from preprocess import Preprocessor, target
from train import LinearRegression, make_loader, train

BATCH_SIZE = 256
SCORES = ("rmse_log_mean", "rmse_log_std")


def folds(n, k, seed):
    """Pairs (rows to train on, rows held out)."""
    if not 2 <= k <= n:
        raise ValueError(f"cannot make {k} folds of {n} rows")
    fold_of = np.random.default_rng(seed).permutation(np.arange(n) % k)
    for fold in range(k):
        yield np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)


def cross_validate(df, features, accelerator, *, k=5, seed=0, epochs=60, lr=0.01, weight_decay=0.0):
    table, y = df.loc[:, list(features)], target(df)
    loader = partial(make_loader, batch_size=max(1, BATCH_SIZE // accelerator.num_processes))
    fit = partial(train, accelerator=accelerator, epochs=epochs, lr=lr, weight_decay=weight_decay)

    def score(rest, held_out):
        preprocessor = Preprocessor()
        X = preprocessor.fit(table.iloc[rest]).transform(table.iloc[rest])
        model = LinearRegression(X.shape[1], y.iloc[rest].mean().item())
        fit(model, loader(X, y.iloc[rest], shuffle=True, seed=seed))
        asked = loader(preprocessor.transform(table.iloc[held_out]), y.iloc[held_out], shuffle=False)
        return rmse(y.iloc[held_out], predict(model, asked, accelerator))

    errors = [score(*rows) for rows in folds(len(df), k, seed)]
    return dict(zip(SCORES, (fmean(errors), stdev(errors))))


def search(df, feature_sets, grid, accelerator, *, k=5, seed=0):
    def combinations():
        for name, columns in feature_sets.items():
            for values in product(*grid.values()):
                yield name, columns, dict(zip(grid.keys(), values))

    def rows():
        for name, columns, settings in combinations():
            scores = cross_validate(df, columns, accelerator, k=k, seed=seed, **settings)
            yield dict(ChainMap(scores, settings, {"feature_set": name}))

    table = pd.DataFrame(rows(), columns=["feature_set", *grid, *SCORES])
    return table.sort_values(SCORES[0], kind="stable").reset_index(drop=True)


def best(results):
    records = results.to_dict(orient="records")
    winner = min(records, key=lambda r: (pd.isna(r[SCORES[0]]), r[SCORES[0]]))
    return {name: value for name, value in winner.items() if name not in SCORES}
