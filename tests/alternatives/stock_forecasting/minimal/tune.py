"""Random search, scored by walking forward."""

import time

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from accelerate import Accelerator
from evaluate import evaluate
from features import Scaler, build_features, future_return, make_windows
from matplotlib.figure import Figure
from model import PriceRNN
from torch.utils.data import DataLoader, TensorDataset
from train import TrainConfig, train

FOLDS = 3
TEST_FRACTION = 0.15
ARCHITECTURE = ("hidden_size", "num_layers", "dropout", "cell")
DEFAULTS = {"lookback": 20, "batch_size": 64, "hidden_size": 16}


def make_loader(X: np.ndarray, y: np.ndarray, batch_size: int, *, shuffle: bool) -> DataLoader:
    data = TensorDataset(*(torch.from_numpy(np.ascontiguousarray(part, dtype="float32")) for part in (X, y)))
    return DataLoader(data, batch_size, shuffle=shuffle)


def split_settings(settings: dict) -> tuple[int, int, dict, dict]:
    rest = DEFAULTS | settings
    lookback, batch_size = rest.pop("lookback"), rest.pop("batch_size")
    architecture = {name: rest.pop(name) for name in ARCHITECTURE if name in rest}
    return lookback, batch_size, architecture, rest


def walk_forward_splits(n: int, n_splits: int, min_train: int, gap: int = 0) -> list[tuple[np.ndarray, np.ndarray]]:
    if min_train - gap < 1 or n - min_train < n_splits:
        raise ValueError(f"{n} windows are too few: {n_splits} folds, min_train {min_train}, gap {gap}")
    return [(np.arange(val[0] - gap), val) for val in np.array_split(np.arange(min_train, n), n_splits)]


def cross_validate(prices: pd.DataFrame, settings: dict, accelerator: Accelerator, *, seed: int) -> list[float]:
    lookback, batch_size, architecture, rest = split_settings(settings)
    X, y, days = make_windows(build_features(prices), future_return(prices["Close"]), lookback)
    last = prices["Close"].shift(1).loc[days].to_numpy()
    scores = []
    for fit, val in walk_forward_splits(len(y), FOLDS, len(y) // 2, gap=lookback):
        scaler = Scaler().fit(X[fit], y[fit])
        learn, check = (
            make_loader(scaler.transform(X[i]), scaler.transform_target(y[i]), batch_size, shuffle=i is fit)
            for i in (fit, val)
        )
        torch.manual_seed(seed)
        model = PriceRNN(X.shape[-1], **architecture)
        train(model, learn, check, accelerator, TrainConfig(**rest, seed=seed))
        scores.append(evaluate(model, check, scaler, last[val], accelerator)["mae"])
    return scores


def search(
    prices: pd.DataFrame,
    space: dict[str, list],
    accelerator: Accelerator,
    *,
    n_trials: int,
    seed: int,
    budget_seconds: float | None = None,
) -> pd.DataFrame:
    known = prices.iloc[: len(prices) - round(TEST_FRACTION * len(prices))]
    rng, begin, rows = np.random.default_rng(seed), time.perf_counter(), []
    for trial in range(n_trials):
        settings = {name: values[rng.integers(len(values))] for name, values in space.items()}
        if trial and budget_seconds is not None:
            spent = torch.tensor([time.perf_counter() - begin], device=accelerator.device)
            if accelerator.gather(spent).max() >= budget_seconds:
                break
        scores, text, start = [np.nan], "", time.perf_counter()
        try:
            scores = cross_validate(known, settings, accelerator, seed=seed)
        except Exception as error:
            text = f"{type(error).__name__}: {error}"
        rows.append([*settings.values(), np.mean(scores), np.std(scores), time.perf_counter() - start, text])
    table = pd.DataFrame(rows, columns=[*space, "mae_mean", "mae_std", "seconds", "error"], dtype="object")
    return table.astype(dict.fromkeys(["mae_mean", "mae_std", "seconds"], float))


def best(results: pd.DataFrame) -> dict:
    if results["mae_mean"].isna().all():
        raise ValueError(f"no trial went well; the first: {results['error'].iloc[0]}")
    row = results["mae_mean"].idxmin()
    settings = results.drop(columns=["mae_mean", "mae_std", "seconds", "error"]).astype("object")
    return settings.loc[row].to_dict()


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
