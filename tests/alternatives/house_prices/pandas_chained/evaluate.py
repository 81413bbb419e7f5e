"""Task 4: how good is it?"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from accelerate import Accelerator
from matplotlib.figure import Figure
from torch import nn
from torch.utils.data import DataLoader


def as_vector(values: object) -> np.ndarray:
    if isinstance(values, torch.Tensor):
        values = values.detach().float().cpu().numpy()
    return np.asarray(values, dtype="float64").reshape(-1)


def _side_by_side(y_true: object, y_pred: object) -> pd.DataFrame:
    actual, predicted = as_vector(y_true), as_vector(y_pred)
    if len(actual) != len(predicted) or not len(actual):
        raise ValueError(f"cannot compare {len(actual)} values with {len(predicted)}")
    return pd.DataFrame({"actual": actual, "predicted": predicted})


def rmse(y_true: object, y_pred: object) -> float:
    return float(_side_by_side(y_true, y_pred).eval("predicted - actual").pow(2).mean() ** 0.5)


@torch.no_grad()
def predict_pairs(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> tuple[np.ndarray, np.ndarray]:
    loader = accelerator.prepare(loader)
    was_training = model.training
    model.to(accelerator.device).eval()
    batches = [torch.stack(accelerator.gather_for_metrics((model(x).float(), y.float())), 1) for x, y in loader]
    model.train(was_training)
    pairs = torch.cat(batches).cpu().numpy()
    return pairs[:, 0], pairs[:, 1]


def predict(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> np.ndarray:
    return predict_pairs(model, loader, accelerator)[0]


def evaluate(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> dict[str, float]:
    y_pred, y_true = predict_pairs(model, loader, accelerator)
    logs = _side_by_side(y_true, y_pred)
    dollars = logs.pipe(np.expm1)
    off = dollars.eval("predicted - actual")
    residual = logs.eval("(predicted - actual) ** 2").sum()
    total = logs["actual"].sub(logs["actual"].mean()).pow(2).sum()
    return {
        "rmse_log": rmse(y_true, y_pred),
        "rmse": float(off.pow(2).mean() ** 0.5),
        "mae": float(off.abs().mean()),
        "r2": float(1 - residual / total),
    }


def plot_predictions(y_true: object, y_pred: object) -> Figure:
    prices = _side_by_side(y_true, y_pred)
    axis = prices.plot.scatter(
        x="actual", y="predicted", loglog=True, s=10, alpha=0.5, label="houses", title="Predicted and actual prices"
    )
    ends = [prices.min().min(), prices.max().max()]
    axis.plot(ends, ends, color="black", linewidth=1, label="predicted = actual")
    axis.set(xlabel="actual price (dollars)", ylabel="predicted price (dollars)")
    axis.legend()
    return axis.figure
