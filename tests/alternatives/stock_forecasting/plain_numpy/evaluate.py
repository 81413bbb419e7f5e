"""Measures as loops over days; the model is not wrapped to be asked."""

import math

import numpy as np
import pandas as pd
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure


def mae(y_true, y_pred):
    total = 0.0
    for truth, forecast in zip(y_true, y_pred, strict=True):
        total += abs(float(truth) - float(forecast))
    return total / len(y_true)


def rmse(y_true, y_pred):
    total = 0.0
    for truth, forecast in zip(y_true, y_pred, strict=True):
        total += (float(truth) - float(forecast)) ** 2
    return math.sqrt(total / len(y_true))


def mape(y_true, y_pred):
    total = 0.0
    for truth, forecast in zip(y_true, y_pred, strict=True):
        total += abs(float(truth) - float(forecast)) / float(truth)
    return 100 * total / len(y_true)


def directional_accuracy(last, y_true, y_pred):
    right = days = 0
    for before, truth, forecast in zip(last, y_true, y_pred, strict=True):
        if truth == before:
            continue
        days += 1
        if (truth > before and forecast > before) or (truth < before and forecast < before):
            right += 1
    return right / days if days else math.nan


def naive_forecast(close, horizon=1):
    values = close.to_numpy(dtype="float64")
    out = np.full(len(values), np.nan)
    for t in range(horizon, len(values)):
        out[t] = values[t - horizon]
    return pd.Series(out, index=close.index)


def predict(model, loader, accelerator):
    loader = accelerator.prepare_data_loader(loader)
    model = accelerator.prepare_model(model, evaluation_mode=True)
    modes = [(module, module.training) for module in model.modules()]
    truths, forecasts = [], []
    model.eval()
    for x, y in loader:
        with torch.no_grad():
            y_pred = model(x)
        y, y_pred = accelerator.gather_for_metrics((y, y_pred))
        truths.append(y.cpu().numpy())
        forecasts.append(y_pred.cpu().numpy())
    for module, mode in modes:  # each its own, should some have been in eval mode before
        module.training = mode
    return np.concatenate(truths), np.concatenate(forecasts)


def evaluate(model, loader, scaler, close, accelerator):
    y_true, y_pred = predict(model, loader, accelerator)
    close = np.asarray(close, dtype="float64")
    true_prices = close * np.exp(np.asarray(scaler.inverse_target(y_true), dtype="float64"))
    prices = close * np.exp(np.asarray(scaler.inverse_target(y_pred), dtype="float64"))
    error, naive_error = mae(true_prices, prices), mae(true_prices, close)
    return {
        "mae": error,
        "rmse": rmse(true_prices, prices),
        "mape": mape(true_prices, prices),
        "directional_accuracy": directional_accuracy(close, true_prices, prices),
        "naive_mae": naive_error,
        "skill": 1 - error / naive_error if naive_error > 0 else math.nan,
    }


def plot_forecast(dates, actual, predicted, currency="USD"):
    figure = Figure(figsize=(9, 4))
    FigureCanvasAgg(figure)
    axis = figure.add_subplot(1, 1, 1)
    days = [day.to_pydatetime() for day in dates]
    axis.plot(days, actual, color="black", label="what came")
    axis.plot(days, predicted, color="tab:orange", label="forecast")
    axis.set_title("Forecast and what came of it")
    axis.set_xlabel("day")
    axis.set_ylabel(f"price in {currency}")
    axis.legend()
    figure.autofmt_xdate()
    return figure
