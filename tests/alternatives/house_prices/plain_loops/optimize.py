"""Cross-validation and grid search with explicit loops."""

import itertools
import math
import random

import pandas as pd
from evaluate import predict, rmse
from preprocess import Preprocessor, target
from train import LinearRegression, make_loader, train


def cross_validate(df, features, accelerator, *, k=5, seed=0, epochs=60, lr=0.01, weight_decay=0.0):
    positions = list(range(len(df)))
    random.Random(seed).shuffle(positions)
    scores = []
    for fold in range(k):
        held_out = positions[fold::k]
        rest = [position for i, position in enumerate(positions) if i % k != fold]
        train_df = df.iloc[rest]
        val_df = df.iloc[held_out]
        preprocessor = Preprocessor()
        X_train = preprocessor.fit_transform(train_df[features])
        X_val = preprocessor.transform(val_df[features])
        y_train = target(train_df)
        y_val = target(val_df)
        model = LinearRegression(len(preprocessor.feature_names_), bias_init=y_train.mean())
        loader = make_loader(X_train, y_train, 32, True, seed)
        train(model, loader, accelerator, epochs=epochs, lr=lr, weight_decay=weight_decay)
        predictions = predict(model, make_loader(X_val, y_val, 32, False), accelerator)
        scores.append(rmse(y_val, predictions))
    mean = sum(scores) / len(scores)
    variance = sum((score - mean) ** 2 for score in scores) / len(scores)
    return {"rmse_log_mean": mean, "rmse_log_std": math.sqrt(variance)}


def search(df, feature_sets, grid, accelerator, *, k=5, seed=0):
    names = list(grid)
    rows = []
    for feature_set in feature_sets:
        for values in itertools.product(*[grid[name] for name in names]):
            settings = dict(zip(names, values, strict=True))
            scores = cross_validate(df, feature_sets[feature_set], accelerator, k=k, seed=seed, **settings)
            row = {"feature_set": feature_set}
            row.update(settings)
            row.update(scores)
            rows.append(row)
    rows.sort(key=lambda row: math.inf if math.isnan(row["rmse_log_mean"]) else row["rmse_log_mean"])
    return pd.DataFrame(rows)


def best(results):
    winner = None
    for row in results.to_dict("records"):
        if winner is None or row["rmse_log_mean"] < winner["rmse_log_mean"]:
            winner = row
    settings = {}
    for name, value in winner.items():
        if name not in ("rmse_log_mean", "rmse_log_std"):
            settings[name] = value
    return settings
