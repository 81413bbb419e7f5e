"""Measures, without arrays that nobody needs."""

from typing import TYPE_CHECKING

import matplotlib.dates as mdates
import numpy as np
import pandas as pd
import torch
from accelerate import Accelerator
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from torch import nn
from torch.utils.data import DataLoader

if TYPE_CHECKING:
    from features import Scaler


def errors(y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
    return np.subtract(y_pred, y_true, dtype="float64")


def mae(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    e = errors(y_true, y_pred)
    return np.absolute(e, out=e).mean().item()


def rmse(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    e = errors(y_true, y_pred)
    return float(np.dot(e, e) / len(e)) ** 0.5


def mape(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    e = errors(y_true, y_pred)
    e /= y_true
    return 100 * np.absolute(e, out=e).mean().item()


def directional_accuracy(last: np.ndarray, y_true: np.ndarray, y_pred: np.ndarray) -> float:
    true, said = errors(last, y_true), errors(last, y_pred)
    np.sign(true, out=true)
    np.sign(said, out=said)
    days = np.count_nonzero(true)
    said *= true
    return np.count_nonzero(said > 0) / days if days else float("nan")


def naive_forecast(close: pd.Series, horizon: int = 1) -> pd.Series:
    return close.shift(horizon, fill_value=np.nan)


@torch.inference_mode()
def predict(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> tuple[np.ndarray, np.ndarray]:
    training = [module for module in model.modules() if module.training]
    network = accelerator.prepare_model(model, evaluation_mode=True).eval()
    batches = accelerator.prepare_data_loader(loader)
    both = np.empty((2, len(batches.dataset)), dtype="float32")
    n = 0
    for x, y in batches:
        part = accelerator.gather_for_metrics(torch.stack((y, network(x)), dim=1))  # (samples, 2)
        both[:, n : n + len(part)] = part.T.cpu()
        n += len(part)
    for module in training:
        module.training = True
    return both[0, :n], both[1, :n]


def evaluate(
    model: nn.Module, loader: DataLoader, scaler: "Scaler", close: np.ndarray, accelerator: Accelerator
) -> dict[str, float]:
    prices = np.stack([scaler.inverse_target(y) for y in predict(model, loader, accelerator)])
    np.exp(prices, out=prices)
    prices *= close
    scores = dict.fromkeys(("mae", "rmse", "mape", "directional_accuracy", "naive_mae", "skill"), float("nan"))
    scores["mae"], scores["naive_mae"] = mae(*prices), mae(prices[0], close)
    scores["rmse"], scores["mape"] = rmse(*prices), mape(*prices)
    scores["directional_accuracy"] = directional_accuracy(close, *prices)
    if scores["naive_mae"]:
        scores["skill"] = 1 - scores["mae"] / scores["naive_mae"]
    return scores


def plot_forecast(dates: pd.DatetimeIndex, actual: np.ndarray, predicted: np.ndarray, currency: str = "USD") -> Figure:
    figure = Figure(figsize=(8, 4), layout="constrained")
    axis = figure.add_subplot(title="Price and forecast", xlabel="Day", ylabel=f"Price, {currency}")
    days = mdates.date2num(dates.to_numpy())
    axis.add_line(Line2D(days, actual, color="C0", label="price"))
    axis.add_line(Line2D(days, predicted, color="C1", linestyle="-.", label="forecast"))
    axis.autoscale_view()
    axis.xaxis.axis_date()
    axis.legend(ncols=2)
    return figure
