"""A table of measures."""

from functools import partial
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

ERRORS = {
    "mae": lambda t, p: np.abs(t - p).mean(),
    "rmse": lambda t, p: np.sqrt(np.mean((t - p) ** 2)),
    "mape": lambda t, p: 100 * np.mean(np.abs((t - p) / t)),
}


def error(name: str, y_true: np.ndarray, y_pred: np.ndarray) -> float:
    return float(ERRORS[name](np.asarray(y_true, dtype=float), np.asarray(y_pred, dtype=float)))


def mae(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    return error("mae", y_true, y_pred)


def rmse(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    return error("rmse", y_true, y_pred)


def mape(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    return error("mape", y_true, y_pred)


def directional_accuracy(last: np.ndarray, y_true: np.ndarray, y_pred: np.ndarray) -> float:
    table = pd.DataFrame({"last": last, "true": y_true, "said": y_pred})
    table = table.query("true != last")
    if table.empty:
        return float("nan")
    return float(table.eval("(true > last and said > last) or (true < last and said < last)").mean())


def naive_forecast(close: pd.Series, horizon: int = 1) -> pd.Series:
    days = dict(zip(close.index[horizon:], close.iloc[: max(len(close) - horizon, 0)]))
    return pd.Series(days, dtype="float64").reindex(close.index)


def predict(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> tuple[np.ndarray, np.ndarray]:
    mode = {True: model.train, False: model.eval}[model.training]
    parts = {"model": accelerator.prepare(model), "loader": accelerator.prepare(loader)}
    answers = {"y_true": [], "y_pred": []}
    parts["model"].eval()
    with torch.no_grad():
        for x, y in parts["loader"]:
            batch = accelerator.gather_for_metrics({"y_true": y, "y_pred": parts["model"](x)})
            for name, values in batch.items():
                answers[name].append(values.cpu().numpy())
    mode()
    return tuple(np.concatenate(values) for values in answers.values())


def evaluate(
    model: nn.Module, loader: DataLoader, scaler: "Scaler", close: np.ndarray, accelerator: Accelerator
) -> dict[str, float]:
    scaled = dict(zip(("true", "said"), predict(model, loader, accelerator)))
    price = {name: np.multiply(close, np.exp(scaler.inverse_target(y))) for name, y in scaled.items()}
    price["naive"] = np.asarray(close, dtype="float64")
    measures = {name: partial(error, name, price["true"], price["said"]) for name in ERRORS} | {
        "directional_accuracy": partial(directional_accuracy, price["naive"], price["true"], price["said"]),
        "naive_mae": partial(error, "mae", price["true"], price["naive"]),
    }
    scores = {name: measure() for name, measure in measures.items()}
    return scores | {"skill": 1 - scores["mae"] / scores["naive_mae"] if scores["naive_mae"] else float("nan")}


LOOK = {
    "actual": {"color": "tab:gray", "linewidth": 1.5, "label": "actual close"},
    "predicted": {"color": "tab:orange", "linewidth": 1.0, "marker": ".", "label": "predicted close"},
}


def plot_forecast(dates: pd.DatetimeIndex, actual: np.ndarray, predicted: np.ndarray, currency: str = "USD") -> Figure:
    figure, axis = plt.subplots(1, 1, figsize=(9, 4))
    for name, values in {"actual": actual, "predicted": predicted}.items():
        axis.plot(dates.to_pydatetime(), values, **LOOK[name])
    words = {"set_title": "Closes and their forecasts", "set_xlabel": "Date", "set_ylabel": f"Close in {currency}"}
    for name, text in words.items():
        getattr(axis, name)(text)
    axis.legend(loc="upper left")
    figure.tight_layout()
    return figure
