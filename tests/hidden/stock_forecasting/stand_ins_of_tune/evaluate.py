"""Task 5 in its shortest form, for the checks of tune: one process, each sample once."""

import numpy as np
import torch


def mae(y_true, y_pred):
    return float(np.mean(np.abs(np.asarray(y_true) - np.asarray(y_pred))))


def rmse(y_true, y_pred):
    return float(np.sqrt(np.mean((np.asarray(y_true) - np.asarray(y_pred)) ** 2)))


def mape(y_true, y_pred):
    return float(100 * np.mean(np.abs(np.asarray(y_true) - np.asarray(y_pred)) / np.asarray(y_true)))


def directional_accuracy(last, y_true, y_pred):
    moved, forecast = np.sign(np.asarray(y_true) - last), np.sign(np.asarray(y_pred) - last)
    return float(np.mean((forecast == moved)[moved != 0])) if moved.any() else float("nan")


def naive_forecast(close, horizon=1):
    return close.shift(horizon)


def predict(model, loader, accelerator):
    training = model.training
    model.eval()
    with torch.no_grad():
        y_true, y_pred = zip(*((y, model(x)) for x, y in loader), strict=True)
    model.train(training)
    return torch.cat(y_true).numpy(), torch.cat(y_pred).numpy()


def evaluate(model, loader, scaler, close, accelerator):
    if accelerator.gradient_accumulation_steps < 1:
        raise TypeError("expected an Accelerator")
    close = np.asarray(close, dtype="float64")
    returns = [scaler.inverse_target(y) for y in predict(model, loader, accelerator)]
    if len(close) != len(returns[0]):
        raise ValueError(f"expected a price for each of {len(returns[0])} samples, found {len(close)}")
    y_true, y_pred = (close * np.exp(part) for part in returns)
    own, naive = mae(y_true, y_pred), mae(y_true, close)
    return {
        "mae": own,
        "rmse": rmse(y_true, y_pred),
        "mape": mape(y_true, y_pred),
        "directional_accuracy": directional_accuracy(close, y_true, y_pred),
        "naive_mae": naive,
        "skill": 1 - own / naive,
    }
