"""Task 4: settings tried by walking forward."""

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

FOLDS = 3  # of each trial
TEST_FRACTION = 0.15  # of the days, the last ones: for the test, not for `search`
ARCHITECTURE = ("hidden_size", "num_layers", "dropout", "cell")
DEFAULTS = {"lookback": 20, "batch_size": 64, "hidden_size": 16}
MEASURES = ["mae_mean", "mae_std", "seconds", "error"]


def make_loader(X: np.ndarray, y: np.ndarray, batch_size: int, *, shuffle: bool) -> DataLoader:
    data = TensorDataset(*(torch.from_numpy(np.ascontiguousarray(part, dtype="float32")) for part in (X, y)))
    return DataLoader(data, batch_size, shuffle=shuffle)


def split_settings(settings: dict) -> tuple[int, int, dict, dict]:
    rest = DEFAULTS | settings
    lookback, batch_size = rest.pop("lookback"), rest.pop("batch_size")
    architecture = {name: rest.pop(name) for name in ARCHITECTURE if name in rest}
    return lookback, batch_size, architecture, rest


def walk_forward_splits(n: int, n_splits: int, min_train: int, gap: int = 0) -> list[tuple[np.ndarray, np.ndarray]]:
    blocks = np.array_split(np.arange(min_train, n), n_splits)
    if any(len(block) == 0 or block[0] - gap < 1 for block in blocks):
        raise ValueError(f"{n} windows are too few for {n_splits} folds after {min_train}, with a gap of {gap}.")
    return [(np.arange(block[0] - gap), block) for block in blocks]


def cross_validate(prices: pd.DataFrame, settings: dict, accelerator: Accelerator, *, seed: int) -> list[float]:
    lookback, batch_size, architecture, rest = split_settings(settings)
    X, y, days = prices.pipe(build_features).pipe(make_windows, prices["Close"].pipe(future_return), lookback)
    last = prices["Close"].shift().loc[days].to_numpy()
    config = TrainConfig(**{**rest, "seed": seed})
    scores = []
    for learnt, held_out in walk_forward_splits(len(y), FOLDS, len(y) // 2, gap=lookback):
        scaler = Scaler().fit(X[learnt], y[learnt])
        torch.manual_seed(seed)
        model = PriceRNN(X.shape[-1], **architecture)
        train_loader, val_loader = (
            make_loader(scaler.transform(X[rows]), scaler.transform_target(y[rows]), batch_size, shuffle=shuffle)
            for rows, shuffle in ((learnt, True), (held_out, False))
        )
        train(model, train_loader, val_loader, accelerator, config)
        scores.append(evaluate(model, val_loader, scaler, last[held_out], accelerator)["mae"])
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
    known = prices.head(len(prices) - round(TEST_FRACTION * len(prices)))
    draw, begin, rows = np.random.default_rng(seed), time.perf_counter(), []
    for _ in range(n_trials):
        if rows and budget_seconds is not None:
            spent = torch.tensor([time.perf_counter() - begin], device=accelerator.device)
            if accelerator.gather(spent).max() >= budget_seconds:
                break
        settings = {name: values[draw.integers(len(values))] for name, values in space.items()}
        started, scores, text = time.perf_counter(), pd.Series([np.nan]), ""
        try:
            scores = pd.Series(cross_validate(known, settings, accelerator, seed=seed), dtype="float64")
        except Exception as error:
            text = f"{type(error).__name__}: {error}"
        mean, std = scores.mean(skipna=False), scores.std(ddof=0, skipna=False)
        rows.append((*settings.values(), mean, std, time.perf_counter() - started, text))
    return pd.DataFrame(rows, columns=[*space, *MEASURES], dtype="object").astype(dict.fromkeys(MEASURES[:3], "float64"))


def best(results: pd.DataFrame) -> dict:
    ranked = results.astype({"mae_mean": "float64"}).dropna(subset="mae_mean").sort_values("mae_mean", kind="stable")
    if ranked.empty:
        raise ValueError(f"no trial went well; the first one: {results['error'].iloc[0]}")
    return ranked.drop(columns=MEASURES).astype("object").head(1).to_dict("records")[0]


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
