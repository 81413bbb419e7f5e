"""Task 4: scikit-learn's sampler for the settings, even slices for the folds."""

import time

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from accelerate import Accelerator
from evaluate import evaluate, naive_forecast
from features import Scaler, build_features, future_return, make_windows
from matplotlib.figure import Figure
from model import PriceRNN
from sklearn.model_selection import ParameterSampler, train_test_split
from sklearn.utils import check_random_state, gen_even_slices
from torch.utils.data import DataLoader, TensorDataset
from train import TrainConfig, train

FOLDS = 3  # of each trial
TEST_FRACTION = 0.15  # of the days, the last ones: for the test, not for `search`
ARCHITECTURE = ("hidden_size", "num_layers", "dropout", "cell")
DEFAULTS = {"lookback": 20, "batch_size": 64, "hidden_size": 16}
MEASURES = {"mae_mean": "float64", "mae_std": "float64", "seconds": "float64", "error": "object"}


def make_loader(X: np.ndarray, y: np.ndarray, batch_size: int, *, shuffle: bool) -> DataLoader:
    data = TensorDataset(*(torch.from_numpy(np.ascontiguousarray(part, dtype="float32")) for part in (X, y)))
    return DataLoader(data, batch_size, shuffle=shuffle)


def split_settings(settings: dict) -> tuple[int, int, dict, dict]:
    rest = DEFAULTS | settings
    lookback, batch_size = rest.pop("lookback"), rest.pop("batch_size")
    architecture = {name: rest.pop(name) for name in ARCHITECTURE if name in rest}
    return lookback, batch_size, architecture, rest


def walk_forward_splits(n: int, n_splits: int, min_train: int, gap: int = 0) -> list[tuple[np.ndarray, np.ndarray]]:
    numbers = np.arange(n)
    later = numbers[min_train:]
    blocks = [later[block] for block in gen_even_slices(max(len(later), 1), n_splits)]
    folds = [(numbers[: max(int(block[0]) - gap, 0)], block) for block in blocks if len(block)]
    if len(folds) < n_splits or any(len(before) == 0 for before, _ in folds):
        raise ValueError(f"cannot cut {n} windows into {n_splits} folds (min_train {min_train}, gap {gap})")
    return folds


def cross_validate(prices: pd.DataFrame, settings: dict, accelerator: Accelerator, *, seed: int) -> list[float]:
    lookback, batch_size, architecture, rest = split_settings(settings)
    X, y, days = make_windows(build_features(prices), future_return(prices["Close"]), lookback)
    naive = naive_forecast(prices["Close"])[days].to_numpy()
    maes = []
    for before, block in walk_forward_splits(len(y), FOLDS, len(y) // 2, lookback):
        scaler = Scaler().fit(X[before], y[before])
        learning = make_loader(
            scaler.transform(X[before]), scaler.transform_target(y[before]), batch_size, shuffle=True
        )
        watching = make_loader(scaler.transform(X[block]), scaler.transform_target(y[block]), batch_size, shuffle=False)
        torch.manual_seed(seed)
        model = PriceRNN(X.shape[-1], **architecture)
        train(model, learning, watching, accelerator, TrainConfig(**dict(rest, seed=seed)))
        maes += [evaluate(model, watching, scaler, naive[block], accelerator)["mae"]]
    return maes


def search(
    prices: pd.DataFrame,
    space: dict[str, list],
    accelerator: Accelerator,
    *,
    n_trials: int,
    seed: int,
    budget_seconds: float | None = None,
) -> pd.DataFrame:
    known, _ = train_test_split(prices, test_size=round(len(prices) * TEST_FRACTION), shuffle=False)
    random_state = check_random_state(seed)
    began, rows = time.perf_counter(), []
    while len(rows) < n_trials:
        late = budget_seconds is not None and time.perf_counter() - began >= budget_seconds
        anyone_late = accelerator.reduce(torch.tensor([int(late)], device=accelerator.device), reduction="sum")
        if rows and anyone_late.item():
            break
        (settings,) = ParameterSampler(space, n_iter=1, random_state=random_state)  # values, not copies of them
        clock = time.perf_counter()
        row = {**settings, "mae_mean": np.nan, "mae_std": np.nan, "error": ""}
        try:
            maes = cross_validate(known, settings, accelerator, seed=seed)
        except Exception as error:
            row["error"] = f"{error!r}"
        else:
            row |= {"mae_mean": np.mean(maes), "mae_std": np.std(maes, ddof=0)}
        rows.append(row | {"seconds": time.perf_counter() - clock})
    return frame(rows, list(space))


def frame(rows: list[dict], names: list[str]) -> pd.DataFrame:
    return pd.DataFrame(
        {name: pd.Series([row[name] for row in rows], dtype="object") for name in names}
        | {name: pd.Series([row[name] for row in rows], dtype=kind) for name, kind in MEASURES.items()}
    )


def best(results: pd.DataFrame) -> dict:
    went_well = results[results["mae_mean"].notna()]
    if went_well.empty:
        raise ValueError(f"not a single trial went well: {results['error'].head(1).squeeze()}")
    place = went_well["mae_mean"].astype("float64").idxmin()
    settings = results.drop(columns=list(MEASURES))
    return {name: column.astype("object").loc[place] for name, column in settings.items()}


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
