from itertools import product

import numpy as np
import pandas as pd
from evaluate import predict, rmse
from preprocess import Preprocessor, target
from sklearn.model_selection import KFold
from train import LinearRegression, make_loader, train

BATCH_SIZE = 256


def cross_validate(df, features, accelerator, *, k=5, seed=0, epochs=60, lr=0.01, weight_decay=0.0):
    X, y, scores = df[list(features)], target(df), []
    size = BATCH_SIZE // accelerator.num_processes
    for a, b in KFold(k, shuffle=True, random_state=seed).split(X):
        pre = Preprocessor().fit(X.iloc[a])
        Za, Zb, ya, yb = pre.transform(X.iloc[a]), pre.transform(X.iloc[b]), y.iloc[a], y.iloc[b]
        model = LinearRegression(Za.shape[1], bias_init=float(ya.mean()))
        loader = make_loader(Za, ya, size, True, seed)
        train(model, loader, accelerator, epochs=epochs, lr=lr, weight_decay=weight_decay)
        scores.append(rmse(yb, predict(model, make_loader(Zb, yb, size, False), accelerator)))
    return {"rmse_log_mean": float(np.mean(scores)), "rmse_log_std": float(np.std(scores))}


def search(df, feature_sets, grid, accelerator, *, k=5, seed=0):
    rows = []
    for name, *values in product(feature_sets, *grid.values()):
        settings = dict(zip(grid, values))
        scores = cross_validate(df, feature_sets[name], accelerator, k=k, seed=seed, **settings)
        rows.append({"feature_set": name, **settings, **scores})
    return pd.DataFrame(rows).sort_values("rmse_log_mean", ignore_index=True)


def best(results):
    return results.sort_values("rmse_log_mean").drop(columns=["rmse_log_mean", "rmse_log_std"]).to_dict("records")[0]
