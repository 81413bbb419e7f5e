"""Measures and the picture."""

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
    return float(np.mean(np.abs(y_true - y_pred)))


def rmse(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    return float(np.sqrt(np.mean((y_true - y_pred) ** 2)))


def mape(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    return float(np.mean(np.abs(y_true - y_pred) / y_true * 100))


def directional_accuracy(last: np.ndarray, y_true: np.ndarray, y_pred: np.ndarray) -> float:
    moved = y_true - last != 0
    if np.sum(moved) == 0:
        return np.nan
    right = (y_true - last) * (y_pred - last) > 0
    return float(np.sum(right & moved) / np.sum(moved))


def naive_forecast(close: pd.Series, horizon: int = 1) -> pd.Series:
    return close.copy().shift(horizon)


def predict(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> tuple[np.ndarray, np.ndarray]:
    mode = model.training
    model, loader = accelerator.prepare(model, loader)
    model.eval()
    y_true, y_pred = [], []
    with torch.no_grad():
        for X, y in loader:
            output = model(X)
            y_true += accelerator.gather_for_metrics(y.tolist(), use_gather_object=True)
            y_pred += accelerator.gather_for_metrics(output.tolist(), use_gather_object=True)
    model.train(mode)
    return np.array(y_true), np.array(y_pred)


def evaluate(
    model: nn.Module, loader: DataLoader, scaler: "Scaler", close: np.ndarray, accelerator: Accelerator
) -> dict[str, float]:
    y_true, y_pred = predict(model, loader, accelerator)
    return_true = scaler.inverse_target(y_true)
    return_pred = scaler.inverse_target(y_pred)
    price_true = close * np.exp(return_true)
    price_pred = close * np.exp(return_pred)
    result = {}
    result["mae"] = mae(price_true, price_pred)
    result["rmse"] = rmse(price_true, price_pred)
    result["mape"] = mape(price_true, price_pred)
    result["directional_accuracy"] = directional_accuracy(close, price_true, price_pred)
    result["naive_mae"] = mae(price_true, close)
    with np.errstate(divide="ignore", invalid="ignore"):
        result["skill"] = float(1 - np.divide(result["mae"], result["naive_mae"]))
    return result


def plot_forecast(dates: pd.DatetimeIndex, actual: np.ndarray, predicted: np.ndarray, currency: str = "USD") -> Figure:
    figure, _ = plt.subplot_mosaic([["prices"]], figsize=(10, 5))
    plt.plot(dates, actual, "k-", label="Actual")
    plt.plot(dates, predicted, "C1-", alpha=0.8, label="Predicted")
    plt.title("Actual and predicted prices")
    plt.xlabel("Date")
    plt.ylabel("Price (%s)" % currency)
    plt.xticks(rotation=30)
    plt.grid(True, alpha=0.3)
    plt.legend()
    plt.tight_layout()
    plt.close(figure)
    return figure
