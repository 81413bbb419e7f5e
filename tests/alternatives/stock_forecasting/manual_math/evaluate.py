"""Measures by their formulas."""

import math
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


def mae(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    total = 0.0
    for p, q in zip(y_true, y_pred, strict=True):
        total += abs(float(p) - float(q))
    return total / len(y_true)


def rmse(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    total = 0.0
    for p, q in zip(y_true, y_pred, strict=True):
        total += (float(p) - float(q)) ** 2
    return math.sqrt(total / len(y_true))


def mape(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    total = 0.0
    for p, q in zip(y_true, y_pred, strict=True):
        total += abs(float(p) - float(q)) / float(p)
    return 100 / len(y_true) * total


def directional_accuracy(last: np.ndarray, y_true: np.ndarray, y_pred: np.ndarray) -> float:
    hits = days = 0
    for now, p, q in zip(last, y_true, y_pred, strict=True):
        if p > now:
            days += 1
            hits += int(q > now)
        elif p < now:
            days += 1
            hits += int(q < now)
    return hits / days if days > 0 else math.nan


def naive_forecast(close: pd.Series, horizon: int = 1) -> pd.Series:
    said = [close.iloc[row - horizon] if row >= horizon else math.nan for row in range(len(close))]
    return pd.Series(said, index=close.index, dtype="float64")


def predict(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> tuple[np.ndarray, np.ndarray]:
    """The samples of all processes, batch by batch; behind the last one come repeats, which are cut off."""
    was_training = model.training
    model, prepared = accelerator.prepare(model, loader)
    n = len(prepared.dataset)
    y_true, y_pred = [], []
    model.eval()
    with torch.no_grad():
        for x, y in prepared:
            both = torch.stack((y.float(), model(x).float()))  # (2, batch)
            for one in accelerator.gather(both[None]):  # a process each
                y_true += one[0].tolist()
                y_pred += one[1].tolist()
    model.train(was_training)
    return np.array(y_true[:n]), np.array(y_pred[:n])


def evaluate(
    model: nn.Module, loader: DataLoader, scaler: "Scaler", close: np.ndarray, accelerator: Accelerator
) -> dict[str, float]:
    y_true, y_pred = predict(model, loader, accelerator)
    r_true, r_pred = scaler.inverse_target(y_true), scaler.inverse_target(y_pred)
    true = np.array([p * math.exp(r) for p, r in zip(close, r_true, strict=True)])
    said = np.array([p * math.exp(r) for p, r in zip(close, r_pred, strict=True)])
    error, error_0 = mae(true, said), mae(true, close)
    return {
        "mae": error,
        "rmse": rmse(true, said),
        "mape": mape(true, said),
        "directional_accuracy": directional_accuracy(close, true, said),
        "naive_mae": error_0,
        "skill": 1 - error / error_0 if error_0 > 0 else math.nan,
    }


def plot_forecast(dates: pd.DatetimeIndex, actual: np.ndarray, predicted: np.ndarray, currency: str = "USD") -> Figure:
    figure = plt.figure(figsize=(8, 4.5))
    axis = figure.add_axes((0.1, 0.15, 0.85, 0.75))
    (first,) = axis.plot(dates, actual, "-")
    (second,) = axis.plot(dates, predicted, ":")
    axis.legend((first, second), ("actual", "forecast"), title="close")
    axis.set_title(f"Forecasts of {len(actual)} closes")
    axis.set_xlabel("day")
    axis.set_ylabel(currency)
    return figure
