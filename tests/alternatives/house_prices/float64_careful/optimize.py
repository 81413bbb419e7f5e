"""Task 5: cross-validation, all scores in float64."""

import itertools

import numpy as np
import pandas as pd
from accelerate import Accelerator
from evaluate import predict, rmse
from preprocess import Preprocessor, target
from train import LinearRegression, make_loader, train

BATCH_SIZE = 256


def fold_numbers(n: int, k: int, seed: int) -> np.ndarray:
    """The fold of each house."""
    if k < 2 or k > n:
        raise ValueError(f"{n} houses do not make {k} folds")
    ranks = np.random.default_rng(seed).random(n).argsort().argsort()
    return ranks * k // n


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
    fold, y = fold_numbers(len(df), k, seed), target(df).astype("float64")
    scores = np.zeros(k, dtype="float64")
    for i in range(k):
        held_out, rest = df.loc[fold == i, features], df.loc[fold != i, features]
        learnt = Preprocessor().fit(rest)
        start = float(y[fold != i].mean())
        X = learnt.transform(rest)
        model = LinearRegression(len(X.columns), start)
        rows = make_loader(X, y[fold != i], min(BATCH_SIZE, len(X)), shuffle=True, seed=seed)
        train(model, rows, accelerator, epochs=epochs, lr=lr, weight_decay=weight_decay)
        aside = make_loader(learnt.transform(held_out), y[fold == i], BATCH_SIZE, shuffle=False)
        scores[i] = rmse(y[fold == i], predict(model, aside, accelerator))
    return {"rmse_log_mean": float(scores.mean()), "rmse_log_std": float(scores.std())}


def search(
    df: pd.DataFrame,
    feature_sets: dict[str, list[str]],
    grid: dict[str, list],
    accelerator: Accelerator,
    *,
    k: int = 5,
    seed: int = 0,
) -> pd.DataFrame:
    names = ("feature_set", *grid)
    table = {}
    for choice in itertools.product(feature_sets.items(), *grid.values()):
        (name, features), settings = choice[0], dict(zip(names[1:], choice[1:]))
        table[len(table)] = {"feature_set": name, **settings} | cross_validate(
            df, features, accelerator, k=k, seed=seed, **settings
        )
    rows = sorted(table.values(), key=lambda row: row["rmse_log_mean"])
    return pd.DataFrame.from_records(rows)


def best(results: pd.DataFrame) -> dict:
    first = results["rmse_log_mean"].reset_index(drop=True).idxmin()
    settings = results.loc[:, ~results.columns.isin(["rmse_log_mean", "rmse_log_std"])]
    return {name: settings[name].tolist()[first] for name in settings}
