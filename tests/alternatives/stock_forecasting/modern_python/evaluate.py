"""How good a forecast is, and how good one is that knows nothing."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure

if TYPE_CHECKING:
    import pandas as pd
    from accelerate import Accelerator
    from features import Scaler
    from torch import nn
    from torch.utils.data import DataLoader


def mae(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    return np.linalg.norm(error := np.subtract(y_true, y_pred, dtype="float64"), 1).item() / error.size


def rmse(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    return np.linalg.norm(error := np.subtract(y_true, y_pred, dtype="float64")).item() / math.sqrt(error.size)


def mape(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    return np.abs(np.subtract(y_true, y_pred) / y_true).mean().item() * 100


def directional_accuracy(last: np.ndarray, y_true: np.ndarray, y_pred: np.ndarray) -> float:
    rises, falls = y_true > last, y_true < last
    match np.count_nonzero(rises | falls):
        case 0:
            return math.nan
        case n:
            return np.count_nonzero((rises & (y_pred > last)) | (falls & (y_pred < last))) / n


def naive_forecast(close: pd.Series, horizon: int = 1) -> pd.Series:
    return close.shift(periods=horizon).rename("naive")


@torch.inference_mode()
def predict(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> tuple[np.ndarray, np.ndarray]:
    was_training, true, said = model.training, [], []
    network, batches = accelerator.prepare_model(model, evaluation_mode=True), accelerator.prepare_data_loader(loader)
    try:
        network.eval()
        for x, y in batches:
            true += [accelerator.gather_for_metrics(y).cpu()]
            said += [accelerator.gather_for_metrics(network(x)).cpu()]
    finally:
        model.train(was_training)
    return torch.cat(true).numpy(), torch.cat(said).numpy()


@dataclass(slots=True)
class Scores:
    mae: float
    rmse: float
    mape: float
    directional_accuracy: float
    naive_mae: float
    skill: float = field(init=False)

    def __post_init__(self) -> None:
        match self.naive_mae:
            case 0:
                self.skill = math.nan
            case naive:
                self.skill = (naive - self.mae) / naive


def evaluate(
    model: nn.Module, loader: DataLoader, scaler: Scaler, close: np.ndarray, accelerator: Accelerator
) -> dict[str, float]:
    y_true, y_pred = predict(model, loader, accelerator)
    true, forecast = close * np.exp(scaler.inverse_target(y_true)), close * np.exp(scaler.inverse_target(y_pred))
    scores = Scores(
        mae=mae(true, forecast),
        rmse=rmse(true, forecast),
        mape=mape(true, forecast),
        directional_accuracy=directional_accuracy(close, true, forecast),
        naive_mae=mae(true, close),
    )
    return asdict(scores)


def plot_forecast(dates: pd.DatetimeIndex, actual: np.ndarray, predicted: np.ndarray, currency: str = "USD") -> Figure:
    axis = (figure := Figure(figsize=(10, 4), layout="tight")).add_subplot()
    axis.plot(dates, actual, color="black", linewidth=1.2, label=f"Actual price ({currency})")
    axis.plot(dates, predicted, color="tab:red", linewidth=1, label=f"Predicted price ({currency})")
    axis.xaxis.set_major_formatter(ConciseDateFormatter(locator := AutoDateLocator()))
    axis.xaxis.set_major_locator(locator)
    axis.set(xlabel="Date", ylabel=f"Price / {currency}", title=f"{len(dates)} days, forecast and fact")
    axis.legend(frameon=False)
    return figure
