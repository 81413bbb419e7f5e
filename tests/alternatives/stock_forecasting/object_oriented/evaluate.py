"""scikit-learn's measures over a table of forecasts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
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
    return float(mean_absolute_error(y_true, y_pred))


def rmse(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    return float(root_mean_squared_error(y_true, y_pred))


def mape(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    return 100 * float(mean_absolute_percentage_error(y_true, y_pred))


def directional_accuracy(last: np.ndarray, y_true: np.ndarray, y_pred: np.ndarray) -> float:
    table = pd.DataFrame({"last": np.asarray(last), "true": np.asarray(y_true), "forecast": np.asarray(y_pred)})
    moves = np.sign(table[["true", "forecast"]].sub(table["last"], axis=0)).query("true != 0")
    return float("nan") if moves.empty else float(accuracy_score(moves["true"], moves["forecast"]))


def naive_forecast(close: pd.Series, horizon: int = 1) -> pd.Series:
    return close.astype("float64").shift(periods=horizon).rename("naive")


@contextmanager
def answering(model: nn.Module) -> Iterator[nn.Module]:
    """The model in eval mode, without gradients; then as it was."""
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        with torch.no_grad():
            yield model
    finally:
        for module, mode in modes.items():
            module.training = mode


def predict(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> tuple[np.ndarray, np.ndarray]:
    bare = accelerator.unwrap_model(model).to(accelerator.device)
    batches = []
    with answering(bare):
        for x, y in accelerator.prepare(loader):
            both = torch.stack([y.float(), bare(x).float()], dim=1)  # (batch, 2)
            batches.append(accelerator.gather_for_metrics(both).cpu())
    table = torch.cat(batches).numpy()
    return table[:, 0], table[:, 1]


def evaluate(
    model: nn.Module, loader: DataLoader, scaler: Scaler, close: np.ndarray, accelerator: Accelerator
) -> dict[str, float]:
    y_true, y_pred = predict(model, loader, accelerator)
    table = pd.DataFrame({"last": np.asarray(close, dtype="float64")})
    table["true"] = table["last"] * np.exp(scaler.inverse_target(y_true))
    table["forecast"] = table["last"] * np.exp(scaler.inverse_target(y_pred))
    last, true, forecast = (table[name].to_numpy() for name in ("last", "true", "forecast"))
    result = {"mae": mae(true, forecast), "rmse": rmse(true, forecast), "mape": mape(true, forecast)}
    result["directional_accuracy"] = directional_accuracy(last, true, forecast)
    result["naive_mae"] = mae(true, last)
    result["skill"] = 1 - result["mae"] / result["naive_mae"] if result["naive_mae"] else float("nan")
    return result


def plot_forecast(dates: pd.DatetimeIndex, actual: np.ndarray, predicted: np.ndarray, currency: str = "USD") -> Figure:
    figure, axis = plt.subplots(figsize=(10, 4), constrained_layout=True)
    for values, label, style in ((actual, "Actual price", "-"), (predicted, "Predicted price", "--")):
        axis.plot(pd.DatetimeIndex(dates), values, style, label=label, linewidth=1)
    axis.xaxis.set_major_formatter(mdates.ConciseDateFormatter(axis.xaxis.get_major_locator()))
    axis.set(title="Actual and predicted close", xlabel="Trading day", ylabel=f"Close [{currency}]")
    axis.grid(alpha=0.3)
    axis.legend(loc="best")
    return figure
