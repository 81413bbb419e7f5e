"""Task 5: measures in float64."""

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from accelerate import Accelerator
from helpers import delayed, doubles, exact_mean
from matplotlib.dates import AutoDateFormatter, AutoDateLocator
from matplotlib.figure import Figure
from torch import nn
from torch.utils.data import DataLoader

if TYPE_CHECKING:
    from features import Scaler


def mae(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    return exact_mean(np.abs(doubles(y_pred) - doubles(y_true)))


def rmse(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    return math.sqrt(exact_mean((doubles(y_pred) - doubles(y_true)) ** 2))


def mape(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    return 100.0 * exact_mean(np.abs(doubles(y_pred) / doubles(y_true) - 1.0))


def directional_accuracy(last: np.ndarray, y_true: np.ndarray, y_pred: np.ndarray) -> float:
    last, y_true, y_pred = doubles(last), doubles(y_true), doubles(y_pred)
    days = [day for day in zip(last.tolist(), y_true.tolist(), y_pred.tolist()) if day[1] != day[0]]
    hits = [(true > old) == (said > old) and said != old for old, true, said in days]
    return exact_mean(hits) if hits else math.nan


def naive_forecast(close: pd.Series, horizon: int = 1) -> pd.Series:
    return pd.Series(delayed(doubles(close), horizon), index=close.index, name="naive")


def predict(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> tuple[np.ndarray, np.ndarray]:
    modes = {part: part.training for part in model.modules()}
    ready, batches = accelerator.prepare(model, loader)
    true, said = [], []
    with torch.no_grad():
        ready.eval()
        for X, y in batches:
            truth, forecast = accelerator.gather_for_metrics([y, ready(X)])
            true += truth.tolist()
            said += forecast.tolist()
    for part, mode in modes.items():
        part.training = mode
    return doubles(true), doubles(said)


def evaluate(
    model: nn.Module, loader: DataLoader, scaler: "Scaler", close: np.ndarray, accelerator: Accelerator
) -> dict[str, float]:
    last = doubles(close)
    truth, forecast = predict(model, loader, accelerator)
    growth = np.exp(np.stack([doubles(scaler.inverse_target(truth)), doubles(scaler.inverse_target(forecast))]))
    actual, expected = last * growth
    error, naive = mae(actual, expected), mae(actual, last)
    return {
        "mae": error,
        "rmse": rmse(actual, expected),
        "mape": mape(actual, expected),
        "directional_accuracy": directional_accuracy(last, actual, expected),
        "naive_mae": naive,
        "skill": 1.0 - error / naive if naive > 0 else math.nan,
    }


def plot_forecast(dates: pd.DatetimeIndex, actual: np.ndarray, predicted: np.ndarray, currency: str = "USD") -> Figure:
    figure = Figure(figsize=(10, 4))
    axis = figure.add_axes((0.1, 0.15, 0.87, 0.75))
    stamps = pd.DatetimeIndex(dates).to_pydatetime()
    axis.plot(stamps, doubles(actual), color="0.2", label="Actual")
    axis.plot(stamps, doubles(predicted), color="C1", linestyle="-.", label="Predicted")
    locator = AutoDateLocator()
    axis.xaxis.set_major_locator(locator)
    axis.xaxis.set_major_formatter(AutoDateFormatter(locator))
    axis.set_title("Close: actual and predicted", loc="center")
    axis.set_xlabel("Date")
    axis.set_ylabel(f"Close / {currency}")
    axis.legend(loc="upper left", frameon=False)
    return figure
