"""Task 5: errors in units of price."""

from typing import TYPE_CHECKING

import matplotlib.dates as mdates
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


def difference(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.subtract(a, b, dtype="float64")


def mae(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    return np.abs(difference(y_true, y_pred)).mean().item()


def rmse(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    return np.sqrt(np.square(difference(y_true, y_pred)).mean()).item()


def mape(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    return 100 * np.abs(difference(y_true, y_pred) / np.asarray(y_true)).mean().item()


def directional_accuracy(last: np.ndarray, y_true: np.ndarray, y_pred: np.ndarray) -> float:
    true, said = difference(y_true, last), difference(y_pred, last)
    moved = true != 0
    return np.mean(true[moved] * said[moved] > 0).item() if moved.any() else float("nan")


def naive_forecast(close: pd.Series, horizon: int = 1) -> pd.Series:
    out = np.full(len(close), np.nan)
    out[horizon:] = close.to_numpy()[: max(len(close) - horizon, 0)]
    return pd.Series(out, index=close.index)


def predict(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> tuple[np.ndarray, np.ndarray]:
    mode = model.training
    batches = accelerator.prepare_data_loader(loader)
    ready = accelerator.prepare_model(model, evaluation_mode=True)
    ready.eval()
    true, said = [], []
    with torch.inference_mode():
        for windows, targets in batches:
            answers, targets = accelerator.gather_for_metrics((ready(windows), targets))
            said.append(answers.cpu().numpy())
            true.append(targets.cpu().numpy())
    ready.train(mode)
    model.train(mode)
    return np.concatenate(true), np.concatenate(said)


def evaluate(
    model: nn.Module, loader: DataLoader, scaler: "Scaler", close: np.ndarray, accelerator: Accelerator
) -> dict[str, float]:
    last = np.asarray(close, dtype="float64")
    actual, forecast = (last * np.exp(scaler.inverse_target(side)) for side in predict(model, loader, accelerator))
    naive = mae(actual, last)
    error = mae(actual, forecast)
    return dict(
        mae=error,
        rmse=rmse(actual, forecast),
        mape=mape(actual, forecast),
        directional_accuracy=directional_accuracy(last, actual, forecast),
        naive_mae=naive,
        skill=(naive - error) / naive if naive else float("nan"),
    )


def plot_forecast(dates: pd.DatetimeIndex, actual: np.ndarray, predicted: np.ndarray, currency: str = "USD") -> Figure:
    days = np.asarray(dates, dtype="datetime64[D]")
    figure, axis = plt.subplots(figsize=(9, 4.5))
    axis.plot(days, actual, color="black", linewidth=1, label="actual close")
    axis.plot(days, predicted, color="tab:red", linewidth=1, label="forecast close")
    axis.xaxis.set_major_formatter(mdates.ConciseDateFormatter(axis.xaxis.get_major_locator()))
    axis.set_xlabel("trading day")
    axis.set_ylabel(f"close [{currency}]")
    axis.set_title("Forecast of the close")
    axis.legend(loc="best")
    axis.grid(alpha=0.3)
    return figure
