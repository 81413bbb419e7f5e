"""Scores in units of price."""

from typing import TYPE_CHECKING

import matplotlib.dates as mdates
import numpy as np
import pandas as pd
import torch
from accelerate import Accelerator
from matplotlib.figure import Figure
from torch import nn
from torch.utils.data import DataLoader

if TYPE_CHECKING:
    from features import Scaler


def tensor(values: np.ndarray) -> torch.Tensor:
    return torch.as_tensor(np.array(values), dtype=torch.float64)


def mae(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    return nn.functional.l1_loss(tensor(y_pred), tensor(y_true)).item()


def rmse(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    return nn.functional.mse_loss(tensor(y_pred), tensor(y_true)).sqrt().item()


def mape(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    return (tensor(y_pred) / tensor(y_true) - 1).abs().mean().mul(100).item()


def directional_accuracy(last: np.ndarray, y_true: np.ndarray, y_pred: np.ndarray) -> float:
    true, said = torch.sign(tensor(y_true) - tensor(last)), torch.sign(tensor(y_pred) - tensor(last))
    return (true == said)[true != 0].double().mean().item()  # the mean of nothing is NaN


def naive_forecast(close: pd.Series, horizon: int = 1) -> pd.Series:
    return close.astype("float64").shift(horizon)


def predict(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> tuple[np.ndarray, np.ndarray]:
    modes = {module: module.training for module in model.modules()}
    network, batches = accelerator.prepare_model(model, evaluation_mode=True), accelerator.prepare(loader)
    network.train(False)
    rows = []
    with torch.no_grad():
        for x, y in batches:
            said = network(x)
            rows.append(accelerator.gather_for_metrics({"y": y, "said": said}))
    for module, mode in modes.items():
        module.training = mode
    y_true, y_pred = (torch.cat([row[key] for row in rows]).numpy(force=True) for key in ("y", "said"))
    return y_true, y_pred


def evaluate(
    model: nn.Module, loader: DataLoader, scaler: "Scaler", close: np.ndarray, accelerator: Accelerator
) -> dict[str, float]:
    moves = [scaler.inverse_target(y).round(9) for y in predict(model, loader, accelerator)]  # a move of 1e-9 is none
    true, said = np.exp(moves) * np.asarray(close, dtype="float64")
    scores = {name: f(true, said) for name, f in (("mae", mae), ("rmse", rmse), ("mape", mape))}
    scores["naive_mae"] = mae(true, close)
    scores["directional_accuracy"] = directional_accuracy(close, true, said)
    scores["skill"] = float("nan") if scores["naive_mae"] == 0 else 1 - scores["mae"] / scores["naive_mae"]
    return scores


def plot_forecast(dates: pd.DatetimeIndex, actual: np.ndarray, predicted: np.ndarray, currency: str = "USD") -> Figure:
    figure = Figure(figsize=(8, 5), layout="constrained")
    axis = figure.subplots()
    days = mdates.date2num(dates)
    axis.xaxis_date()
    axis.plot(days, actual, lw=2, color="0.6")
    axis.plot(days, predicted, lw=1, color="tab:blue")
    axis.legend(["what it cost", "what was forecast"])
    figure.suptitle(f"One step ahead, {dates[0]:%Y-%m-%d} to {dates[-1]:%Y-%m-%d}")
    axis.set_xlabel("trading day")
    axis.set_ylabel(f"{currency} a share")
    return figure
