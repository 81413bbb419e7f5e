"""Task 5 · How far off, and against what?

An error says little by itself. The naive forecast, "tomorrow costs what today costs", is hard to beat, and so it is the
measure of every other one.
"""

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

if TYPE_CHECKING:  # so that these functions work without the other tasks' files
    from features import Scaler


def mae(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    """Mean absolute error of (n,) forecasts, in the unit of y."""
    ### BEGIN SOLUTION
    return float(np.mean(np.abs(np.asarray(y_true) - np.asarray(y_pred))))
    ### END SOLUTION


def rmse(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    """Root of the mean squared error of (n,) forecasts, in the unit of y."""
    ### BEGIN SOLUTION
    return float(np.sqrt(np.mean((np.asarray(y_true) - np.asarray(y_pred)) ** 2)))
    ### END SOLUTION


def mape(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    """Mean absolute error of (n,) forecasts in percent of the true values, which are positive."""
    ### BEGIN SOLUTION
    return float(100 * np.mean(np.abs(np.asarray(y_true) - np.asarray(y_pred)) / np.asarray(y_true)))
    ### END SOLUTION


def directional_accuracy(last: np.ndarray, y_true: np.ndarray, y_pred: np.ndarray) -> float:
    """The part of the forecasts that rise or fall from the last known price as the true price does.

    A day on which the true price is the last known one has no direction and is left out; a forecast of no change is wrong
    on all other days.

    Args:
        last, y_true, y_pred: (n,) prices.

    Returns:
        From 0 to 1; NaN if no day has a direction.
    """
    ### BEGIN SOLUTION
    moved = np.sign(np.asarray(y_true) - np.asarray(last))  # (n,)
    forecast = np.sign(np.asarray(y_pred) - np.asarray(last))  # (n,)
    return float(np.mean((forecast == moved)[moved != 0])) if moved.any() else float("nan")
    ### END SOLUTION


def naive_forecast(close: pd.Series, horizon: int = 1) -> pd.Series:
    """For each day the close `horizon` days before it, in rows of `close`; NaN on the first days."""
    ### BEGIN SOLUTION
    return close.shift(horizon)
    ### END SOLUTION


def predict(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> tuple[np.ndarray, np.ndarray]:
    """What is true and what the model says, for each sample of the loader once, in the loader's order.

    Args:
        model: maps (batch, time, n_features) to (batch,); it answers in eval mode, without gradients, and is left in the mode
            in which it came.
        loader: pairs (batch, time, n_features), (batch,), not shuffled; neither it nor the model need be prepared.
        accelerator: prepares what has to be prepared.

    Returns:
        (y_true, y_pred), (n,) each, on every process; in the scaled units of the loader.
    """
    ### BEGIN SOLUTION
    training = model.training
    prepared, loader = accelerator.prepare(model, loader)
    prepared.eval()
    pairs = []
    with torch.no_grad():
        for x, y in loader:  # (batch, time, n_features), (batch,)
            pairs.append(accelerator.gather_for_metrics((y, prepared(x))))
    model.train(training)
    y_true, y_pred = (torch.cat(parts).float().cpu().numpy() for parts in zip(*pairs, strict=True))
    return y_true, y_pred
    ### END SOLUTION


def evaluate(
    model: nn.Module, loader: DataLoader, scaler: "Scaler", close: np.ndarray, accelerator: Accelerator
) -> dict[str, float]:
    """Measure forecasts of prices.

    A log return r over the horizon makes of the last known price p the price p · exp(r).

    Args:
        model, loader, accelerator: as for `predict`; the loader's targets are scaled log returns.
        scaler: takes them back to log returns, see `Scaler.inverse_target`.
        close: (n,) for each sample the last known price, the close of its window's last day.

    Returns:
        `mae`, `rmse` (in units of price), `mape` (percent), `directional_accuracy`; `naive_mae`: MAE of the forecast that the
        price stays as it is; and `skill`: 1 − mae / naive_mae, which is 0 for the naive forecast and 1 for a perfect one.
    """
    ### BEGIN SOLUTION
    y_true, y_pred = (np.asarray(close) * np.exp(scaler.inverse_target(y)) for y in predict(model, loader, accelerator))
    own, naive = mae(y_true, y_pred), mae(y_true, close)
    return {
        "mae": own,
        "rmse": rmse(y_true, y_pred),
        "mape": mape(y_true, y_pred),
        "directional_accuracy": directional_accuracy(close, y_true, y_pred),
        "naive_mae": naive,
        "skill": 1 - own / naive,
    }
    ### END SOLUTION


def plot_forecast(dates: pd.DatetimeIndex, actual: np.ndarray, predicted: np.ndarray, currency: str = "USD") -> Figure:
    """Draw what came and what was forecast over time.

    Args:
        dates: (n,) the days that the prices are of.
        actual, predicted: (n,) prices.
        currency: their unit.

    Returns:
        A figure of one axis: two lines over an axis of dates, the actual prices first, told apart by a legend; a title, and
        labels of both axes, y's with the unit.
    """
    ### BEGIN SOLUTION
    figure, axis = plt.subplots(figsize=(9, 4), layout="constrained")
    axis.plot(dates, actual, label="actual", linewidth=1.2)
    axis.plot(dates, predicted, label="forecast", linewidth=1.0)
    axis.xaxis.set_major_formatter(mdates.ConciseDateFormatter(axis.xaxis.get_major_locator()))
    axis.set(title="Closing price, actual and forecast", xlabel="date", ylabel=f"closing price [{currency}]")
    axis.legend()
    return figure
    ### END SOLUTION
