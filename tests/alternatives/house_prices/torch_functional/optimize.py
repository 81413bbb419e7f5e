"""Task 5: folds from torch.randperm."""

from itertools import chain, product

import pandas as pd
import torch
from accelerate import Accelerator
from evaluate import predict, rmse
from preprocess import Preprocessor, target
from train import LinearRegression, make_loader, train

BATCH_SIZE = 256


def make_folds(n: int, k: int, seed: int) -> list[list[int]]:
    if not 2 <= k <= n:
        raise ValueError(f"k={k} with {n} rows")
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
    return [fold.tolist() for fold in order.tensor_split(k)]


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
    def score(held_out: list[int], rest: list[int]) -> float:
        known, new = df.iloc[rest], df.iloc[held_out]
        preprocessor = Preprocessor().fit(known[features])
        X, Z = (torch.tensor(preprocessor.transform(rows[features]).to_numpy()) for rows in (known, new))
        y, z = (torch.tensor(target(rows).to_numpy()) for rows in (known, new))
        model = LinearRegression(X.shape[1], y.double().mean().item())
        loader = make_loader(X, y[:, None], BATCH_SIZE // accelerator.num_processes, True, seed)
        train(model, loader, accelerator, epochs=epochs, lr=lr, weight_decay=weight_decay)
        return rmse(z, predict(model, make_loader(Z, z[:, None], len(z), False), accelerator))

    folds = make_folds(len(df), k, seed)
    scores = [score(fold, list(chain(*folds[:i], *folds[i + 1 :]))) for i, fold in enumerate(folds)]
    std, mean = torch.std_mean(torch.tensor(scores, dtype=torch.float64))
    return {"rmse_log_mean": mean.item(), "rmse_log_std": std.item()}


def search(
    df: pd.DataFrame,
    feature_sets: dict[str, list[str]],
    grid: dict[str, list],
    accelerator: Accelerator,
    *,
    k: int = 5,
    seed: int = 0,
) -> pd.DataFrame:
    rows = []
    for name, features in feature_sets.items():
        for values in product(*grid.values()):
            scores = cross_validate(df, features, accelerator, k=k, seed=seed, **dict(zip(grid, values)))
            rows.append([name, *values, scores["rmse_log_mean"], scores["rmse_log_std"]])
    rows.sort(key=lambda row: row[-2])
    return pd.DataFrame(rows, columns=["feature_set", *grid, "rmse_log_mean", "rmse_log_std"])


def best(results: pd.DataFrame) -> dict:
    winner = torch.tensor(results["rmse_log_mean"].to_numpy("float64").copy()).argmin().item()
    settings = results.drop(columns=results.filter(regex="^rmse_log_(mean|std)$").columns)
    return {name: values[winner] for name, values in settings.to_dict("list").items()}
