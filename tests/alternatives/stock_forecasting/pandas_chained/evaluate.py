"""Task 5: measures, and the naive forecast beside them."""

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


def errors(y_true: np.ndarray, y_pred: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({"true": np.asarray(y_true), "pred": np.asarray(y_pred)}, dtype="float64").assign(
        error=lambda df: df["pred"].sub(df["true"]).abs()
    )


def mae(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    return float(errors(y_true, y_pred)["error"].mean(skipna=False))


def rmse(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    return float(errors(y_true, y_pred)["error"].pow(2).mean(skipna=False) ** 0.5)


def mape(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    return float(errors(y_true, y_pred).eval("error / true").mean(skipna=False) * 100)


def directional_accuracy(last: np.ndarray, y_true: np.ndarray, y_pred: np.ndarray) -> float:
    return float(
        errors(y_true, y_pred)
        .sub(np.asarray(last, dtype="float64"), axis=0)
        .pipe(np.sign)
        .loc[lambda df: df["true"].ne(0)]
        .pipe(lambda df: df["true"].eq(df["pred"]))
        .mean()
    )


def naive_forecast(close: pd.Series, horizon: int = 1) -> pd.Series:
    return close.shift(horizon)


def predict(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> tuple[np.ndarray, np.ndarray]:
    was_training = model.training
    wrapped, loader = accelerator.prepare(model, loader)
    wrapped.eval()
    with torch.no_grad():
        pairs = [accelerator.gather_for_metrics((y, wrapped(X))) for X, y in loader]
    model.train(was_training)
    y_true, y_pred = (torch.cat(side).cpu().numpy() for side in zip(*pairs))
    return y_true, y_pred


def evaluate(
    model: nn.Module, loader: DataLoader, scaler: "Scaler", close: np.ndarray, accelerator: Accelerator
) -> dict[str, float]:
    y_true, y_pred = predict(model, loader, accelerator)
    prices = pd.DataFrame({"true": scaler.inverse_target(y_true), "pred": scaler.inverse_target(y_pred)}).pipe(np.exp)
    true, forecast = prices.mul(np.asarray(close), axis=0).to_numpy().T
    scores = pd.Series(
        {
            "mae": mae(true, forecast),
            "rmse": rmse(true, forecast),
            "mape": mape(true, forecast),
            "directional_accuracy": directional_accuracy(close, true, forecast),
            "naive_mae": mae(true, close),
        }
    )
    scores["skill"] = 1 - scores["mae"] / scores["naive_mae"]
    return scores.to_dict()


def plot_forecast(dates: pd.DatetimeIndex, actual: np.ndarray, predicted: np.ndarray, currency: str = "USD") -> Figure:
    figure, axis = plt.subplots(figsize=(8, 4), layout="constrained")
    table = pd.DataFrame({"actual": actual, "forecast": predicted}, index=pd.DatetimeIndex(dates))
    table.plot(ax=axis, x_compat=True, title="Actual and forecast prices", xlabel="date", ylabel=f"price in {currency}")
    return figure
