"""Random search over settings, by folds that look back."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from evaluate import evaluate
from features import Scaler, build_features, future_return, make_windows
from model import PriceRNN
from torch.utils.data import DataLoader, TensorDataset
from train import TrainConfig, train

if TYPE_CHECKING:
    from accelerate import Accelerator
    from matplotlib.figure import Figure

FOLDS = 3
TEST_FRACTION = 0.15
ARCHITECTURE = ("hidden_size", "num_layers", "dropout", "cell")
DEFAULTS = {"lookback": 20, "batch_size": 64, "hidden_size": 16}

Settings = dict[str, Any]


def make_loader(X: np.ndarray, y: np.ndarray, batch_size: int, *, shuffle: bool) -> DataLoader:
    data = TensorDataset(*(torch.from_numpy(np.ascontiguousarray(part, dtype="float32")) for part in (X, y)))
    return DataLoader(data, batch_size, shuffle=shuffle)


def split_settings(settings: dict) -> tuple[int, int, dict, dict]:
    rest = DEFAULTS | settings
    lookback, batch_size = rest.pop("lookback"), rest.pop("batch_size")
    architecture = {name: rest.pop(name) for name in ARCHITECTURE if name in rest}
    return lookback, batch_size, architecture, rest


def walk_forward_splits(n: int, n_splits: int, min_train: int, gap: int = 0) -> list[tuple[np.ndarray, np.ndarray]]:
    bounds = [min_train + (n - min_train) * fold // n_splits for fold in range(n_splits + 1)]
    folds = []
    for begin, end in zip(bounds[:-1], bounds[1:], strict=True):
        match begin - gap, end - begin:
            case train_size, val_size if train_size > 0 and val_size > 0:
                folds.append((np.r_[0:train_size], np.r_[begin:end]))
            case train_size, val_size:
                raise ValueError(f"a fold with {train_size} windows to train and {val_size} to validate on")
    return folds


def cross_validate(prices: pd.DataFrame, settings: Settings, accelerator: Accelerator, *, seed: int) -> list[float]:
    lookback, batch_size, architecture, training = split_settings(settings)
    features = build_features(prices)
    X, y, _ = make_windows(features, future_return(prices["Close"]), lookback)
    last_known = prices["Close"].loc[features.index].to_numpy()[lookback - 1 : -1]
    config = TrainConfig(**{**training, "seed": seed})
    scores: list[float] = []
    for fit, val in walk_forward_splits(n := len(y), FOLDS, n // 2, gap=lookback):
        scaler = Scaler().fit(X[fit], y[fit])
        train_loader = make_loader(scaler.transform(X[fit]), scaler.transform_target(y[fit]), batch_size, shuffle=True)
        val_loader = make_loader(scaler.transform(X[val]), scaler.transform_target(y[val]), batch_size, shuffle=False)
        torch.manual_seed(seed)
        model = PriceRNN(n_features=X.shape[-1], **architecture)
        train(model, train_loader, val_loader, accelerator, config)
        match evaluate(model, val_loader, scaler, last_known[val], accelerator):
            case {"mae": score}:
                scores.append(score)
    return scores


@dataclass(slots=True)
class Trial:
    mae_mean: float = float("nan")
    mae_std: float = float("nan")
    seconds: float = 0.0
    error: str = ""


def search(
    prices: pd.DataFrame,
    space: dict[str, list],
    accelerator: Accelerator,
    *,
    n_trials: int,
    seed: int,
    budget_seconds: float | None = None,
) -> pd.DataFrame:
    match round(TEST_FRACTION * len(prices)):
        case 0:
            known = prices
        case n_test:
            known = prices.iloc[:-n_test]
    dice = torch.Generator().manual_seed(seed)
    clock = time.perf_counter
    begin = clock()
    tried: list[Settings] = []
    trials: list[Trial] = []
    while len(trials) < n_trials:
        if trials and budget_seconds is not None:
            if clock() - begin >= budget_seconds:
                accelerator.set_trigger()
            if accelerator.check_trigger():
                break
        settings = {name: values[torch.randint(len(values), (), generator=dice)] for name, values in space.items()}
        trial, start = Trial(), clock()
        try:
            scores = cross_validate(known, settings, accelerator, seed=seed)
        except Exception as error:
            trial.error = f"{type(error).__qualname__}: {error}"
        else:
            trial.mae_mean, trial.mae_std = float(np.mean(scores)), float(np.std(scores))
        trial.seconds = clock() - start
        tried.append(settings)
        trials.append(trial)
    chosen = pd.DataFrame(tried, columns=list(space), dtype=object)
    return chosen.join(pd.DataFrame(map(asdict, trials)))


def best(results: pd.DataFrame) -> Settings:
    match results.loc[results["mae_mean"].notna()].sort_values("mae_mean", kind="stable"):
        case pd.DataFrame(empty=True):
            raise ValueError(f"no trial went well, the first because of: {next(iter(results['error']), 'no trial')}")
        case ranked:
            names = ranked.columns.difference(["mae_mean", "mae_std", "seconds", "error"], sort=False)
            return {name: ranked[name].tolist()[0] for name in names}


def plot_trials(table: pd.DataFrame, naive: float) -> Figure:
    ranked = table.dropna(subset=["mae_mean"]).sort_values("mae_mean", ignore_index=True)
    names = [
        f"{row.cell} {row.hidden_size}\u00d7{row.num_layers}, {row.lookback} days, lr {row.lr}"
        for row in ranked.itertuples()
    ]
    figure, axis = plt.subplots(figsize=(8, 1.2 + 0.4 * len(ranked)), layout="constrained")
    axis.errorbar(
        ranked["mae_mean"], ranked.index, xerr=ranked["mae_std"], fmt="o", capsize=3, label="trial \u00b1 std over folds"
    )
    axis.axvline(naive, color="grey", linestyle="--", label="naive forecast")
    axis.set_yticks(ranked.index, names)
    axis.invert_yaxis()
    axis.set(title="Trials, walking forward", xlabel="MAE, in units of price")
    axis.legend(loc="lower right")
    return figure
