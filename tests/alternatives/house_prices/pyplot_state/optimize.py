from itertools import product

import numpy as np
import pandas as pd
from evaluate import evaluate
from preprocess import Preprocessor, target
from train import LinearRegression, make_loader, train

BATCH_SIZE = 256


def make_folds(n, k, seed):
    if k < 2 or n < k:
        raise ValueError("%d folds of %d rows" % (k, n))
    return np.array_split(np.random.RandomState(seed).permutation(n), k)


def cross_validate(df, features, accelerator, *, k=5, seed=0, epochs=60, lr=0.01, weight_decay=0.0):
    batch_size = max(BATCH_SIZE // accelerator.num_processes, 1)
    inputs, y = df[list(features)], target(df)
    scores = []
    for fold in make_folds(len(df), k, seed):
        held_out = np.zeros(len(df), dtype=bool)
        held_out[fold] = True
        preprocessor = Preprocessor()
        preprocessor.fit(inputs[~held_out])
        X_train, X_val = preprocessor.transform(inputs[~held_out]), preprocessor.transform(inputs[held_out])
        model = LinearRegression(X_train.shape[1], float(np.mean(y[~held_out])))
        train_loader = make_loader(X_train, y[~held_out], batch_size, True, seed)
        train(model, train_loader, accelerator, epochs=epochs, lr=lr, weight_decay=weight_decay)
        val_loader = make_loader(X_val, y[held_out], batch_size, False)
        scores.append(evaluate(model, val_loader, accelerator)["rmse_log"])
    return {"rmse_log_mean": float(np.mean(scores)), "rmse_log_std": float(np.std(scores))}


def search(df, feature_sets, grid, accelerator, *, k=5, seed=0):
    names = list(grid)
    results = []
    for feature_set in feature_sets:
        for values in product(*[grid[name] for name in names]):
            settings = dict(zip(names, values))
            row = {"feature_set": feature_set}
            row.update(settings)
            row.update(cross_validate(df, feature_sets[feature_set], accelerator, k=k, seed=seed, **settings))
            results.append(row)
    results.sort(key=lambda row: (np.isnan(row["rmse_log_mean"]), row["rmse_log_mean"]))
    return pd.DataFrame(results)


def best(results):
    row = results.iloc[int(np.nanargmin(results["rmse_log_mean"]))].astype(object)
    return row.drop(labels=["rmse_log_mean", "rmse_log_std"]).to_dict()
