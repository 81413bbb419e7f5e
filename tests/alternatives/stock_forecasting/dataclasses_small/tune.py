"""Task 4: trials and what became of them."""

import random
import statistics
import time
from dataclasses import dataclass, field

import evaluate as measuring
import features as preparing
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
import train as training
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list
from matplotlib.figure import Figure
from model import PriceRNN
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


@dataclass(frozen=True)
class Fold:
    begin: int
    end: int
    gap: int

    def rows(self) -> tuple[np.ndarray, np.ndarray]:
        learn, check = np.arange(max(self.begin - self.gap, 0)), np.arange(self.begin, self.end)
        if not (learn.size and check.size):
            raise ValueError(f"nothing to train or to validate on in {self}")
        return learn, check


def walk_forward_splits(n: int, n_splits: int, min_train: int, gap: int = 0) -> list[tuple[np.ndarray, np.ndarray]]:
    edges = [min_train + round(i * (n - min_train) / n_splits) for i in range(n_splits + 1)]
    return [Fold(begin, end, gap).rows() for begin, end in zip(edges[:-1], edges[1:])]


@dataclass
class Windows:
    """All windows before the test part, each with the last close before its target."""

    X: np.ndarray
    y: np.ndarray
    close: np.ndarray

    @classmethod
    def of(cls, prices: pd.DataFrame, lookback: int) -> "Windows":
        close = prices["Close"]
        X, y, days = preparing.make_windows(preparing.build_features(prices), preparing.future_return(close), lookback)
        yesterday = dict(zip(close.index[1:], close.iloc[:-1]))
        return cls(X, y, np.array([yesterday[day] for day in days], dtype="float64"))

    def loader(self, rows: np.ndarray, scaler, batch_size: int, shuffle: bool) -> DataLoader:
        X, y = scaler.transform(self.X[rows]), scaler.transform_target(self.y[rows])
        return make_loader(X, y, batch_size, shuffle=shuffle)


def cross_validate(prices: pd.DataFrame, settings: dict, accelerator: Accelerator, *, seed: int) -> list[float]:
    lookback, batch_size, architecture, rest = split_settings(settings)
    windows = Windows.of(prices, lookback)
    n = len(windows.y)

    def score(learn: np.ndarray, check: np.ndarray) -> float:
        scaler = preparing.Scaler().fit(windows.X[learn], windows.y[learn])
        loaders = (
            windows.loader(learn, scaler, batch_size, shuffle=True),
            windows.loader(check, scaler, batch_size, shuffle=False),
        )
        torch.manual_seed(seed)
        network = PriceRNN(windows.X.shape[-1], **architecture)
        training.train(network, *loaders, accelerator, training.TrainConfig(**(rest | {"seed": seed})))
        return measuring.evaluate(network, loaders[1], scaler, windows.close[check], accelerator)["mae"]

    return [score(learn, check) for learn, check in walk_forward_splits(n, FOLDS, n // 2, gap=lookback)]


@dataclass
class Trial:
    settings: dict
    scores: list[float] = field(default_factory=list)
    seconds: float = 0.0
    error: str = ""

    def run(self, *args, **kwargs) -> "Trial":
        begin = time.perf_counter()
        try:
            self.scores = [float(score) for score in cross_validate(*args, **kwargs)]
        except Exception as error:
            self.error = f"{error} ({type(error).__name__})"
        self.seconds = time.perf_counter() - begin
        return self

    def row(self) -> list:
        centre = statistics.fmean(self.scores) if self.scores else float("nan")
        spread = statistics.pstdev(self.scores) if self.scores and centre == centre else float("nan")
        return [*self.settings.values(), centre, spread, self.seconds, self.error]


@dataclass
class Budget:
    """The main process looks at its clock, and tells the others."""

    seconds: float | None
    begin: float = field(default_factory=time.perf_counter)

    def is_spent(self) -> bool:
        if self.seconds is None:
            return False
        return broadcast_object_list([time.perf_counter() - self.begin >= self.seconds])[0]


def search(
    prices: pd.DataFrame,
    space: dict[str, list],
    accelerator: Accelerator,
    *,
    n_trials: int,
    seed: int,
    budget_seconds: float | None = None,
) -> pd.DataFrame:
    budget = Budget(budget_seconds)
    known = prices[: len(prices) - round(TEST_FRACTION * len(prices))]
    dice = {name: random.Random(f"{seed} {name}") for name in space}  # each setting has its own
    trials = []
    for number in range(n_trials):
        if number and budget.is_spent():
            break
        trial = Trial({name: dice[name].choice(values) for name, values in space.items()})
        trials.append(trial.run(known, trial.settings, accelerator, seed=seed))
    names = [*space, "mae_mean", "mae_std", "seconds", "error"]
    table = pd.DataFrame([trial.row() for trial in trials], columns=names, dtype="object")
    for name in ("mae_mean", "mae_std", "seconds"):
        table[name] = table[name].astype("float64")
    return table


def best(results: pd.DataFrame) -> dict:
    records = results.astype("object").to_dict("records")
    well = [record for record in records if pd.notna(record["mae_mean"])]
    if not well:
        raise ValueError(records[0]["error"] if records else "there was no trial")
    winner = dict(min(well, key=lambda record: record["mae_mean"]))
    for name in ("mae_mean", "mae_std", "seconds", "error"):
        winner.pop(name, None)
    return winner


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
