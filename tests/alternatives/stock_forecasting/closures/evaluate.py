"""Measures made of other functions."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from itertools import chain
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from accelerate import Accelerator
from matplotlib.figure import Figure
from torch import nn
from torch.utils.data import DataLoader

if TYPE_CHECKING:
    from features import Scaler

Measure = Callable[[np.ndarray, np.ndarray], float]


def averaged(of: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Measure:
    @wraps(of)
    def measure(y_true: np.ndarray, y_pred: np.ndarray) -> float:
        return float(np.mean(of(np.asarray(y_true, "float64"), np.asarray(y_pred, "float64"))))

    return measure


@averaged
def mae(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    return np.abs(y_pred - y_true)


@averaged
def mse(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    return np.square(y_pred - y_true)


@averaged
def mape(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    return 100 * np.abs(y_pred - y_true) / y_true


def rmse(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    return mse(y_true, y_pred) ** 0.5


def directional_accuracy(last: np.ndarray, y_true: np.ndarray, y_pred: np.ndarray) -> float:
    hits = [(true - now) * (said - now) > 0 for now, true, said in zip(last, y_true, y_pred, strict=True) if true != now]
    return sum(map(bool, hits)) / len(hits) if hits else float("nan")


def naive_forecast(close: pd.Series, horizon: int = 1) -> pd.Series:
    said = chain([np.nan] * horizon, close)
    return pd.Series([value for value, _ in zip(said, close)], index=close.index, dtype="float64", name=close.name)


@contextmanager
def answering(model: nn.Module) -> Iterator[None]:
    """Eval mode without gradients; afterwards each module is in the mode it came in."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for module, mode in modes:
            module.training = mode


def predict(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> tuple[np.ndarray, np.ndarray]:
    network, batches = accelerator.prepare_model(model, evaluation_mode=True), accelerator.prepare(loader)

    def pairs() -> Iterator[list[float]]:
        for x, y in batches:
            both = torch.stack([y, network(x)], dim=1)  # (batch, 2)
            yield accelerator.gather_for_metrics(both).tolist()

    with answering(model):
        table = np.array(list(chain.from_iterable(pairs()))).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def evaluate(
    model: nn.Module, loader: DataLoader, scaler: "Scaler", close: np.ndarray, accelerator: Accelerator
) -> dict[str, float]:
    def price(y: np.ndarray) -> np.ndarray:
        return np.asarray(close) * np.exp(scaler.inverse_target(y))

    true, said = map(price, predict(model, loader, accelerator))
    scores = {measure.__name__: measure(true, said) for measure in (mae, rmse, mape)}
    scores["directional_accuracy"] = directional_accuracy(close, true, said)
    scores["naive_mae"] = mae(true, close)
    scores["skill"] = 1 - scores["mae"] / scores["naive_mae"] if scores["naive_mae"] > 0 else float("nan")
    return scores


def plot_forecast(dates: pd.DatetimeIndex, actual: np.ndarray, predicted: np.ndarray, currency: str = "USD") -> Figure:
    figure, axis = plt.subplots(figsize=(9, 4.5))
    for label, values, style in (("actual price", actual, "-"), ("forecast", predicted, "--")):
        axis.plot(dates, values, style, label=label)
    axis.set_title("Forecast and actual prices")
    axis.set_xlabel("date")
    axis.set_ylabel(f"close [{currency}]")
    axis.legend(loc="best")
    figure.autofmt_xdate()
    return figure
