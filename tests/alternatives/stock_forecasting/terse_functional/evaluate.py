"""One line a measure; the picture is pandas'."""

import numpy as np
import pandas as pd
import torch


def mae(y_true, y_pred):
    return float(np.abs(y_true - y_pred).mean())


def rmse(y_true, y_pred):
    return float(np.sqrt(np.square(y_true - y_pred).mean()))


def mape(y_true, y_pred):
    return float(100 * np.abs(1 - y_pred / y_true).mean())


def directional_accuracy(last, y_true, y_pred):
    truth, forecast = np.sign(y_true - last), np.sign(y_pred - last)
    return float((truth == forecast)[truth != 0].mean()) if truth.any() else float("nan")


def naive_forecast(close, horizon=1):
    return close.shift(horizon)


def predict(model, loader, accelerator):
    was_training = model.training
    answering, loader = accelerator.prepare(model, loader)
    answering.eval()
    try:
        with torch.inference_mode():
            pairs = [accelerator.gather_for_metrics((y, answering(x))) for x, y in loader]
    finally:
        answering.train(was_training)
    return tuple(torch.cat(side).cpu().numpy() for side in zip(*pairs, strict=True))


def evaluate(model, loader, scaler, close, accelerator):
    truth, forecast = (close * np.exp(scaler.inverse_target(y)) for y in predict(model, loader, accelerator))
    measures = {measure.__name__: measure(truth, forecast) for measure in (mae, rmse, mape)}
    measures["directional_accuracy"] = directional_accuracy(close, truth, forecast)
    measures["naive_mae"] = mae(truth, close)
    return measures | {"skill": float(1 - np.divide(measures["mae"], measures["naive_mae"]))}


def plot_forecast(dates, actual, predicted, currency="USD"):
    lines = pd.DataFrame({"actual": actual, "predicted": predicted}, index=dates)
    labels = {"title": "Forecast against truth", "xlabel": "date", "ylabel": f"close ({currency})"}
    return lines.plot(figsize=(10, 5), x_compat=True, **labels).figure
