"""Cross-validation and search by hand."""

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
    folds, begin = [], min_train
    for left in range(n_splits, 0, -1):
        size = (n - begin) // left  # of what is left, its share
        train, val = np.arange(0, begin - gap), np.arange(begin, begin + size)
        if train.size < 1 or val.size < 1:
            raise ValueError(f"n = {n}, n_splits = {n_splits}, min_train = {min_train}, gap = {gap}: a fold is empty")
        folds.append((train, val))
        begin += size
    return folds


def cross_validate(prices: pd.DataFrame, settings: dict, accelerator: Accelerator, *, seed: int) -> list[float]:
    lookback, batch_size, architecture, training = split_settings(settings)
    close = prices["Close"]
    features = build_features(prices)
    X, y, days = make_windows(features, future_return(close, 1), lookback, 1)
    row_of = {day: row for row, day in enumerate(close.index)}
    last = np.array([close.iloc[row_of[day] - 1] for day in days])
    scores = []
    for old, new in walk_forward_splits(len(y), FOLDS, len(y) // 2, gap=lookback):
        scaler = Scaler()
        scaler = scaler.fit(X[old], y[old])
        to_train = make_loader(scaler.transform(X[old]), scaler.transform_target(y[old]), batch_size, shuffle=True)
        to_score = make_loader(scaler.transform(X[new]), scaler.transform_target(y[new]), batch_size, shuffle=False)
        torch.manual_seed(seed)
        model = PriceRNN(X.shape[2], **architecture)
        train(model, to_train, to_score, accelerator, TrainConfig(**training, seed=seed))
        scores.append(evaluate(model, to_score, scaler, last[new], accelerator)["mae"])
    return scores


def draw(state: int) -> int:
    """The next number of a linear congruential generator (Knuth's MMIX)."""
    return (6364136223846793005 * state + 1442695040888963407) % 2**64


def search(
    prices: pd.DataFrame,
    space: dict[str, list],
    accelerator: Accelerator,
    *,
    n_trials: int,
    seed: int,
    budget_seconds: float | None = None,
) -> pd.DataFrame:
    begin = time.perf_counter()
    n_test = round(len(prices) * TEST_FRACTION)
    known = prices.iloc[0 : len(prices) - n_test]
    state = draw(draw(seed % 2**64))
    rows = []
    for trial in range(n_trials):
        if budget_seconds is not None and trial >= 1:
            spent = torch.tensor([time.perf_counter() - begin], device=accelerator.device)
            if max(accelerator.gather(spent).tolist()) >= budget_seconds:
                break
        settings = {}
        for name, values in space.items():
            state = draw(state)
            settings[name] = values[(state >> 33) * len(values) >> 31]  # of the upper 31 bits
        row, start = dict(settings), time.perf_counter()
        try:
            scores = cross_validate(known, settings, accelerator, seed=seed)
            mean = sum(scores) / len(scores)
            std = (sum((score - mean) ** 2 for score in scores) / len(scores)) ** 0.5
            row |= {"mae_mean": mean, "mae_std": std, "seconds": time.perf_counter() - start, "error": ""}
        except Exception as error:
            row |= {"mae_mean": np.nan, "mae_std": np.nan, "seconds": time.perf_counter() - start}
            row["error"] = f"{type(error).__name__}({error})"
        rows.append(row)
    table = pd.DataFrame(rows, dtype="object")
    for name in ("mae_mean", "mae_std", "seconds"):
        table[name] = table[name].astype("float64")
    return table


def best(results: pd.DataFrame) -> dict:
    winner, lowest = None, np.inf
    for row in range(len(results)):
        score = results["mae_mean"].iloc[row]
        if score < lowest:
            winner, lowest = row, score
    if winner is None:
        raise ValueError(f"no trial has a score; the first one's error: {results['error'].iloc[0]}")
    settings = {}
    for name in results.columns:
        if name in ("mae_mean", "mae_std", "seconds", "error"):
            continue
        value = results[name].iloc[winner]
        settings[name] = value.item() if hasattr(value, "item") else value
    return settings


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
