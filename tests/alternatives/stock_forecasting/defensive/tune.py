"""Task 4: trials, none of which may take the others with it."""

import logging
import time
from statistics import fmean, pstdev

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from accelerate import Accelerator
from accelerate.utils import gather_object
from evaluate import evaluate
from features import Scaler, build_features, future_return, make_windows
from matplotlib.figure import Figure
from model import PriceRNN
from torch.utils.data import DataLoader, TensorDataset
from tqdm import trange
from train import TrainConfig, train

FOLDS = 3  # of each trial
TEST_FRACTION = 0.15  # of the days, the last ones: for the test, not for `search`
ARCHITECTURE = ("hidden_size", "num_layers", "dropout", "cell")
DEFAULTS = {"lookback": 20, "batch_size": 64, "hidden_size": 16}
MEASURED = ("mae_mean", "mae_std", "seconds", "error")

log = logging.getLogger(__name__)


def make_loader(X: np.ndarray, y: np.ndarray, batch_size: int, *, shuffle: bool) -> DataLoader:
    data = TensorDataset(*(torch.from_numpy(np.ascontiguousarray(part, dtype="float32")) for part in (X, y)))
    return DataLoader(data, batch_size, shuffle=shuffle)


def split_settings(settings: dict) -> tuple[int, int, dict, dict]:
    rest = DEFAULTS | settings
    lookback, batch_size = rest.pop("lookback"), rest.pop("batch_size")
    architecture = {name: rest.pop(name) for name in ARCHITECTURE if name in rest}
    return lookback, batch_size, architecture, rest


def walk_forward_splits(n: int, n_splits: int, min_train: int, gap: int = 0) -> list[tuple[np.ndarray, np.ndarray]]:
    if n_splits < 1 or gap < 0:
        raise ValueError(f"expected at least one split and a gap from 0 on, found {n_splits} and {gap}.")
    if n - min_train < n_splits:
        raise ValueError(f"{n} windows, {min_train} of them before the first block: too few for {n_splits} blocks.")
    if min_train - gap < 1:
        raise ValueError(f"the first fold would train on nothing: {min_train} windows, less a gap of {gap}.")
    edges = np.linspace(min_train, n, num=n_splits + 1).round().astype("int64")
    return [(np.arange(0, low - gap), np.arange(low, high)) for low, high in zip(edges, edges[1:])]


def cross_validate(prices: pd.DataFrame, settings: dict, accelerator: Accelerator, *, seed: int) -> list[float]:
    lookback, batch_size, architecture, rest = split_settings(settings)
    unknown = set(rest) - set(TrainConfig.__dataclass_fields__)
    if unknown:
        raise ValueError(f"settings that nobody knows: {', '.join(sorted(unknown))}.")
    X, y, days = make_windows(build_features(prices), future_return(prices["Close"]), lookback)
    last_closes = prices["Close"].shift(1).reindex(days).to_numpy()
    if np.isnan(last_closes).any():
        raise ValueError("a window's last close is not known.")
    scores = []
    for fold, (earlier, block) in enumerate(walk_forward_splits(len(y), FOLDS, len(y) // 2, gap=lookback), start=1):
        scaler = Scaler()
        scaler = scaler.fit(X[earlier], y[earlier])
        parts = [(scaler.transform(X[rows]), scaler.transform_target(y[rows])) for rows in (earlier, block)]
        learn = make_loader(*parts[0], batch_size, shuffle=True)
        watch = make_loader(*parts[1], batch_size, shuffle=False)
        torch.manual_seed(seed)
        model = PriceRNN(X.shape[2], **architecture)
        train(model, learn, watch, accelerator, TrainConfig(**{**rest, "seed": seed}))
        score = evaluate(model, watch, scaler, last_closes[block], accelerator)["mae"]
        log.info("fold %d of %d: MAE %.4f", fold, FOLDS, score)
        scores.append(score)
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
    for name, values in space.items():
        if not len(values):
            raise ValueError(f"{name}: there is no value to draw from.")
    begin = time.perf_counter()
    known = prices.iloc[: len(prices) - round(len(prices) * TEST_FRACTION)].copy()
    rng = np.random.RandomState(seed)
    records = []
    for number in trange(n_trials, desc="trials", leave=False, disable=not accelerator.is_main_process):
        clocks = gather_object([time.perf_counter() - begin])  # of all processes
        if number > 0 and budget_seconds is not None and max(clocks) >= budget_seconds:
            log.info("the time is over after %d trials", number)
            break
        settings = {name: values[rng.permutation(len(values))[0]] for name, values in space.items()}
        record = {**settings, "mae_mean": np.nan, "mae_std": np.nan, "seconds": np.nan, "error": ""}
        started = time.perf_counter()
        try:
            scores = cross_validate(known, settings, accelerator, seed=seed)
            record["mae_mean"] = fmean(scores)
            record["mae_std"] = pstdev(scores) if np.isfinite(scores).all() else np.nan
        except Exception as error:
            log.info("trial %d with %s failed", number, settings, exc_info=True)
            record["error"] = f"{type(error).__name__}: {error}"
        record["seconds"] = time.perf_counter() - started
        records.append(record)
    table = pd.DataFrame(records, columns=[*space, *MEASURED], dtype="object")
    for name in ("mae_mean", "mae_std", "seconds"):
        table[name] = pd.to_numeric(table[name]).astype("float64")
    return table


def best(results: pd.DataFrame) -> dict:
    if results.empty:
        raise ValueError("there is not a single trial.")
    table = results.reset_index(drop=True)
    errors = pd.to_numeric(table["mae_mean"]).dropna()
    if errors.empty:
        raise ValueError(f"no trial went well; the first one ended with: {table['error'][0]}")
    place = errors.idxmin()
    return {name: table[name].tolist()[place] for name in table.columns if name not in MEASURED}


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
