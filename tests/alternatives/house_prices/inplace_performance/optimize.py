"""Cross-validation, with the scores in an array of their own."""

from itertools import product

import numpy as np
import pandas as pd
from accelerate import Accelerator
from evaluate import predict, rmse
from preprocess import Preprocessor, target
from train import LinearRegression, make_loader, train

BATCH_SIZE = 256
SCORES = ["rmse_log_mean", "rmse_log_std"]


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
    n = len(df)
    if not 2 <= k <= n:
        raise ValueError(f"k={k} for {n} rows")
    order = np.random.default_rng(seed).permutation(n)
    bounds = np.linspace(0, n, k + 1).astype(int)
    table = df[list(features)]
    y = target(df).to_numpy("float32")
    per_process = max(1, BATCH_SIZE // accelerator.num_processes)
    scores = np.empty(k)
    for i in range(k):
        held_out = order[bounds[i] : bounds[i + 1]]
        rest = np.sort(np.delete(order, np.s_[bounds[i] : bounds[i + 1]]))
        preprocessor = Preprocessor()
        X = preprocessor.fit_transform(table.take(rest))
        model = LinearRegression(X.shape[1], bias_init=y[rest].mean(dtype="float64").item())
        batches = make_loader(X, y[rest], per_process, shuffle=True, seed=seed + i)
        train(model, batches, accelerator, epochs=epochs, lr=lr, weight_decay=weight_decay)
        batches = make_loader(preprocessor.transform(table.take(held_out)), y[held_out], per_process, shuffle=False)
        scores[i] = rmse(y[held_out], predict(model, batches, accelerator))
    return dict(zip(SCORES, (scores.mean().item(), scores.std().item())))


def search(
    df: pd.DataFrame,
    feature_sets: dict[str, list[str]],
    grid: dict[str, list],
    accelerator: Accelerator,
    *,
    k: int = 5,
    seed: int = 0,
) -> pd.DataFrame:
    choices = list(product(feature_sets, *grid.values()))
    table = pd.DataFrame(choices, columns=["feature_set", *grid])
    scores = np.empty((len(choices), 2))
    for i, (name, *values) in enumerate(choices):
        settings = dict(zip(grid, values))
        result = cross_validate(df, feature_sets[name], accelerator, k=k, seed=seed, **settings)
        scores[i] = result["rmse_log_mean"], result["rmse_log_std"]
    table[SCORES] = scores
    return table.sort_values(SCORES[0], ignore_index=True)


def best(results: pd.DataFrame) -> dict:
    row = int(np.argsort(results[SCORES[0]].to_numpy("float64"))[0])  # NaN sorts last
    return {name: column.iloc[[row]].tolist()[0] for name, column in results.items() if name not in SCORES}
