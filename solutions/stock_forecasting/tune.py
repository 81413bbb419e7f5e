"""Task 4 · Which architecture, which settings? The past decides, trial by trial, and the test part is not asked.

Shuffled folds would train on what comes after the days that are forecast. Walking forward never does.
"""

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
    """Batches of windows X (n, lookback, n_features) and targets y (n,), in float32. Given."""
    data = TensorDataset(*(torch.from_numpy(np.ascontiguousarray(part, dtype="float32")) for part in (X, y)))
    return DataLoader(data, batch_size, shuffle=shuffle)


def split_settings(settings: dict) -> tuple[int, int, dict, dict]:
    """Part a trial's settings: lookback, batch size, arguments of `PriceRNN`, arguments of `TrainConfig`. Given.

    What is not set has its default, of `DEFAULTS` or of the function that it goes to.
    """
    rest = DEFAULTS | settings
    lookback, batch_size = rest.pop("lookback"), rest.pop("batch_size")
    architecture = {name: rest.pop(name) for name in ARCHITECTURE if name in rest}
    return lookback, batch_size, architecture, rest


def walk_forward_splits(n: int, n_splits: int, min_train: int, gap: int = 0) -> list[tuple[np.ndarray, np.ndarray]]:
    """Folds that only ever look back.

    The numbers min_train … n − 1 are cut into `n_splits` blocks of nearly the same size, in order. Each block is validated on
    once, after training on all that lies before it, less the `gap` numbers next to it.

    Args:
        n: number of windows, in the order of time.
        n_splits: number of folds.
        min_train: windows before the first block.
        gap: windows left out between training and validation, so that they share no day.

    Returns:
        (train, val) numbers of each fold, ascending, the earliest fold first.

    Raises:
        ValueError: a fold would have nothing to train or to validate on.
    """
    ### BEGIN SOLUTION
    if n_splits < 1 or min_train <= gap or n - min_train < n_splits:
        raise ValueError(
            f"expected more than {gap} windows to train on and one for each of {n_splits} folds behind them, "
            f"found {min_train} and {n - min_train}."
        )
    blocks = np.array_split(np.arange(min_train, n), n_splits)
    return [(np.arange(block[0] - gap), block) for block in blocks]
    ### END SOLUTION


def cross_validate(prices: pd.DataFrame, settings: dict, accelerator: Accelerator, *, seed: int) -> list[float]:
    """MAE of one choice of settings in each of `FOLDS` folds, in units of price.

    The windows of `prices` are parted by `walk_forward_splits` with half of them (rounded down) before the first block, and
    the gap that they need. In each fold everything that learns, the `Scaler` included, learns anew from the fold's training
    windows, and the MAE is that of `evaluate` on its validation windows.

    Args:
        prices: as `clean_prices` returns them, without the days of the test.
        settings: see `split_settings`.
        accelerator: passed on to `train` and `evaluate`.
        seed: of each fold's first weights, by `torch.manual_seed`, and of `TrainConfig`.
    """
    ### BEGIN SOLUTION
    lookback, batch_size, architecture, rest = split_settings(settings)
    close = prices["Close"]
    X, y, days = make_windows(build_features(prices), future_return(close), lookback)
    last = close.shift(1).loc[days].to_numpy()  # (n,) the close before each target's day
    scores = []
    for train_rows, val_rows in walk_forward_splits(len(y), FOLDS, len(y) // 2, gap=lookback):
        scaler = Scaler().fit(X[train_rows], y[train_rows])
        train_loader, val_loader = (
            make_loader(scaler.transform(X[rows]), scaler.transform_target(y[rows]), batch_size, shuffle=shuffle)
            for rows, shuffle in ((train_rows, True), (val_rows, False))
        )
        torch.manual_seed(seed)
        model = PriceRNN(X.shape[-1], **architecture)
        train(model, train_loader, val_loader, accelerator, TrainConfig(seed=seed, **rest))
        scores.append(evaluate(model, val_loader, scaler, last[val_rows], accelerator)["mae"])
    return scores
    ### END SOLUTION


def search(
    prices: pd.DataFrame,
    space: dict[str, list],
    accelerator: Accelerator,
    *,
    n_trials: int,
    seed: int,
    budget_seconds: float | None = None,
) -> pd.DataFrame:
    """Try settings drawn at random from a space, each by walking forward.

    Args:
        prices: the whole history, as `clean_prices` returns it; its last `TEST_FRACTION` of days (rounded) is left alone.
        space: setting (see `split_settings`) -> the values to draw from.
        accelerator: passed on to `cross_validate`.
        n_trials: number of trials; each draws one value for each setting, independently of the others.
        seed: of the draws and of every training. The same seed gives the same trials with the same scores, another seed
            other trials.
        budget_seconds: no trial begins after that time, but for the first, which always runs. None: no limit. Several
            processes agree on it: all run the same trials.

    Returns:
        One row a trial, in the order in which they ran, numbered from 0: a column for each setting of the space, holding what
        was tried; `mae_mean`, `mae_std` over the folds, in units of price; `seconds`, of the trial alone; and `error`, empty if
        all went well. A trial that raises an exception, in whichever fold, is a row, too: with the exception's text, and NaN
        for `mae_mean`, `mae_std`.
    """
    # Hint: a column of dtype object keeps None and whole numbers as they are.
    ### BEGIN SOLUTION
    known = prices.iloc[: len(prices) - round(len(prices) * TEST_FRACTION)]
    rng = np.random.default_rng(seed)
    trials = [{name: values[rng.integers(len(values))] for name, values in space.items()} for _ in range(n_trials)]
    started, rows = time.monotonic(), []
    for trial in trials:
        began = time.monotonic()
        spent = torch.tensor([began - started], device=accelerator.device)
        # The slowest process' clock counts for all: one that stopped alone would leave the others waiting for it.
        if rows and budget_seconds is not None and accelerator.gather(spent).max() >= budget_seconds:
            break
        row = {**trial, "mae_mean": np.nan, "mae_std": np.nan, "error": ""}
        try:
            scores = cross_validate(known, trial, accelerator, seed=seed)
            row |= {"mae_mean": float(np.mean(scores)), "mae_std": float(np.std(scores))}
        except Exception as error:  # one bad trial is no reason to lose the others
            row["error"] = f"{type(error).__name__}: {error}"
        rows.append(row | {"seconds": time.monotonic() - began})
    table = pd.DataFrame({name: pd.Series([row[name] for row in rows], dtype="object") for name in space})
    return table.assign(**{name: [row[name] for row in rows] for name in ("mae_mean", "mae_std", "seconds", "error")})
    ### END SOLUTION


def best(results: pd.DataFrame) -> dict:
    """The settings of the trial with the lowest `mae_mean` among `search`'s rows, without its measures.

    Args:
        results: as `search` returns it; its columns may be of dtype object.

    Raises:
        ValueError: no trial went well; the text tells the first one's error.
    """
    ### BEGIN SOLUTION
    went_well = results[results["mae_mean"].notna()]
    if went_well.empty:
        first = results["error"].iloc[0] if len(results) else "there is none"
        raise ValueError(f"expected at least one trial that went well, found {len(results)} that did not: {first}")
    winner = went_well.loc[went_well["mae_mean"].astype("float64").idxmin()]
    return winner.drop(["mae_mean", "mae_std", "seconds", "error"]).to_dict()
    ### END SOLUTION


def plot_trials(table: pd.DataFrame, naive: float) -> Figure:
    """Draw the errors of `search`'s trials with their spread over the folds, best first, beside the naive forecast's. Given."""
    ranked = table.dropna(subset=["mae_mean"]).sort_values("mae_mean", ignore_index=True)
    names = [
        f"{row.cell} {row.hidden_size}×{row.num_layers}, {row.lookback} days, lr {row.lr}"
        for row in ranked.itertuples()
    ]
    figure, axis = plt.subplots(figsize=(8, 1.2 + 0.4 * len(ranked)), layout="constrained")
    axis.errorbar(
        ranked["mae_mean"], ranked.index, xerr=ranked["mae_std"], fmt="o", capsize=3, label="trial ± std over folds"
    )
    axis.axvline(naive, color="grey", linestyle="--", label="naive forecast")
    axis.set_yticks(ranked.index, names)
    axis.invert_yaxis()
    axis.set(title="Trials, walking forward", xlabel="MAE, in units of price")
    axis.legend(loc="lower right")
    return figure
