from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product

import numpy as np
import pandas as pd
import preprocess
from accelerate import Accelerator
from evaluate import predict, rmse
from train import LinearRegression, make_loader, train

BATCH_SIZE = 256


@dataclass(frozen=True, slots=True)
class Scores:
    rmse_log_mean: float
    rmse_log_std: float


def folds(n: int, k: int, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    if k < 2 or k > n:
        raise ValueError(f"{k=} folds out of {n=} rows")
    order = np.random.default_rng(seed).permutation(n)
    for fold in range(k):
        held_out = order[fold::k]
        yield np.setdiff1d(order, held_out), held_out


def cross_validate(
    df: pd.DataFrame,
    features: Sequence[str],
    accelerator: Accelerator,
    *,
    k: int = 5,
    seed: int = 0,
    epochs: int = 60,
    lr: float = 0.01,
    weight_decay: float = 0.0,
) -> dict[str, float]:
    batch = max(1, BATCH_SIZE // accelerator.num_processes)
    errors: list[float] = []
    for rest, held_out in folds(len(df), k, seed):
        known, new = df.iloc[rest], df.iloc[held_out]
        y, y_new = preprocess.target(known), preprocess.target(new)
        X = (preprocessor := preprocess.Preprocessor()).fit_transform(known[[*features]])
        model = LinearRegression(len(X.columns), bias_init=float(y.mean()))
        loader = make_loader(X, y, batch_size=batch, shuffle=True, seed=seed)
        train(model, loader, accelerator, epochs=epochs, lr=lr, weight_decay=weight_decay, optimizer="adamw")
        asked = make_loader(preprocessor.transform(new[[*features]]), y_new, batch_size=batch, shuffle=False)
        errors.append(rmse(y_new, predict(model, asked, accelerator)))
    return asdict(Scores(float(np.mean(errors)), float(np.std(errors, ddof=1))))


def search(
    df: pd.DataFrame,
    feature_sets: Mapping[str, Sequence[str]],
    grid: Mapping[str, Sequence],
    accelerator: Accelerator,
    *,
    k: int = 5,
    seed: int = 0,
) -> pd.DataFrame:
    choices = [dict(zip(grid, values, strict=True)) for values in product(*grid.values())]
    rows = [
        {"feature_set": name} | choice | cross_validate(df, columns, accelerator, k=k, seed=seed, **choice)
        for name, columns in feature_sets.items()
        for choice in choices
    ]
    return pd.DataFrame.from_records(rows).sort_values(by="rmse_log_mean", ignore_index=True)


def best(results: pd.DataFrame) -> dict:
    position = int(results["rmse_log_mean"].fillna(np.inf).to_numpy().argmin())
    match results.iloc[[position]].to_dict("records"):
        case [{"rmse_log_mean": _, "rmse_log_std": _, **settings}]:
            return settings
        case other:
            raise ValueError(f"not a row of search's results: {other}")
