"""Task 4: predictions and measures."""

import logging

import matplotlib.pyplot as plt
import numpy as np
import torch
from accelerate import Accelerator
from matplotlib.figure import Figure
from torch import nn
from torch.utils.data import DataLoader
from tqdm.auto import tqdm

log = logging.getLogger(__name__)


def as_vector(values: object, name: str = "values") -> np.ndarray:
    if isinstance(values, torch.Tensor):
        values = values.detach().to("cpu", torch.float64).numpy()
    array = np.asarray(values, dtype="float64")
    if array.ndim == 2 and 1 in array.shape:
        array = array.ravel()
    if array.ndim != 1:
        raise ValueError(f"{name} must be a list of numbers, and its shape is {array.shape}")
    if array.size == 0:
        raise ValueError(f"{name} is empty")
    if np.isnan(array).any():
        log.warning("%s holds NaN", name)
    return array


def _pair(y_true: object, y_pred: object) -> tuple[np.ndarray, np.ndarray]:
    y_true, y_pred = as_vector(y_true, "y_true"), as_vector(y_pred, "y_pred")
    if y_true.shape != y_pred.shape:
        raise ValueError(f"y_true has {y_true.size} numbers, y_pred has {y_pred.size}")
    return y_true, y_pred


def rmse(y_true: object, y_pred: object) -> float:
    y_true, y_pred = _pair(y_true, y_pred)
    return float(np.sqrt(np.average(np.power(np.subtract(y_pred, y_true), 2))))


def predict_pairs(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> tuple[np.ndarray, np.ndarray]:
    model.to(accelerator.device)
    batches = accelerator.prepare(loader)
    modes = {name: module.training for name, module in model.named_modules()}
    outputs, targets = [], []
    try:
        model.eval()
        for x, y in tqdm(batches, desc="predicting", leave=False, disable=None if accelerator.is_main_process else True):
            with torch.no_grad():
                output = model(x)
            if output.shape != y.shape:
                raise ValueError(f"the model gave {tuple(output.shape)} for targets {tuple(y.shape)}")
            outputs.append(accelerator.gather_for_metrics(output).float().cpu())
            targets.append(accelerator.gather_for_metrics(y).float().cpu())
    finally:
        for name, module in model.named_modules():
            module.training = modes[name]
    if not outputs:
        raise ValueError("the loader has no rows")
    return torch.cat(outputs).numpy(), torch.cat(targets).numpy()


def predict(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> np.ndarray:
    return predict_pairs(model, loader, accelerator)[0]


def evaluate(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> dict[str, float]:
    y_pred, y_true = predict_pairs(model, loader, accelerator)
    y_true, y_pred = _pair(y_true, y_pred)
    true_price, predicted_price = np.expm1(y_true), np.expm1(y_pred)
    total = np.sum((y_true - np.mean(y_true)) ** 2)
    if total == 0:
        log.warning("all log prices are the same: R2 is not defined")
    return {
        "rmse_log": rmse(y_true, y_pred),
        "rmse": rmse(true_price, predicted_price),
        "mae": float(np.average(np.abs(predicted_price - true_price))),
        "r2": float(1 - np.sum((y_pred - y_true) ** 2) / total) if total else float("nan"),
    }


def plot_predictions(y_true: object, y_pred: object) -> Figure:
    y_true, y_pred = _pair(y_true, y_pred)
    figure, axis = plt.subplots(figsize=(6, 6))
    axis.scatter(y_true, y_pred, s=10, alpha=0.5, color="teal", label="houses")
    low, high = min(y_true.min(), y_pred.min()), max(y_true.max(), y_pred.max())
    if low > 0:
        axis.set_xscale("log")
        axis.set_yscale("log")
    else:
        log.warning("a price is not positive: linear axes instead of logarithmic ones")
    axis.plot([low, high], [low, high], color="black", linestyle="--", label="predicted = actual")
    axis.set(title="Predicted and actual prices", xlabel="actual price ($)", ylabel="predicted price ($)")
    axis.legend()
    figure.tight_layout()
    return figure
