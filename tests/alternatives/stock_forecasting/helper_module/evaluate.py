"""Task 5: measures."""

from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from accelerate import Accelerator
from helpers import answers
from matplotlib.figure import Figure
from sklearn import metrics
from torch import nn
from torch.utils.data import DataLoader

if TYPE_CHECKING:
    from features import Scaler


def mae(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    return float(metrics.mean_absolute_error(y_true, y_pred))


def rmse(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    return float(metrics.root_mean_squared_error(y_true, y_pred))


def mape(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    return 100.0 * float(metrics.mean_absolute_percentage_error(y_true, y_pred))


def directional_accuracy(last: np.ndarray, y_true: np.ndarray, y_pred: np.ndarray) -> float:
    true, said = np.sign(np.subtract(y_true, last)), np.sign(np.subtract(y_pred, last))
    moved = np.flatnonzero(true)
    return float(metrics.accuracy_score(true[moved], said[moved])) if moved.size else float("nan")


def naive_forecast(close: pd.Series, horizon: int = 1) -> pd.Series:
    said = np.full(len(close), np.nan)
    said[horizon:] = close.to_numpy()[: max(len(close) - horizon, 0)]
    return pd.Series(said, close.index)


def predict(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> tuple[np.ndarray, np.ndarray]:
    mode = model.training
    network, loader = accelerator.prepare(model, loader)
    with torch.inference_mode():
        y_true, y_pred = answers(network.eval(), loader, accelerator)
    model.train(mode)
    return y_true, y_pred


def evaluate(
    model: nn.Module, loader: DataLoader, scaler: "Scaler", close: np.ndarray, accelerator: Accelerator
) -> dict[str, float]:
    y_true, y_pred = predict(model, loader, accelerator)
    price, forecast = (close * np.exp(scaler.inverse_target(y)) for y in (y_true, y_pred))
    result = dict(mae=mae(price, forecast), rmse=rmse(price, forecast), mape=mape(price, forecast))
    result.update(directional_accuracy=directional_accuracy(close, price, forecast), naive_mae=mae(price, close))
    result["skill"] = float(1 - np.float64(result["mae"]) / result["naive_mae"]) if result["naive_mae"] else 0.0
    return result


def plot_forecast(dates: pd.DatetimeIndex, actual: np.ndarray, predicted: np.ndarray, currency: str = "USD") -> Figure:
    table = pd.DataFrame({"actual": actual, "predicted": predicted}, index=dates)
    figure, axis = plt.subplots(layout="constrained")
    lines = axis.plot(table.index, table.to_numpy())
    axis.legend(lines, [f"{name} close" for name in table])
    axis.set(title="The forecast beside what came", xlabel="Trading day", ylabel=f"Close ({currency})")
    return figure
