"""Cross-validation and search in few lines."""

from itertools import product

import evaluate as E
import numpy as np
import pandas as pd
import preprocess as P
import torch
import train as T


def cross_validate(df, features, accelerator, *, k=5, seed=0, **settings):
    settings = {"epochs": 60, "lr": 0.01, "weight_decay": 0.0} | settings
    fold = np.random.default_rng(seed).permutation(len(df)) % k

    def score(i):
        torch.manual_seed(seed + i)
        rest, held = df[fold != i], df[fold == i]
        y = P.target(rest)
        pre = P.Preprocessor().fit(rest[[*features, "SalePrice"]])
        X = pre.transform(rest)
        model = T.LinearRegression(X.shape[1], float(np.mean(y)))
        T.train(model, T.make_loader(X, y, 100, shuffle=True, seed=seed + i), accelerator, **settings)
        loader = T.make_loader(pre.transform(held).to_numpy(), P.target(held).to_numpy(), 1000, shuffle=False)
        return E.rmse(P.target(held).to_numpy(), np.asarray(E.predict(model, loader, accelerator)).reshape(-1))

    scores = np.array([score(i) for i in range(k)])
    return {"rmse_log_mean": scores.mean(), "rmse_log_std": scores.std(ddof=1)}


def search(df, feature_sets, grid, accelerator, *, k=5, seed=0):
    points = [dict(zip(grid, values, strict=True)) for values in product(*grid.values())]
    rows = [
        dict(feature_set=name, **point, **cross_validate(df, list(columns), accelerator, k=k, seed=seed, **point))
        for name, columns in feature_sets.items()
        for point in points
    ]
    return pd.DataFrame(rows).sort_values(["rmse_log_mean", "rmse_log_std"]).reset_index(drop=True)


def best(results):
    settings = results.drop(columns=["rmse_log_mean", "rmse_log_std"])
    return settings.to_dict("records")[int(np.nanargmin(results["rmse_log_mean"]))]
