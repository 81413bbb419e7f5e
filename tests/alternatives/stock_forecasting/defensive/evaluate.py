"""Task 5: measures that refuse arrays which do not belong together."""

import logging
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from accelerate import Accelerator
from matplotlib import pyplot as plt
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from torch import nn
from torch.utils.data import DataLoader

if TYPE_CHECKING:
    from features import Scaler

log = logging.getLogger(__name__)


def matching(**arrays: np.ndarray) -> list[np.ndarray]:
    """The arrays in float64.

    Raises:
        ValueError: they are not (n,), all with the same n.
    """
    converted = {name: np.asarray(array, dtype="float64") for name, array in arrays.items()}
    shapes = {name: array.shape for name, array in converted.items()}
    if len(set(shapes.values())) > 1 or any(len(shape) != 1 for shape in shapes.values()):
        raise ValueError(f"expected (n,) of each, found {shapes}.")
    return list(converted.values())


def mae(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    y_true, y_pred = matching(y_true=y_true, y_pred=y_pred)
    return float(np.linalg.norm(y_true - y_pred, ord=1) / y_true.size)


def rmse(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    y_true, y_pred = matching(y_true=y_true, y_pred=y_pred)
    error = y_true - y_pred
    return float(np.sqrt(error @ error / error.size))


def mape(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    y_true, y_pred = matching(y_true=y_true, y_pred=y_pred)
    if (y_true <= 0).any():
        raise ValueError(f"y_true: expected positive values, found {y_true.min()}.")
    return float((100 * np.abs(y_pred - y_true) / y_true).mean())


def directional_accuracy(last: np.ndarray, y_true: np.ndarray, y_pred: np.ndarray) -> float:
    last, y_true, y_pred = matching(last=last, y_true=y_true, y_pred=y_pred)
    rose, fell = np.greater(y_true, last), np.less(y_true, last)
    n = int(rose.sum() + fell.sum())
    if n == 0:
        log.info("no day has a direction")
        return float("nan")
    return float((rose & np.greater(y_pred, last)).sum() + (fell & np.less(y_pred, last)).sum()) / n


def naive_forecast(close: pd.Series, horizon: int = 1) -> pd.Series:
    if horizon < 1:
        raise ValueError(f"horizon: expected at least 1, found {horizon}.")
    known = close.astype("float64").to_numpy()[:-horizon]
    return pd.Series(np.concatenate([np.full(min(horizon, len(close)), np.nan), known]), index=close.index)


def predict(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> tuple[np.ndarray, np.ndarray]:
    was_training = {module: module.training for module in model.modules()}
    ready, batches = accelerator.prepare(model, loader)
    y_true: list[np.ndarray] = []
    y_pred: list[np.ndarray] = []
    try:
        ready.eval()
        with torch.no_grad():
            for inputs, targets in batches:
                outputs = ready(inputs)
                if outputs.shape != targets.shape:
                    raise ValueError(f"expected forecasts {tuple(targets.shape)}, found {tuple(outputs.shape)}.")
                y_true.append(accelerator.gather_for_metrics(targets).cpu().numpy())
                y_pred.append(accelerator.gather_for_metrics(outputs).cpu().numpy())
    finally:
        for module, mode in was_training.items():
            module.training = mode
    if not y_true:
        raise ValueError("the loader has no sample.")
    return np.hstack(y_true), np.hstack(y_pred)


def evaluate(
    model: nn.Module, loader: DataLoader, scaler: "Scaler", close: np.ndarray, accelerator: Accelerator
) -> dict[str, float]:
    scaled_true, scaled_pred = predict(model, loader, accelerator)
    true_return, forecast_return, last = matching(
        y_true=scaler.inverse_target(scaled_true), y_pred=scaler.inverse_target(scaled_pred), close=close
    )
    actual, forecast = last * np.exp(true_return), last * np.exp(forecast_return)
    measures = {name: measure(actual, forecast) for name, measure in (("mae", mae), ("rmse", rmse), ("mape", mape))}
    measures["directional_accuracy"] = directional_accuracy(last, actual, forecast)
    measures["naive_mae"] = mae(actual, last)
    if measures["naive_mae"] == 0:
        log.info("the price never moves, so there is no skill to speak of")
        measures["skill"] = float("nan")
    else:
        measures["skill"] = 1.0 - measures["mae"] / measures["naive_mae"]
    return measures


def plot_forecast(dates: pd.DatetimeIndex, actual: np.ndarray, predicted: np.ndarray, currency: str = "USD") -> Figure:
    actual, predicted = matching(actual=actual, predicted=predicted)
    days = pd.DatetimeIndex(dates)
    if len(days) != len(actual):
        raise ValueError(f"expected a date for each of {len(actual)} prices, found {len(days)}.")
    figure, axis = plt.subplots(figsize=(9, 4), constrained_layout=True)
    axis.plot(days.to_numpy(), actual, label="actual price", zorder=2)
    axis.plot(days.to_numpy(), predicted, label="predicted price", zorder=3, linewidth=0.9)
    locator = AutoDateLocator(minticks=3)
    axis.xaxis.set(major_locator=locator, major_formatter=ConciseDateFormatter(locator))
    axis.set_xlabel("day of the target")
    axis.set_ylabel("price in " + currency)
    figure.suptitle("Actual and predicted prices")
    axis.legend()
    return figure
