"""Task 5: cross-validation with one accelerator for all models."""

from itertools import product

import numpy as np
import pandas as pd
from accelerate import Accelerator
from accelerate.utils import set_seed
from evaluate import evaluate
from preprocess import Preprocessor, target
from train import LinearRegression, make_loader, train

BATCH_SIZE = 256

SCORES = ["rmse_log_mean", "rmse_log_std"]


def make_folds(n: int, k: int, seed: int) -> list[np.ndarray]:
    if not 2 <= k <= n:
        raise ValueError(f"expected 2 <= k <= {n}, found {k}")
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
    scores = []
    per_process = max(1, BATCH_SIZE // (accelerator.num_processes * accelerator.gradient_accumulation_steps))
    for held_out in make_folds(len(df), k, seed):
        mask = np.isin(np.arange(len(df)), held_out)
        rest, aside = df.loc[~mask, [*features, "SalePrice"]], df.loc[mask, [*features, "SalePrice"]]
        preprocessor = Preprocessor()
        X = preprocessor.fit_transform(rest)
        set_seed(seed)  # of the starting weights
        model = LinearRegression(X.shape[1], bias_init=float(target(rest).mean()))
        rows = make_loader(X, target(rest), per_process, True, seed=seed)
        train(model, rows, accelerator, epochs=epochs, lr=lr, weight_decay=weight_decay)
        rows = make_loader(preprocessor.transform(aside), target(aside), per_process, False)
        scores.append(evaluate(model, rows, accelerator)["rmse_log"])
        accelerator.free_memory()
    return dict(zip(SCORES, (float(np.mean(scores)), float(np.std(scores)))))


def search(
    df: pd.DataFrame,
    feature_sets: dict[str, list[str]],
    grid: dict[str, list],
    accelerator: Accelerator,
    *,
    k: int = 5,
    seed: int = 0,
) -> pd.DataFrame:
    settings = [dict(zip(grid.keys(), values)) for values in product(*grid.values())]
    results = []
    for name, chosen in product(feature_sets, settings):
        scores = cross_validate(df, feature_sets[name], accelerator, **chosen, k=k, seed=seed)
        results.append({"feature_set": name, **chosen, **scores})
    return pd.DataFrame(results).sort_values(by=SCORES).reset_index(drop=True)


def best(results: pd.DataFrame) -> dict:
    winner = min(results.to_dict(orient="records"), key=lambda row: row["rmse_log_mean"])
    for score in SCORES:
        winner.pop(score, None)
    return winner
