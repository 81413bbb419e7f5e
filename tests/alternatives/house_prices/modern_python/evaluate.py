from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from accelerate import Accelerator
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.utils.data import DataLoader


def vector(values: Any) -> np.ndarray:
    match values:
        case Tensor():
            values = values.detach().to("cpu", torch.float64).numpy()
        case _:
            values = np.asarray(values, dtype=np.float64)
    return values


def errors(y_true: Any, y_pred: Any) -> np.ndarray:
    match (a := vector(y_true)).shape, (b := vector(y_pred)).shape:
        case (n,), (m,) if n == m > 0:
            return b - a
        case shapes:
            raise ValueError(f"need two vectors of the same length, got {shapes[0]} and {shapes[1]}")


def rmse(y_true: object, y_pred: object) -> float:
    return float(np.linalg.norm(e := errors(y_true, y_pred)) / len(e) ** 0.5)


class Pairs(NamedTuple):
    predicted: np.ndarray
    actual: np.ndarray


def predict_pairs(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> Pairs:
    loader = accelerator.prepare_data_loader(loader)
    modes = {module: module.training for module in model.modules()}
    model.to(accelerator.device).eval()
    predicted: list[Tensor] = []
    actual: list[Tensor] = []
    with torch.inference_mode():
        for x, y in loader:
            predicted.append(accelerator.gather(model(x).float().contiguous()))
            actual.append(accelerator.gather(y.float().contiguous()))
    for module, mode in modes.items():
        module.training = mode
    n = len(loader.dataset)  # what is gathered beyond are repeats, which fill up the last batches
    return Pairs(*(torch.cat(parts)[:n].cpu().numpy() for parts in (predicted, actual)))


def predict(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> np.ndarray:
    return predict_pairs(model, loader, accelerator).predicted


def evaluate(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> dict[str, float]:
    pairs = predict_pairs(model, loader, accelerator)
    y, y_hat = (part.astype(np.float64) for part in (pairs.actual, pairs.predicted))
    residual = errors(y, y_hat)
    dollars = errors(np.expm1(y), np.expm1(y_hat))
    return {
        "rmse_log": float(np.sqrt(np.mean(residual**2))),
        "rmse": float(np.sqrt(np.mean(dollars**2))),
        "mae": float(np.mean(np.abs(dollars))),
        "r2": float(1 - residual @ residual / total) if (total := np.sum((y - y.mean()) ** 2)) else float("nan"),
    }


def plot_predictions(y_true: object, y_pred: object) -> Figure:
    actual, predicted = vector(y_true).ravel(), vector(y_pred).ravel()
    figure = Figure(figsize=(6, 6), layout="constrained")
    axis = figure.add_subplot(xscale="log", yscale="log", title="Predictions")
    axis.set(xlabel="actual price [dollars]", ylabel="predicted price [dollars]")
    axis.scatter(actual, predicted, marker="+", alpha=0.7, label="house")
    axis.axline((1e5, 1e5), (2e5, 2e5), color="black", linestyle=":", label="predicted = actual")
    limits = min(actual.min(), predicted.min()) * 0.8, max(actual.max(), predicted.max()) * 1.25
    axis.set(xlim=limits, ylim=limits)
    axis.legend()
    return figure
