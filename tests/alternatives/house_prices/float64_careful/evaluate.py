"""Task 4: predictions and measures in float64."""

import matplotlib.pyplot as plt
import numpy as np
import torch
from accelerate import Accelerator
from helpers import float64, pair
from matplotlib.figure import Figure
from torch import nn
from torch.utils.data import DataLoader


def rmse(y_true: object, y_pred: object) -> float:
    a, b = pair(y_true, y_pred)
    return float(np.sqrt(np.mean((a - b) ** 2)))


def predict_pairs(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> tuple[np.ndarray, np.ndarray]:
    rows = accelerator.prepare(loader)
    model.to(accelerator.device)
    mode = model.training
    predicted, actual = [], []
    try:
        model.eval()
        with torch.no_grad():
            for x, y in rows:
                both = torch.stack([model(x).double(), y.double()], dim=1)  # (batch, 2)
                both = float64(accelerator.gather_for_metrics(both))
                predicted.append(both[:, 0])
                actual.append(both[:, 1])
    finally:
        model.train(mode)
    return np.concatenate(predicted), np.concatenate(actual)


def predict(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> np.ndarray:
    return predict_pairs(model, loader, accelerator)[0]


def evaluate(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> dict[str, float]:
    y_pred, y_true = predict_pairs(model, loader, accelerator)
    p_pred, p_true = np.expm1(y_pred), np.expm1(y_true)
    spread = float(np.sum((y_true - y_true.mean()) ** 2))
    unexplained = float(np.sum((y_true - y_pred) ** 2))
    return {
        "rmse_log": rmse(y_true, y_pred),
        "rmse": rmse(p_true, p_pred),
        "mae": float(np.mean(np.abs(p_true - p_pred))),
        "r2": 1.0 - unexplained / spread if spread > 0 else 0.0,
        "n": float(len(y_true)),
    }


def plot_predictions(y_true: object, y_pred: object) -> Figure:
    a, b = pair(y_true, y_pred)
    figure = plt.figure(figsize=(6, 6), layout="constrained")
    axis = figure.add_subplot(title="Actual and predicted prices", xlabel="actual [$]", ylabel="predicted [$]")
    axis.scatter(a, b, s=12, alpha=0.5, edgecolors="none", label="houses")
    axis.set(xscale="log", yscale="log")
    low, high = np.concatenate([a, b]).min(), np.concatenate([a, b]).max()
    axis.axline((low, low), (max(high, low * 1.01), max(high, low * 1.01)), color="black", label="predicted = actual")
    axis.legend()
    return figure
