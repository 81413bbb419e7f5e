"""Task 5 · Which features, which settings? Cross-validation decides, and sees no house twice."""

from itertools import product

import numpy as np
import pandas as pd
from accelerate import Accelerator
from evaluate import predict, rmse
from preprocess import Preprocessor, target
from train import LinearRegression, make_loader, train

BATCH_SIZE = 256  # rows of one optimizer step, over all processes

SCORES = ["rmse_log_mean", "rmse_log_std"]


def make_folds(n: int, k: int, seed: int) -> list[np.ndarray]:
    """Part the row numbers 0 … n-1, shuffled, into k folds of nearly the same size. Given.

    Raises:
        ValueError: fewer than 2 folds, or fewer rows than folds.
    """
    if not 2 <= k <= n:
        raise ValueError(f"expected at least 2 folds and a row for each, found k={k} and {n} rows.")
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
    """Score one choice of features and settings on houses that the model has not seen.

    Each fold is held out once. Everything that learns, the preprocessor included, learns from the other folds anew;
    the model starts at the mean of their log prices.

    Args:
        df: a table with `SalePrice`; it is not changed.
        features: the columns to use.
        accelerator: passed on to `train` and `predict`.
        k: number of folds.
        seed: of the folds and of the order in which rows are trained on.
        epochs, lr, weight_decay: passed on to `train`.

    Returns:
        `rmse_log_mean`, `rmse_log_std`: mean and standard deviation over the folds of the RMSE of the log price.
    """
    scores = []
    for held_out in make_folds(len(df), k, seed):
        raise NotImplementedError("Task 5: write cross_validate().")
    return {"rmse_log_mean": float(np.mean(scores)), "rmse_log_std": float(np.std(scores))}


def search(
    df: pd.DataFrame,
    feature_sets: dict[str, list[str]],
    grid: dict[str, list],
    accelerator: Accelerator,
    *,
    k: int = 5,
    seed: int = 0,
) -> pd.DataFrame:
    """Cross-validate every feature set with every combination of settings.

    Args:
        df: a table with `SalePrice`.
        feature_sets: name -> columns.
        grid: setting (`epochs`, `lr`, `weight_decay`) -> the values to try; a setting that is not in the grid keeps
            `cross_validate`'s default.
        accelerator, k, seed: as for `cross_validate`; the folds are the same for every combination.

    Returns:
        One row a combination, the lowest `rmse_log_mean` first, numbered from 0: the columns are `feature_set`, one
        for each setting of the grid, `rmse_log_mean` and `rmse_log_std`.
    """
    # Hint: itertools.product(*grid.values()) walks through all combinations.
    raise NotImplementedError("Task 5: write search().")


def best(results: pd.DataFrame) -> dict:
    """The settings of the lowest `rmse_log_mean` among `search`'s rows: its `feature_set` and the grid's settings."""
    raise NotImplementedError("Task 5: write best().")
