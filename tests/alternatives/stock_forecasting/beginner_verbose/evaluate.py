"""Task 5: measures and forecasts."""

import math
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from accelerate import Accelerator
from matplotlib.figure import Figure
from torch import nn
from torch.utils.data import DataLoader

if TYPE_CHECKING:
    from features import Scaler


def mae(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    total = 0.0
    for i in range(len(y_true)):
        total += abs(float(y_true[i]) - float(y_pred[i]))
    return total / len(y_true)


def rmse(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    total = 0.0
    for i in range(len(y_true)):
        error = float(y_true[i]) - float(y_pred[i])
        total += error * error
    return math.sqrt(total / len(y_true))


def mape(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    total = 0.0
    for i in range(len(y_true)):
        error = abs(float(y_true[i]) - float(y_pred[i]))
        total += 100 * error / float(y_true[i])
    return total / len(y_true)


def directional_accuracy(last: np.ndarray, y_true: np.ndarray, y_pred: np.ndarray) -> float:
    right = 0
    days = 0
    for i in range(len(y_true)):
        if y_true[i] == last[i]:
            continue
        days += 1
        rose = y_true[i] > last[i]
        if rose and y_pred[i] > last[i]:
            right += 1
        if not rose and y_pred[i] < last[i]:
            right += 1
    if days == 0:
        return math.nan
    return right / days


def naive_forecast(close: pd.Series, horizon: int = 1) -> pd.Series:
    closes = list(close)
    forecasts = []
    for i in range(len(closes)):
        if i < horizon:
            forecasts.append(math.nan)
        else:
            forecasts.append(closes[i - horizon])
    return pd.Series(forecasts, index=close.index, dtype="float64")


def predict(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> tuple[np.ndarray, np.ndarray]:
    was_training = model.training
    prepared_model = accelerator.prepare(model)
    prepared_loader = accelerator.prepare(loader)
    prepared_model.eval()
    all_true = []
    all_predicted = []
    for x, y in prepared_loader:
        with torch.no_grad():
            output = prepared_model(x)
        output = accelerator.gather_for_metrics(output)
        y = accelerator.gather_for_metrics(y)
        all_true.extend(y.tolist())
        all_predicted.extend(output.tolist())
    if was_training:
        model.train()
    else:
        model.eval()
    return np.array(all_true), np.array(all_predicted)


def evaluate(
    model: nn.Module, loader: DataLoader, scaler: "Scaler", close: np.ndarray, accelerator: Accelerator
) -> dict[str, float]:
    y_true, y_pred = predict(model, loader, accelerator)
    true_returns = scaler.inverse_target(y_true)
    predicted_returns = scaler.inverse_target(y_pred)
    last_prices = np.array(close, dtype="float64")
    true_prices = last_prices * np.exp(true_returns)
    predicted_prices = last_prices * np.exp(predicted_returns)

    measures = {}
    measures["mae"] = mae(true_prices, predicted_prices)
    measures["rmse"] = rmse(true_prices, predicted_prices)
    measures["mape"] = mape(true_prices, predicted_prices)
    measures["directional_accuracy"] = directional_accuracy(last_prices, true_prices, predicted_prices)
    measures["naive_mae"] = mae(true_prices, last_prices)
    if measures["naive_mae"] == 0:
        measures["skill"] = math.nan
    else:
        measures["skill"] = 1 - measures["mae"] / measures["naive_mae"]
    for name in measures:
        measures[name] = float(measures[name])
    return measures


def plot_forecast(dates: pd.DatetimeIndex, actual: np.ndarray, predicted: np.ndarray, currency: str = "USD") -> Figure:
    days = []
    for date in dates:
        days.append(date.to_pydatetime())
    figure = plt.figure(figsize=(10, 5))
    axis = figure.add_subplot()
    axis.plot(days, actual, "b-", label="actual")
    axis.plot(days, predicted, "r--", label="predicted")
    axis.legend()
    axis.set_title("Actual and predicted prices")
    axis.set_xlabel("date")
    axis.set_ylabel("price (" + currency + ")")
    figure.autofmt_xdate()
    return figure
