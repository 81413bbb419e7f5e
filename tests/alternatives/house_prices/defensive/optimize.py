"""Task 5: cross-validation and search."""

import logging
from itertools import product

import numpy as np
import pandas as pd
from accelerate import Accelerator
from evaluate import predict, rmse
from preprocess import Preprocessor, target
from train import LinearRegression, make_loader, train
from tqdm.auto import tqdm

log = logging.getLogger(__name__)

BATCH_SIZE = 256
SETTINGS = ("epochs", "lr", "weight_decay")
SCORES = ["rmse_log_mean", "rmse_log_std"]


def make_folds(n: int, k: int, seed: int) -> list[np.ndarray]:
    if k < 2:
        raise ValueError(f"k must be at least 2, and it is {k}")
    if n < k:
        raise ValueError(f"{n} houses are too few for {k} folds")
    order = np.random.default_rng(seed).permutation(n)
    folds = [np.sort(order[start::k]) for start in range(k)]
    assert sorted(np.concatenate(folds)) == list(range(n))
    return folds


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
    absent = [column for column in [*features, "SalePrice"] if column not in df.columns]
    if absent:
        raise ValueError(f"the table has no column {', '.join(absent)}")
    scores = []
    for number, held_out in enumerate(make_folds(len(df), k, seed)):
        kept = np.ones(len(df), dtype=bool)
        kept[held_out] = False
        rest, aside = df[kept].copy(), df[~kept].copy()
        preprocessor = Preprocessor().fit(rest[list(features)])
        X, y = preprocessor.transform(rest), target(rest)
        model = LinearRegression(n_features=X.shape[1], bias_init=float(y.astype("float64").mean()))
        train(
            model=model,
            loader=make_loader(X=X, y=y, batch_size=BATCH_SIZE, shuffle=True, seed=seed + number),
            accelerator=accelerator,
            epochs=epochs,
            lr=lr,
            weight_decay=weight_decay,
            optimizer="adamw",
        )
        loader = make_loader(X=preprocessor.transform(aside), y=target(aside), batch_size=BATCH_SIZE, shuffle=False)
        score = rmse(y_true=target(aside), y_pred=predict(model=model, loader=loader, accelerator=accelerator))
        log.debug("fold %d: %.4f", number, score)
        scores.append(score)
    if not np.isfinite(scores).all():
        log.warning("the model did not converge in every fold: %s", scores)
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
    unknown = set(grid) - set(SETTINGS)
    if unknown:
        raise ValueError(f"unknown settings: {', '.join(sorted(unknown))}; there are {', '.join(SETTINGS)}")
    combinations = list(product(feature_sets, *grid.values()))
    rows = []
    for name, *values in tqdm(combinations, desc="search", leave=False, disable=None):
        settings = dict(zip(grid, values, strict=True))
        scores = cross_validate(df, feature_sets[name], accelerator, k=k, seed=seed, **settings)
        log.info("%s %s: %.4f", name, settings, scores["rmse_log_mean"])
        rows.append({"feature_set": name, **settings, **scores})
    table = pd.DataFrame(rows, columns=["feature_set", *grid, *SCORES])
    return table.sort_values("rmse_log_mean", kind="stable", na_position="last").reset_index(drop=True)


def best(results: pd.DataFrame) -> dict:
    means = results["rmse_log_mean"].to_numpy("float64")
    if not np.isfinite(means).any():
        raise ValueError("no row has a score")
    winner = results.iloc[int(np.nanargmin(means))]
    found = {name: winner[name] for name in results.columns if name not in SCORES}
    return {name: value.item() if hasattr(value, "item") else value for name, value in found.items()}
