"""Task 4: try settings."""

import random
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


def make_loader(X: np.ndarray, y: np.ndarray, batch_size: int, *, shuffle: bool) -> DataLoader:
    data = TensorDataset(*(torch.from_numpy(np.ascontiguousarray(part, dtype="float32")) for part in (X, y)))
    return DataLoader(data, batch_size, shuffle=shuffle)


def split_settings(settings: dict) -> tuple[int, int, dict, dict]:
    rest = DEFAULTS | settings
    lookback, batch_size = rest.pop("lookback"), rest.pop("batch_size")
    architecture = {name: rest.pop(name) for name in ARCHITECTURE if name in rest}
    return lookback, batch_size, architecture, rest


def walk_forward_splits(n: int, n_splits: int, min_train: int, gap: int = 0) -> list[tuple[np.ndarray, np.ndarray]]:
    number_to_validate = n - min_train
    if number_to_validate < n_splits or n_splits < 1:
        raise ValueError("A fold would have nothing to validate on.")
    small_size = number_to_validate // n_splits
    number_of_larger_blocks = number_to_validate % n_splits
    folds = []
    begin = min_train
    for i in range(n_splits):
        size = small_size
        if i >= n_splits - number_of_larger_blocks:  # the last blocks are the larger ones
            size = size + 1
        end = begin + size
        train_numbers = np.arange(0, begin - gap)
        val_numbers = np.arange(begin, end)
        if len(train_numbers) == 0:
            raise ValueError("A fold would have nothing to train on.")
        folds.append((train_numbers, val_numbers))
        begin = end
    return folds


def cross_validate(prices: pd.DataFrame, settings: dict, accelerator: Accelerator, *, seed: int) -> list[float]:
    lookback, batch_size, architecture, rest = split_settings(settings)
    features = build_features(prices)
    target = future_return(prices["Close"])
    X, y, days = make_windows(features, target, lookback)

    # the close of the day before each target's day
    close_before = {}
    previous_close = None
    for day, close in prices["Close"].items():
        close_before[day] = previous_close
        previous_close = close
    last_closes = []
    for day in days:
        last_closes.append(close_before[day])
    last_closes = np.array(last_closes, dtype="float64")

    n = len(X)
    gap = lookback  # lookback + horizon - 1
    scores = []
    for train_rows, val_rows in walk_forward_splits(n, FOLDS, n // 2, gap):
        X_train = X[train_rows]
        y_train = y[train_rows]
        X_val = X[val_rows]
        y_val = y[val_rows]

        scaler = Scaler()
        scaler.fit(X_train, y_train)
        train_loader = make_loader(
            scaler.transform(X_train), scaler.transform_target(y_train), batch_size, shuffle=True
        )
        val_loader = make_loader(scaler.transform(X_val), scaler.transform_target(y_val), batch_size, shuffle=False)

        torch.manual_seed(seed)
        number_of_features = X.shape[-1]
        model = PriceRNN(number_of_features, **architecture)
        rest["seed"] = seed
        config = TrainConfig(**rest)
        train(model, train_loader, val_loader, accelerator, config)
        measures = evaluate(model, val_loader, scaler, last_closes[val_rows], accelerator)
        scores.append(measures["mae"])
    return scores


def time_is_over(begin: float, budget_seconds: float | None, accelerator: Accelerator) -> bool:
    if budget_seconds is None:
        return False
    my_seconds = torch.tensor([time.time() - begin], dtype=torch.float32, device=accelerator.device)
    seconds_of_all = accelerator.gather(my_seconds).tolist()
    return max(seconds_of_all) >= budget_seconds


def search(
    prices: pd.DataFrame,
    space: dict[str, list],
    accelerator: Accelerator,
    *,
    n_trials: int,
    seed: int,
    budget_seconds: float | None = None,
) -> pd.DataFrame:
    number_of_test_days = round(TEST_FRACTION * len(prices))
    number_of_known_days = len(prices) - number_of_test_days
    known_prices = prices.iloc[0:number_of_known_days]

    generator = random.Random(seed)
    begin = time.time()
    rows = []
    for trial in range(n_trials):
        if trial > 0:
            if time_is_over(begin, budget_seconds, accelerator):
                break
        settings = {}
        for name in space:
            settings[name] = generator.choice(space[name])

        trial_begin = time.time()
        row = dict(settings)
        try:
            scores = cross_validate(known_prices, settings, accelerator, seed=seed)
            mean = sum(scores) / len(scores)
            variance = 0.0
            for score in scores:
                variance = variance + (score - mean) ** 2 / len(scores)
            row["mae_mean"] = mean
            row["mae_std"] = variance**0.5
            row["error"] = ""
        except Exception as error:
            row["mae_mean"] = np.nan
            row["mae_std"] = np.nan
            row["error"] = str(type(error).__name__) + ": " + str(error)
        row["seconds"] = time.time() - trial_begin
        rows.append(row)

    table = pd.DataFrame(index=range(len(rows)))
    for name in space:
        values = []
        for row in rows:
            values.append(row[name])
        table[name] = pd.Series(values, dtype="object")
    for name in ("mae_mean", "mae_std", "seconds", "error"):
        values = []
        for row in rows:
            values.append(row[name])
        table[name] = values
    return table


def best(results: pd.DataFrame) -> dict:
    best_place = None
    best_error = None
    errors = list(results["mae_mean"])
    for place in range(len(errors)):
        error = errors[place]
        if pd.isna(error):
            continue
        if best_error is None or error < best_error:
            best_error = error
            best_place = place
    if best_place is None:
        texts = list(results["error"])
        raise ValueError("No trial went well. The first one: " + str(texts[0] if texts else "there was none"))
    settings = {}
    for name in results.columns:
        if name in ("mae_mean", "mae_std", "seconds", "error"):
            continue
        value = results[name].tolist()[best_place]
        settings[name] = value
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
