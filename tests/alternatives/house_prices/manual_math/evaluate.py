"""Task 4, with the measures written out."""

import math

import matplotlib.pyplot as plt
import numpy as np
import torch
from accelerate.data_loader import DataLoaderStateMixin


def listed(values):
    """A list of floats."""
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu().double().numpy()
    return [float(v) for v in np.asarray(values, dtype="float64").flatten()]


def rmse(y_true, y_pred):
    a, b = listed(y_true), listed(y_pred)
    if len(a) != len(b) or len(a) == 0:
        raise ValueError(f"expected as many predictions as values and at least one, found {len(b)} and {len(a)}")
    return math.sqrt(sum((q - p) ** 2 for p, q in zip(a, b)) / len(a))


def predict_pairs(model, loader, accelerator):
    """A loader that is not prepared yields all rows on every process, so there is nothing to gather."""
    shared = isinstance(loader, DataLoaderStateMixin)
    modes = {name: module.training for name, module in model.named_modules()}
    model.to(accelerator.device)
    model.eval()
    predicted, actual = [], []
    with torch.no_grad():
        for x, y in loader:
            x, y = x.to(accelerator.device), y.to(accelerator.device)
            p = model(x).float()
            if shared:
                p, y = accelerator.gather_for_metrics((p, y))
            predicted.extend(p.tolist())
            actual.extend(y.tolist())
    for name, module in model.named_modules():
        module.training = modes[name]
    return np.array(predicted), np.array(actual)


def predict(model, loader, accelerator):
    return predict_pairs(model, loader, accelerator)[0]


def evaluate(model, loader, accelerator):
    y_hat, y = predict_pairs(model, loader, accelerator)
    n = len(y)
    e = y_hat - y
    d = (np.exp(y_hat) - 1) - (np.exp(y) - 1)
    around_mean = y - y.sum() / n
    scatter = float((around_mean * around_mean).sum())
    return {
        "rmse_log": math.sqrt((e * e).sum() / n),
        "rmse": math.sqrt((d * d).sum() / n),
        "mae": float(abs(d).sum() / n),
        "r2": 1 - float((e * e).sum()) / scatter if scatter > 0 else math.nan,
    }


def plot_predictions(y_true, y_pred):
    actual, predicted = listed(y_true), listed(y_pred)
    low, high = min(actual + predicted) / 1.15, max(actual + predicted) * 1.15
    figure = plt.figure(figsize=(6, 6))
    axis = figure.add_subplot()
    axis.plot([low, high], [low, high], "--", color="0.5", label="y = x")
    axis.plot(actual, predicted, linestyle="", marker="D", markersize=3, label="houses")
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.set_xlim(low, high)
    axis.set_ylim(low, high)
    axis.set_title("Predicted prices")
    axis.set_xlabel("actual (dollars)")
    axis.set_ylabel("predicted (dollars)")
    axis.legend()
    return figure
