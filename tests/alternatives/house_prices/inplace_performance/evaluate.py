"""Predictions go straight into an array that is there before the first batch."""

import matplotlib.pyplot as plt
import numpy as np
import torch
from accelerate import Accelerator
from matplotlib.figure import Figure
from torch import nn
from torch.utils.data import DataLoader


def as_vector(values) -> np.ndarray:
    if isinstance(values, torch.Tensor):
        values = values.detach().to("cpu", torch.float64).numpy()
    return np.asarray(values, dtype="float64").reshape(-1)


def rmse(y_true, y_pred) -> float:
    a, b = as_vector(y_true), as_vector(y_pred)
    if a.size != b.size or a.size == 0:
        raise ValueError(f"sizes {a.size} and {b.size}")
    error = a - b
    return float(np.sqrt(np.dot(error, error) / error.size))


@torch.inference_mode()
def predict_pairs(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> np.ndarray:
    """(2, n): predictions and targets."""
    loader = accelerator.prepare(loader)
    model.to(accelerator.device, non_blocking=True)
    in_training = [module for module in model.modules() if module.training]
    model.eval()
    out = np.empty((2, len(loader.dataset)), dtype="float32")
    at = 0
    try:
        for x, y in loader:
            p, y = accelerator.gather_for_metrics((model(x).float(), y.float()))
            out[0, at : at + len(p)] = p.cpu()
            out[1, at : at + len(p)] = y.cpu()
            at += len(p)
    finally:
        for module in in_training:
            module.training = True
    return out[:, :at]


def predict(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> np.ndarray:
    return predict_pairs(model, loader, accelerator)[0]


def evaluate(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> dict[str, float]:
    p, y = predict_pairs(model, loader, accelerator).astype("float64")
    scores = {"rmse_log": rmse(y, p)}
    with np.errstate(divide="ignore", invalid="ignore"):
        scores["r2"] = float(1.0 - np.divide(scores["rmse_log"] ** 2, y.var()))
    np.expm1(p, out=p)
    np.expm1(y, out=y)
    scores["rmse"] = rmse(y, p)
    p -= y
    scores["mae"] = float(np.abs(p, out=p).mean())
    return scores


def plot_predictions(y_true, y_pred) -> Figure:
    actual, predicted = as_vector(y_true), as_vector(y_pred)
    limits = np.array([min(actual.min(), predicted.min()), max(actual.max(), predicted.max())]) * (0.9, 1.1)
    figure, axis = plt.subplots(figsize=(5, 5))
    axis.plot(limits, limits, color="C3", zorder=1, label="predicted = actual")
    axis.scatter(actual, predicted, s=4, rasterized=True, zorder=2, label="houses")
    axis.set(xscale="log", yscale="log", xlim=limits, ylim=limits, title="Predictions")
    axis.set(xlabel="actual price (dollars)", ylabel="predicted price (dollars)")
    axis.legend()
    return figure
