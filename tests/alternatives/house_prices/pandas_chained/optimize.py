"""Task 5: which features, which settings?"""

from functools import reduce

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
    if not 2 <= k <= len(df):
        raise ValueError(f"{len(df)} houses cannot be parted into {k} folds")
    fold_of = pd.Series(np.arange(len(df)) % k).sample(frac=1, random_state=seed).to_numpy()

    def score(fold: int) -> float:
        rest, held_out = df[fold_of != fold], df[fold_of == fold]
        preprocessor = Preprocessor().fit(rest[features])
        X, y = preprocessor.transform(rest[features]), target(rest)
        model = LinearRegression(X.shape[1], bias_init=float(y.mean()))
        batch = max(1, BATCH_SIZE // accelerator.num_processes)
        loader = make_loader(X, y, batch, shuffle=True, seed=seed)
        train(model, loader, accelerator, epochs=epochs, lr=lr, weight_decay=weight_decay)
        aside = make_loader(preprocessor.transform(held_out[features]), target(held_out), batch, shuffle=False)
        return rmse(target(held_out), predict(model, aside, accelerator))

    scores = pd.Series(range(k)).map(score)
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
    names = pd.DataFrame({"feature_set": list(feature_sets)})
    values = [pd.DataFrame({setting: list(options)}) for setting, options in grid.items()]
    combinations = reduce(lambda left, right: left.merge(right, how="cross"), values, names)
    scores = [
        cross_validate(df, feature_sets[row.pop("feature_set")], accelerator, k=k, seed=seed, **row)
        for row in combinations.to_dict("records")
    ]
    return combinations.join(pd.DataFrame(scores, columns=SCORES)).sort_values("rmse_log_mean", ignore_index=True)


def best(results: pd.DataFrame) -> dict:
    return results.nsmallest(1, "rmse_log_mean").drop(columns=SCORES).to_dict("records")[0]
