"""Task 5: KFold and ParameterGrid."""

import numpy as np
import pandas as pd
from accelerate import Accelerator
from evaluate import predict
from preprocess import Preprocessor, target
from sklearn.metrics import root_mean_squared_error
from sklearn.model_selection import KFold, ParameterGrid
from train import LinearRegression, make_loader, train

BATCH_SIZE = 256


def cross_validate(
    df: pd.DataFrame,
    features: list[str],
    accelerator: Accelerator,
    *,
    k: int = 5,
    seed: int = 0,
    epochs: int = 60,
    lr: float = 0.01,
    weight_decay: float = 0.0,
) -> dict[str, float]:
    X, y = df[features], target(df)
    scores = []
    for rest, held_out in KFold(n_splits=k, shuffle=True, random_state=seed).split(X, y):
        preprocessor = Preprocessor().fit(X.iloc[rest])
        Z, z = preprocessor.transform(X.iloc[rest]), y.iloc[rest]
        model = LinearRegression(Z.shape[1], bias_init=float(np.mean(z)))
        loader = make_loader(Z.to_numpy(), z.to_numpy(), BATCH_SIZE // accelerator.num_processes, shuffle=True, seed=seed)
        train(model, loader, accelerator, epochs=epochs, lr=lr, weight_decay=weight_decay)
        aside = make_loader(preprocessor.transform(X.iloc[held_out]), y.iloc[held_out], len(held_out), shuffle=False)
        scores.append(root_mean_squared_error(y.iloc[held_out], predict(model, aside, accelerator)))
    return {"rmse_log_mean": float(np.mean(scores)), "rmse_log_std": float(np.std(scores, ddof=1))}


def search(
    df: pd.DataFrame,
    feature_sets: dict[str, list[str]],
    grid: dict[str, list],
    accelerator: Accelerator,
    *,
    k: int = 5,
    seed: int = 0,
) -> pd.DataFrame:
    rows = [
        {"feature_set": name} | settings | cross_validate(df, features, accelerator, k=k, seed=seed, **settings)
        for settings in ParameterGrid(grid)
        for name, features in feature_sets.items()
    ]
    columns = ["feature_set", *grid, "rmse_log_mean", "rmse_log_std"]
    return pd.DataFrame(rows, columns=columns).sort_values("rmse_log_mean", ignore_index=True)


def best(results: pd.DataFrame) -> dict:
    settings = results.drop(columns=["rmse_log_mean", "rmse_log_std"])
    return settings.to_dict("records")[int(results["rmse_log_mean"].argmin())]
