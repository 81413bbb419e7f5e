"""Task 4: trials that all processes run together."""

import time

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from accelerate import Accelerator
from accelerate.utils import broadcast
from matplotlib.figure import Figure
from torch.utils.data import DataLoader, TensorDataset

FOLDS = 3  # of each trial
TEST_FRACTION = 0.15  # of the days, the last ones: for the test, not for `search`
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
    folds, end = [], n
    for blocks in range(n_splits, 0, -1):  # from the last block to the first
        size = -(-(end - min_train) // blocks)
        val, train = np.arange(end - size, end), np.arange(end - size - gap)
        if val.size < 1 or train.size < 1:
            raise ValueError(f"Fold {blocks} of {n_splits} would train on {train.size} and validate on {val.size} windows.")
        folds.append((train, val))
        end -= size
    return folds[::-1]


def cross_validate(prices: pd.DataFrame, settings: dict, accelerator: Accelerator, *, seed: int) -> list[float]:
    from evaluate import evaluate
    from features import Scaler, build_features, future_return, make_windows
    from model import PriceRNN
    from train import TrainConfig, train

    lookback, batch_size, architecture, rest = split_settings(settings)
    X, y, days = make_windows(build_features(prices), future_return(prices["Close"]), lookback, 1)
    known = prices["Close"].iloc[prices.index.searchsorted(days) - 1].to_numpy()  # the row before each target's

    def fold(train_rows: np.ndarray, val_rows: np.ndarray) -> float:
        scaler = Scaler().fit(X[train_rows], y[train_rows])
        X_scaled, y_scaled = scaler.transform(X), scaler.transform_target(y)
        train_loader = make_loader(X_scaled[train_rows], y_scaled[train_rows], batch_size, shuffle=True)
        val_loader = make_loader(X_scaled[val_rows], y_scaled[val_rows], batch_size, shuffle=False)
        torch.manual_seed(seed)
        model = PriceRNN(X.shape[-1], **architecture)
        train(model, train_loader, val_loader, accelerator, TrainConfig(**rest | dict(seed=seed)))
        return evaluate(model, val_loader, scaler, known[val_rows], accelerator)["mae"]

    return [fold(*rows) for rows in walk_forward_splits(len(X), FOLDS, len(X) // 2, gap=lookback)]


def search(
    prices: pd.DataFrame,
    space: dict[str, list],
    accelerator: Accelerator,
    *,
    n_trials: int,
    seed: int,
    budget_seconds: float | None = None,
) -> pd.DataFrame:
    last_days = round(len(prices) * TEST_FRACTION)
    prices = prices.drop(index=prices.index[len(prices) - last_days :])
    begin = time.time()

    def over() -> bool:
        spent = torch.tensor([time.time() - begin], device=accelerator.device)
        return budget_seconds is not None and broadcast(spent, from_process=0).item() >= budget_seconds

    trials = []
    while len(trials) < n_trials and not (trials and over()):
        chance = np.random.default_rng([seed, len(trials)])  # a generator for each trial
        settings = {name: values[int(chance.random() * len(values))] for name, values in space.items()}
        clock, text, mean, std = time.time(), "", float("nan"), float("nan")
        try:
            maes = np.asarray(cross_validate(prices, settings, accelerator, seed=seed), dtype="float64")
            mean, std = maes.mean(), maes.std(ddof=0)
        except Exception as error:
            text = f"{type(error).__qualname__}: {error}"
        trials.append([*settings.values(), mean, std, time.time() - clock, text])
    columns = [*space, "mae_mean", "mae_std", "seconds", "error"]
    table = pd.DataFrame(trials, columns=columns, dtype="object")
    return table.astype({"mae_mean": float, "mae_std": float, "seconds": float})


def best(results: pd.DataFrame) -> dict:
    scored = [(mae, place) for place, mae in enumerate(results["mae_mean"]) if mae == mae and mae is not None]
    if not scored:
        raise ValueError(f"All trials failed. The first error: {'; '.join(results['error'].iloc[:1])}")
    _, place = min(scored)
    row = {name: results[name].astype("object").iat[place] for name in results.columns}
    return {name: value for name, value in row.items() if name not in {"mae_mean", "mae_std", "seconds", "error"}}


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
