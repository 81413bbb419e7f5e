"""Task 5: folds, a study of each setting, a search."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd
import train as training
from accelerate import Accelerator
from evaluate import predict, rmse
from preprocess import Preprocessor, target

BATCH_SIZE = 256


@dataclass(frozen=True)
class Folds:
    k: int
    seed: int

    def of(self, df: pd.DataFrame) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
        if not 2 <= self.k <= len(df):
            raise ValueError(f"k={self.k} does not suit {len(df)} houses.")
        number = np.random.default_rng(self.seed).permutation(np.arange(len(df)) % self.k)
        for fold in range(self.k):
            yield df[number != fold], df[number == fold]


@dataclass
class Study:
    """One choice of features and settings."""

    features: list[str]
    settings: dict
    accelerator: Accelerator
    seed: int

    def loader(self, X: pd.DataFrame, y: pd.Series, shuffle: bool):
        batch_size = max(BATCH_SIZE // self.accelerator.num_processes, 1)
        return training.make_loader(X=X, y=y, batch_size=batch_size, shuffle=shuffle, seed=self.seed)

    def score(self, rest: pd.DataFrame, held_out: pd.DataFrame) -> float:
        preprocessor, y = Preprocessor(), target(rest)
        X = preprocessor.fit_transform(rest[self.features])
        model = training.LinearRegression(n_features=X.shape[1], bias_init=y.mean().item())
        training.train(model, self.loader(X, y, True), self.accelerator, **self.settings)
        actual = target(held_out)
        aside = self.loader(preprocessor.transform(held_out[self.features]), actual, False)
        return rmse(y_pred=predict(model=model, loader=aside, accelerator=self.accelerator), y_true=actual)


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
    study = Study(list(features), dict(epochs=epochs, lr=lr, weight_decay=weight_decay), accelerator, seed)
    scores = np.array([study.score(*parts) for parts in Folds(k, seed).of(df)])
    return {"rmse_log_mean": float(scores.mean()), "rmse_log_std": float(scores.std())}


@dataclass
class Trial:
    feature_set: str
    settings: dict
    scores: dict[str, float]

    def row(self) -> dict:
        return {"feature_set": self.feature_set, **self.settings, **self.scores}


def search(
    df: pd.DataFrame,
    feature_sets: dict[str, list[str]],
    grid: dict[str, list],
    accelerator: Accelerator,
    *,
    k: int = 5,
    seed: int = 0,
) -> pd.DataFrame:
    trials = []
    for values in product(*grid.values()):
        settings = dict(zip(grid, values, strict=True))
        for name, features in feature_sets.items():
            trials.append(Trial(name, settings, cross_validate(df, features, accelerator, k=k, seed=seed, **settings)))
    trials.sort(key=lambda trial: trial.scores["rmse_log_mean"])
    return pd.DataFrame([trial.row() for trial in trials])


def best(results: pd.DataFrame) -> dict:
    winner = results.iloc[[results["rmse_log_mean"].argmin()]].to_dict("records")[0]
    return {name: value for name, value in winner.items() if name not in ("rmse_log_mean", "rmse_log_std")}
