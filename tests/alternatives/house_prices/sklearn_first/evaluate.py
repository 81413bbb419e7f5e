"""Task 4: scikit-learn's metrics on Accelerate's predictions."""

import matplotlib.pyplot as plt
import numpy as np
import torch
from accelerate import Accelerator
from matplotlib.figure import Figure
from sklearn.metrics import PredictionErrorDisplay, mean_absolute_error, r2_score, root_mean_squared_error
from torch import nn
from torch.utils.data import DataLoader


def as_vector(values: object) -> np.ndarray:
    if isinstance(values, torch.Tensor):
        values = values.detach().double().cpu().numpy()
    return np.asarray(values, dtype="float64").ravel()


def rmse(y_true: object, y_pred: object) -> float:
    # scikit-learn itself raises ValueError for nothing and for different lengths.
    return root_mean_squared_error(as_vector(y_true), as_vector(y_pred))


def predict_pairs(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> tuple[np.ndarray, np.ndarray]:
    loader = accelerator.prepare_data_loader(loader)
    model = model.to(accelerator.device)
    training, pairs = model.training, []
    model.eval()
    with torch.inference_mode():
        for X, y in loader:
            pairs.append(accelerator.gather_for_metrics((model(X), y)))
    model.train(training)
    y_pred, y_true = (np.concatenate([part.float().cpu().numpy() for part in parts]) for parts in zip(*pairs))
    return y_pred, y_true


def predict(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> np.ndarray:
    return predict_pairs(model, loader, accelerator)[0]


def evaluate(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> dict[str, float]:
    y_pred, y_true = map(as_vector, predict_pairs(model, loader, accelerator))
    prices = np.expm1(y_true), np.expm1(y_pred)
    return {
        "rmse_log": root_mean_squared_error(y_true, y_pred),
        "rmse": root_mean_squared_error(*prices),
        "mae": mean_absolute_error(*prices),
        "r2": r2_score(y_true, y_pred),
    }


def plot_predictions(y_true: object, y_pred: object) -> Figure:
    figure, axis = plt.subplots(figsize=(6, 6), layout="constrained")
    # This display has its first argument upwards and its second across.
    PredictionErrorDisplay.from_predictions(
        as_vector(y_pred),
        as_vector(y_true),
        kind="actual_vs_predicted",
        subsample=None,
        ax=axis,
        scatter_kwargs={"s": 10, "label": "houses"},
        line_kwargs={"label": "predicted = actual"},
    )
    axis.set(xscale="log", yscale="log", title="Prices", xlabel="actual price ($)", ylabel="predicted price ($)")
    axis.legend()
    return figure
