"""Task 4, the scores of trials: the suite's network says one number that follows from all it was told, so that the errors
of an honest walk are known.

Features, network, loop and errors are played by stand-ins, so that a mistake there costs nothing here.
"""

import itertools
from collections.abc import Iterator

import numpy as np
import pandas as pd
import torch

from grader.suite import (
    Run,
    accelerator,
    as_float,
    as_frame,
    check,
    reference,
    require,
    require_columns,
)

MEASURES = ("mae_mean", "mae_std", "seconds", "error")
FOLDS, WARM_UP, TREND_DAYS = 3, 5, 5
TARGET_SHIFT, TARGET_SCALE = 0.004, 40.0
DEFAULTS = {
    **{"lookback": 20, "batch_size": 64, "hidden_size": 16, "num_layers": 1, "dropout": 0.0, "cell": "gru"},
    **{"epochs": 60, "lr": 0.003, "optimizer": "adamw", "weight_decay": 0.0, "loss": "huber"},
    **{"max_grad_norm": 1.0, "patience": 8},
}


@reference
def space(run: Run) -> dict[str, list]:
    """Settings that all tell in the errors, with values that are no defaults."""
    rng = run.rng("space")
    return {
        "lookback": [4, 7],
        "batch_size": [8, 13],
        "hidden_size": [4, int(rng.integers(20, 40))],
        "num_layers": [2, 3],
        "dropout": [0.1, 0.25],
        "lr": [float(rng.uniform(0.01, 0.05)), float(rng.uniform(0.06, 0.1))],
        "epochs": [2, 30],
        "optimizer": ["sgd"],
        "max_grad_norm": [None, 0.5],
        "patience": [3, None],
    }


def told(settings: dict, seed: int, accumulation: int) -> float:
    """What the stand-ins make of everything but the data."""
    s = DEFAULTS | settings
    network = 0.005 * s["hidden_size"] + 0.03 * s["num_layers"] + 0.4 * s["dropout"]
    clipped = -0.11 if pd.isna(s["max_grad_norm"]) else 0.05 * s["max_grad_norm"]
    patient = 0.09 if pd.isna(s["patience"]) else 0.003 * s["patience"]
    kind = 0.15 * (s["optimizer"] == "sgd") + 0.07 * (s["loss"] == "mse")
    loop = 3 * s["lr"] + 0.001 * s["epochs"] + 0.2 * s["weight_decay"] + 0.01 * (seed % 10)
    return network + clipped + patient + kind + loop + 0.013 * accumulation + 0.017 * s["lookback"]


def errors_of(known: pd.DataFrame, settings: dict, seed: int, accumulation: int) -> Iterator[list[float]]:
    """The folds' errors, in units of price: first as they usually are, then with what else the task leaves open.

    Open is which of the blocks are the longer ones.
    """
    s = DEFAULTS | settings
    lookback, price = int(s["lookback"]), known["Close"].to_numpy()
    log = np.log(price)
    features = np.column_stack([np.diff(log)[WARM_UP - 1 :], log[TREND_DAYS:] - log[:-TREND_DAYS]]).astype("float32")
    n = len(features) - lookback
    X = np.stack([features[i : i + lookback] for i in range(n)]).astype("float64")  # (n, lookback, 2)
    y, last = np.diff(log)[WARM_UP + lookback - 1 :], price[WARM_UP + lookback - 1 : -1]  # (n,)
    fixed = told(settings, seed, accumulation)
    if s["cell"] == "rnn":  # the first number that there is after torch.manual_seed(seed)
        fixed += float(torch.randn((), generator=torch.Generator().manual_seed(seed)))

    def error(start: int, end: int) -> float:
        train, val = slice(0, start - lookback), slice(start, end)
        answer = fixed + 0.002 * min(s["batch_size"], start - lookback)
        answer = answer + ((y[train] - TARGET_SHIFT) * TARGET_SCALE).mean()
        if s["cell"] == "lstm":
            flat = X[train].reshape(-1, 2)
            scaled = (X[val] - flat.mean(axis=0) - y[train].mean()) / flat.std(axis=0)
            answer = answer + 0.3 * (scaled[:, 0, 0] - scaled[:, -1, 1])
        forecast = last[val] * np.exp(answer / TARGET_SCALE + TARGET_SHIFT)
        return float(np.abs(forecast - last[val] * np.exp(y[val])).mean())

    short, longer = divmod(n - n // 2, FOLDS)
    for sizes in dict.fromkeys(itertools.permutations([short + 1] * longer + [short] * (FOLDS - longer))):
        ends = [n // 2 + sum(sizes[: i + 1]) for i in range(FOLDS)]
        yield [error(end - size, end) for size, end in zip(sizes, ends, strict=True)]


def near(got: float, expected: float) -> bool:
    """Windows and answers pass through float32, with 1e-7 of a price that is a hundred times its usual error."""
    return abs(got - expected) <= 1e-4 * expected


@check(
    title="A trial's score is the mean error over its folds, in units of price",
    hint="Walk forward over the known days, half of the windows before the first block, with the gap that they need; "
    "training loaders are shuffled; settings, seed and accelerator go where they belong, the rest keeps its default; "
    "`close` is the price before the target's day; mean and deviation of evaluate's mae.",
)
def test_search_score(tuner, walk, space, rng):
    plain = {"weight_decay": [0.37], "loss": ["mse"]}
    for wanted, n_trials, accumulation in ((plain, 1, 1), (space, 4, 3)):
        here, seed = accelerator(gradient_accumulation_steps=accumulation), int(rng.integers(11, 999))
        found = tuner.tune.search(walk, wanted, here, n_trials=n_trials, seed=seed)
        table = as_frame(found, "search's result")
        require_columns(table, [*wanted, *MEASURES], "search's result")
        require(len(table) == n_trials, "there is one row a trial", expected=n_trials, got=len(table))
        for values in zip(*(table[name] for name in (*wanted, *MEASURES)), strict=True):
            row = dict(zip((*wanted, *MEASURES), values, strict=True))
            require_scores(row, {name: row[name] for name in wanted}, walk.iloc[:-15], seed, accumulation)


def require_scores(row: dict, settings: dict, known: pd.DataFrame, seed: int, accumulation: int) -> None:
    case = str(settings)
    mean, std = (as_float(row[name], name, case=case) for name in ("mae_mean", "mae_std"))
    walks = list(errors_of(known, settings, seed, accumulation))
    right = [folds for folds in walks if near(mean, np.mean(folds))]
    rule = "mae_mean is the mean of the errors of folds that have learned for themselves"
    require(bool(right), rule, expected=f"{np.mean(walks[0]):.5f}", got=f"{mean:.5f} {row['error']}", case=case)
    # With ddof 0 or 1. A difference of errors has the errors' rounding, which is more than that of its own size.
    spreads = [(np.std(folds, ddof=ddof), 1e-4 * np.mean(folds)) for folds in right for ddof in (0, 1)]
    fits = any(abs(std - spread) <= slack for spread, slack in spreads)
    require(fits, "mae_std is their standard deviation", expected=f"{spreads[0][0]:.5f}", got=std, case=case)


@check(
    title="In each fold everything learns anew, from its training windows alone",
    hint="A new Scaler, fitted on X and y of the training windows, for both parts, and a new network for each fold, "
    "after torch.manual_seed(seed) each time: nothing that has seen the validation windows, or another fold's.",
)
def test_search_learns_anew(tuner, walk, rng):
    seed = int(rng.integers(999))
    # An "lstm" goes on from what it knew before and sees the scale of the features, an "rnn" tells what it was drawn with.
    for cell, lookback in (("lstm", 4), ("lstm", 6), ("rnn", 5)):
        settings = {"cell": cell, "lookback": lookback, "hidden_size": 8, "lr": float(rng.uniform(0.01, 0.1))}
        wanted = {name: [value] for name, value in settings.items()}
        found = tuner.tune.search(walk, wanted, accelerator(), n_trials=1, seed=seed)
        table = as_frame(found, "search's result", case=f"{cell}, lookback {lookback}")
        require_columns(table, MEASURES, "search's result")
        require(len(table) == 1, "there is one row a trial", expected=1, got=len(table))
        row = {name: table[name][0] for name in MEASURES}
        require_scores(row, settings, walk.iloc[:-15], seed, accumulation=1)
