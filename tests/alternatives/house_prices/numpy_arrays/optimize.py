"""Task 5: cross-validation and a grid search."""

from itertools import product

import numpy as np
import pandas as pd
from accelerate import Accelerator
from evaluate import evaluate
from preprocess import Preprocessor, target
from train import LinearRegression, make_loader, train

BATCH_SIZE = 256


def make_folds(n: int, k: int, seed: int) -> list[np.ndarray]:
    if not 2 <= k <= n:
        raise ValueError(f"{k} folds of {n} rows")
    return np.array_split(np.random.default_rng(seed).permutation(n), k)


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
    settings = {"epochs": epochs, "lr": lr, "weight_decay": weight_decay}
    y = target(df).to_numpy()
    table = df[list(features)]
    folds = make_folds(len(df), k, seed)
    scores = np.empty(k)
    for i, held_out in enumerate(folds):
        rest = np.concatenate(folds[:i] + folds[i + 1 :])
        preprocessor = Preprocessor()
        X = np.asarray(preprocessor.fit_transform(table.iloc[rest]))
        model = LinearRegression(X.shape[1], y[rest].mean(dtype=np.float64).item())
        train(model, make_loader(X, y[rest], BATCH_SIZE, True, seed), accelerator, **settings)
        Z = np.asarray(preprocessor.transform(table.iloc[held_out]))
        scores[i] = evaluate(model, make_loader(Z, y[held_out], BATCH_SIZE, False), accelerator)["rmse_log"]
    return {"rmse_log_mean": scores.mean().item(), "rmse_log_std": scores.std().item()}


def search(
    df: pd.DataFrame,
    feature_sets: dict[str, list[str]],
    grid: dict[str, list],
    accelerator: Accelerator,
    *,
    k: int = 5,
    seed: int = 0,
) -> pd.DataFrame:
    tried = list(product(feature_sets, *grid.values()))
    scores = np.array(
        [
            list(cross_validate(df, feature_sets[name], accelerator, k=k, seed=seed, **dict(zip(grid, values))).values())
            for name, *values in tried
        ]
    ).reshape(-1, 2)
    order = scores[:, 0].argsort(kind="stable")
    table = {name: [tried[row][j] for row in order] for j, name in enumerate(["feature_set", *grid])}
    return pd.DataFrame(table | {"rmse_log_mean": scores[order, 0], "rmse_log_std": scores[order, 1]})


def best(results: pd.DataFrame) -> dict:
    row = int(np.nanargmin(results["rmse_log_mean"].to_numpy()))
    values = {name: results[name].to_numpy()[row] for name in results.columns if not name.startswith("rmse_log_")}
    return {name: value.item() if isinstance(value, np.generic) else value for name, value in values.items()}
