"""Task 5: losses of torch as measures of prices."""

from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from accelerate import Accelerator
from matplotlib.figure import Figure
from torch import nn
from torch.utils.data import DataLoader

if TYPE_CHECKING:
    from features import Scaler


def tensors(*arrays: np.ndarray) -> list[torch.Tensor]:
    return [torch.from_numpy(np.array(array, dtype="float64", order="C")) for array in arrays]


def mae(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    return F.l1_loss(*tensors(y_pred, y_true)).item()


def rmse(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    return F.mse_loss(*tensors(y_pred, y_true)).sqrt().item()


def mape(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    true, pred = tensors(y_true, y_pred)
    return F.l1_loss(pred / true, torch.ones_like(true)).mul(100).item()


def directional_accuracy(last: np.ndarray, y_true: np.ndarray, y_pred: np.ndarray) -> float:
    last, true, pred = tensors(last, y_true, y_pred)
    up = torch.sign(true - last)
    hit = torch.sign(pred - last).eq(up)
    return hit[up.ne(0)].double().mean().item()  # the mean of nothing is NaN


def naive_forecast(close: pd.Series, horizon: int = 1) -> pd.Series:
    (x,) = tensors(close)
    return pd.Series(F.pad(x, (horizon, 0), value=torch.nan)[: len(x)].numpy(), close.index)


def predict(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> tuple[np.ndarray, np.ndarray]:
    training = {name: module.training for name, module in model.named_modules()}
    net, loader = accelerator.prepare(model, loader)
    collected = []
    with torch.inference_mode():
        for X, y in loader:
            net.eval()
            collected.append(accelerator.gather_for_metrics({"true": y, "said": net(X)}))
    for name, module in model.named_modules():
        module.training = training[name]
    true, said = (torch.cat([batch[key] for batch in collected]).cpu().numpy() for key in ("true", "said"))
    return true, said


def evaluate(
    model: nn.Module, loader: DataLoader, scaler: "Scaler", close: np.ndarray, accelerator: Accelerator
) -> dict[str, float]:
    returns = [scaler.inverse_target(side) for side in predict(model, loader, accelerator)]
    last, *returns = tensors(close, *returns)
    true, said = ((last * side.exp()).numpy() for side in returns)
    last = last.numpy()
    names = ("mae", "rmse", "mape", "directional_accuracy", "naive_mae")
    values = mae(true, said), rmse(true, said), mape(true, said), directional_accuracy(last, true, said), mae(true, last)
    scores = dict(zip(names, values))
    ratio = torch.tensor(scores["mae"], dtype=torch.float64) / scores["naive_mae"]
    return {**scores, "skill": (1 - ratio).item()}


def plot_forecast(dates: pd.DatetimeIndex, actual: np.ndarray, predicted: np.ndarray, currency: str = "USD") -> Figure:
    figure, axis = plt.subplots(figsize=(8, 3.5))
    both = np.stack([actual, predicted], axis=1)
    axis.plot(dates.values, both, label=["close", "its forecast"])
    axis.set_title(f"Forecast of {len(dates)} days")
    axis.set_xlabel("time")
    axis.set_ylabel(f"price in {currency}")
    axis.legend(loc="upper center", ncols=2)
    figure.tight_layout()
    return figure
