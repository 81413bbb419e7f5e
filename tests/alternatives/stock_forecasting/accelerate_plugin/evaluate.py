"""Task 5: forecasts of all processes, and their errors."""

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
    return float(np.mean(np.abs(np.asarray(y_true, "float64") - np.asarray(y_pred, "float64"))))


def rmse(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    return float(np.sqrt(np.mean((np.asarray(y_true, "float64") - np.asarray(y_pred, "float64")) ** 2)))


def mape(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    y_true = np.asarray(y_true, "float64")
    return float(np.mean(np.abs(y_true - y_pred) / y_true) * 100.0)


def directional_accuracy(last: np.ndarray, y_true: np.ndarray, y_pred: np.ndarray) -> float:
    last, y_true, y_pred = np.broadcast_arrays(*(np.asarray(side, "float64") for side in (last, y_true, y_pred)))
    right = np.where(y_true > last, y_pred > last, y_pred < last)
    days = ~np.equal(y_true, last)
    return float(right[days].sum() / days.sum()) if days.sum() else float("nan")


def naive_forecast(close: pd.Series, horizon: int = 1) -> pd.Series:
    return close.iloc[: max(len(close) - horizon, 0)].set_axis(close.index[horizon:]).reindex(close.index)


def predict(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> tuple[np.ndarray, np.ndarray]:
    was_training = model.training
    loader = accelerator.prepare_data_loader(loader, device_placement=True)
    model.to(accelerator.device).eval()
    sides = [], []
    with torch.no_grad(), accelerator.autocast():
        for X, y in loader:
            size = accelerator.num_processes * len(y)
            if accelerator.gradient_state.end_of_dataloader and accelerator.gradient_state.remainder > 0:
                size = accelerator.gradient_state.remainder  # behind them samples are repeated
            for side, values in zip(sides, (y, model(X))):
                side.append(accelerator.gather(values.float().contiguous())[:size].cpu())
    model.train(was_training)
    y_true, y_pred = (torch.cat(side).numpy() for side in sides)
    return y_true, y_pred


def evaluate(
    model: nn.Module, loader: DataLoader, scaler: "Scaler", close: np.ndarray, accelerator: Accelerator
) -> dict[str, float]:
    close = np.asarray(close, "float64")
    actual, forecast = [close * np.exp(scaler.inverse_target(y)) for y in predict(model, loader, accelerator)]
    result = {"mae": mae(actual, forecast), "rmse": rmse(actual, forecast), "mape": mape(actual, forecast)}
    result["directional_accuracy"] = directional_accuracy(close, actual, forecast)
    result["naive_mae"] = mae(actual, close)
    result["skill"] = 1 - result["mae"] / result["naive_mae"] if result["naive_mae"] > 0 else float("nan")
    return result


def plot_forecast(dates: pd.DatetimeIndex, actual: np.ndarray, predicted: np.ndarray, currency: str = "USD") -> Figure:
    figure, axis = plt.subplots(figsize=(8, 4), layout="constrained")
    (first,) = axis.plot(dates, actual, color="tab:blue")
    (second,) = axis.plot(dates, predicted, color="tab:orange", linestyle="--")
    first.set_label("actual")
    second.set_label("predicted")
    axis.fill_between(dates, actual, predicted, color="0.9")  # how far off
    axis.legend()
    axis.set(title="What was forecast, and what came", xlabel="Day", ylabel=f"Price ({currency})")
    axis.tick_params(axis="x", rotation=30)
    return figure
