"""KFold, ParameterGrid, and a table of scores."""

import numpy as np
import pandas as pd
from accelerate.utils import set_seed
from evaluate import evaluate
from preprocess import Preprocessor, target
from sklearn.model_selection import KFold, ParameterGrid
from train import LinearRegression, make_loader, train


def cross_validate(df, features, accelerator, *, k=5, seed=0, epochs=60, lr=0.01, weight_decay=0.0):
    scores = []
    for train_rows, val_rows in KFold(n_splits=k, shuffle=True, random_state=seed).split(df):
        set_seed(seed)
        train_df, val_df = df.iloc[train_rows], df.iloc[val_rows]
        preprocessor = Preprocessor()
        preprocessor.fit(train_df[features])
        X_train, X_val = preprocessor.transform(train_df[features]), preprocessor.transform(val_df[features])
        y_train, y_val = target(train_df), target(val_df)
        model = LinearRegression(X_train.shape[1], bias_init=float(y_train.mean()))
        loader = make_loader(X_train, y_train, batch_size=64, shuffle=True, seed=seed)
        train(model, loader, accelerator, epochs=epochs, lr=lr, weight_decay=weight_decay)
        val_loader = make_loader(X_val, y_val, batch_size=256, shuffle=False)
        scores.append(evaluate(model, val_loader, accelerator)["rmse_log"])
    return {"rmse_log_mean": float(np.mean(scores)), "rmse_log_std": float(np.std(scores, ddof=1))}


def search(df, feature_sets, grid, accelerator, *, k=5, seed=0):
    rows = []
    for name, features in feature_sets.items():
        for settings in ParameterGrid(grid):
            scores = cross_validate(df, features, accelerator, k=k, seed=seed, **settings)
            rows.append({"feature_set": name} | settings | scores)
    return pd.DataFrame(rows).sort_values("rmse_log_mean", ignore_index=True)


def best(results):
    winner = results.sort_values("rmse_log_mean").iloc[0]
    return winner.drop(["rmse_log_mean", "rmse_log_std"]).to_dict()
