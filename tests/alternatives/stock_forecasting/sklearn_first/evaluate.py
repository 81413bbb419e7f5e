"""Task 5: scikit-learn's metrics on prices."""

from typing import TYPE_CHECKING

import matplotlib.dates as mdates
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from accelerate import Accelerator
from matplotlib.figure import Figure
from sklearn.metrics import (
    accuracy_score,
    mean_absolute_error,
    mean_absolute_percentage_error,
    root_mean_squared_error,
)
from torch import nn
from torch.utils.data import DataLoader

if TYPE_CHECKING:
    from features import Scaler


def mae(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    return float(mean_absolute_error(np.float64(y_true), np.float64(y_pred)))


def rmse(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    return float(root_mean_squared_error(np.float64(y_true), np.float64(y_pred)))


def mape(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    return float(100 * mean_absolute_percentage_error(np.float64(y_true), np.float64(y_pred)))


def directional_accuracy(last: np.ndarray, y_true: np.ndarray, y_pred: np.ndarray) -> float:
    truth, forecast = (np.sign(np.float64(side) - np.float64(last)).astype(int) for side in (y_true, y_pred))
    (moved,) = np.nonzero(truth)
    return float(accuracy_score(truth[moved], forecast[moved])) if len(moved) else np.nan


def naive_forecast(close: pd.Series, horizon: int = 1) -> pd.Series:
    return close.astype("float64").shift(periods=horizon)


def predict(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> tuple[np.ndarray, np.ndarray]:
    mode = model.training
    network, batches = accelerator.prepare(model, loader)
    answers = []
    try:
        network.eval()
        for X, y in batches:
            with torch.no_grad():
                pair = torch.stack([y, network(X)], dim=-1)  # (batch, 2)
            answers.append(accelerator.gather_for_metrics(pair).cpu())
    finally:
        network.train(mode)
    y_true, y_pred = torch.vstack(answers).numpy().T
    return y_true, y_pred


def evaluate(
    model: nn.Module, loader: DataLoader, scaler: "Scaler", close: np.ndarray, accelerator: Accelerator
) -> dict[str, float]:
    last = np.float64(close)
    truth, forecast = map(lambda scaled: last * np.exp(scaler.inverse_target(scaled)), predict(model, loader, accelerator))
    scores = {measure.__name__: measure(truth, forecast) for measure in (mae, rmse, mape)}
    scores["directional_accuracy"] = directional_accuracy(last, truth, forecast)
    scores["naive_mae"] = mae(truth, last)
    with np.errstate(divide="ignore", invalid="ignore"):
        scores["skill"] = float(1 - np.divide(scores["mae"], scores["naive_mae"]))
    return scores


def plot_forecast(dates: pd.DatetimeIndex, actual: np.ndarray, predicted: np.ndarray, currency: str = "USD") -> Figure:
    figure, axis = plt.subplots(1, 1, figsize=(7, 4), constrained_layout=True)
    for name, prices in {"actual price": actual, "forecast price": predicted}.items():
        axis.plot(mdates.date2num(dates), prices, label=name)
    axis.xaxis_date()
    axis.xaxis.set_major_locator(mdates.AutoDateLocator())
    figure.suptitle("Actual and forecast")
    plt.setp(axis, xlabel="Date", ylabel=f"Price, {currency}")
    axis.legend(title="Close")
    return figure
