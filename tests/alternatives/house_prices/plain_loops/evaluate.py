"""Predictions and measures, step by step."""

import math

import matplotlib.pyplot as plt
import numpy as np
import torch


def to_list(values):
    if torch.is_tensor(values):
        values = values.detach().cpu().tolist()
    return [float(value) for value in np.array(values, dtype="float64").flatten()]


def rmse(y_true, y_pred):
    y_true, y_pred = to_list(y_true), to_list(y_pred)
    if len(y_true) == 0:
        raise ValueError("There is nothing to compare.")
    if len(y_true) != len(y_pred):
        raise ValueError(f"{len(y_true)} true values, but {len(y_pred)} predictions.")
    total = 0.0
    for a, b in zip(y_true, y_pred, strict=True):
        total += (a - b) ** 2
    return math.sqrt(total / len(y_true))


def collect(model, loader, accelerator):
    """Predictions and targets of all rows as two lists."""
    mode_before = model.training
    model.to(accelerator.device)
    loader = accelerator.prepare(loader)
    predictions, targets = [], []
    model.eval()
    with torch.inference_mode():
        for x, y in loader:
            p = model(x)
            p, y = accelerator.gather_for_metrics((p, y))
            predictions.extend(p.tolist())
            targets.extend(y.tolist())
    model.train(mode_before)
    return predictions, targets


def predict(model, loader, accelerator):
    predictions, _ = collect(model, loader, accelerator)
    return np.array(predictions)


def evaluate(model, loader, accelerator):
    predictions, targets = collect(model, loader, accelerator)
    n = len(targets)
    mean = math.fsum(targets) / n
    error = math.fsum((t - p) ** 2 for t, p in zip(targets, predictions, strict=True))
    spread = math.fsum((t - mean) ** 2 for t in targets)
    prices = [math.expm1(t) for t in targets]
    guesses = [math.expm1(p) for p in predictions]
    return {
        "rmse_log": math.sqrt(error / n),
        "rmse": rmse(prices, guesses),
        "mae": math.fsum(abs(a - b) for a, b in zip(prices, guesses, strict=True)) / n,
        "r2": 1 - error / spread,
    }


def plot_predictions(y_true, y_pred):
    y_true, y_pred = to_list(y_true), to_list(y_pred)
    fig, ax = plt.subplots()
    ax.loglog(y_true, y_pred, "o", markersize=3, label="houses")
    low, high = min(y_true + y_pred), max(y_true + y_pred)
    line = [low + (high - low) * i / 50 for i in range(51)]
    ax.plot(line, line, color="red", label="perfect")
    ax.set_xlabel("actual price in dollars")
    ax.set_ylabel("predicted price in dollars")
    ax.set_title("Predicted against actual")
    ax.legend()
    return fig
