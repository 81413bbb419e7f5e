"""Errors of forecasts in prices, beside those of the naive one."""

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
    return float(np.abs(y_true - y_pred).mean())


def rmse(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    return float(((y_true - y_pred) ** 2).mean() ** 0.5)


def mape(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    return 100 * float(np.abs(1 - y_pred / y_true).mean())


def directional_accuracy(last: np.ndarray, y_true: np.ndarray, y_pred: np.ndarray) -> float:
    moved = y_true != last
    hits = np.sign(y_true - last)[moved] == np.sign(y_pred - last)[moved]
    return float(hits.mean()) if moved.any() else np.nan


def naive_forecast(close: pd.Series, horizon: int = 1) -> pd.Series:
    return close.shift(horizon)


def predict(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> tuple[np.ndarray, np.ndarray]:
    mode = model.training
    prepared, loader = accelerator.prepare(model, loader)
    prepared.eval()
    with torch.no_grad():
        pairs = [accelerator.gather_for_metrics((y, prepared(x))) for x, y in loader]
    model.train(mode)
    y_true, y_pred = (torch.cat(part).cpu().numpy() for part in zip(*pairs, strict=True))
    return y_true, y_pred


def evaluate(
    model: nn.Module, loader: DataLoader, scaler: "Scaler", close: np.ndarray, accelerator: Accelerator
) -> dict[str, float]:
    true, said = (close * np.exp(scaler.inverse_target(y)) for y in predict(model, loader, accelerator))
    error, naive = mae(true, said), mae(true, close)
    return {
        "mae": error,
        "rmse": rmse(true, said),
        "mape": mape(true, said),
        "directional_accuracy": directional_accuracy(close, true, said),
        "naive_mae": naive,
        "skill": 1 - error / naive if naive else np.nan,
    }


def plot_forecast(dates: pd.DatetimeIndex, actual: np.ndarray, predicted: np.ndarray, currency: str = "USD") -> Figure:
    figure, axis = plt.subplots(figsize=(8, 4), layout="constrained")
    axis.plot(dates, actual, label="actual")
    axis.plot(dates, predicted, label="forecast")
    axis.set(title="Closing prices", xlabel="day", ylabel=f"price in {currency}")
    axis.legend()
    return figure
