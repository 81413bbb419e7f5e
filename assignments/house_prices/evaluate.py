"""Task 4 · How good is it? Predictions for every house once, and what they are worth in dollars."""

import matplotlib.pyplot as plt
import numpy as np
import torch
from accelerate import Accelerator
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter
from torch import nn
from torch.utils.data import DataLoader


def as_vector(values: object) -> np.ndarray:
    """A list, array, series or tensor of n numbers, shaped (n,) or (n, 1), as a float64 array (n,). Given."""
    if isinstance(values, torch.Tensor):
        values = values.detach().float().cpu().numpy()
    return np.asarray(values, dtype="float64").reshape(-1)


def rmse(y_true: object, y_pred: object) -> float:
    """Root of the mean squared error, in the unit of its arguments.

    Args:
        y_true: n numbers, as `as_vector` takes them.
        y_pred: n numbers, compared with `y_true` by position.

    Raises:
        ValueError: there are no numbers, or not equally many.
    """
    # Hint: (n,) minus (n, 1) is (n, n) and raises nothing.
    raise NotImplementedError("Task 4: write rmse().")


def predict_pairs(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> tuple[np.ndarray, np.ndarray]:
    """Predictions and targets of all of the loader's rows, on every process.

    The model runs in eval mode and without gradients; afterwards it is in the mode that it was in before.

    Args:
        model: maps (batch, n_features) to (batch,); prepared or not.
        loader: pairs of (batch, n_features) and (batch,), not shuffled; prepared or not.
        accelerator: says where to run, in which precision, and on how many processes.

    Returns:
        Two float32 arrays (n,), in the loader's order, each row exactly once.
    """
    loader = accelerator.prepare(loader)
    # Not prepared: that would wrap a model for training, and here it only has to be in the right place.
    model.to(accelerator.device)
    raise NotImplementedError("Task 4: write predict_pairs().")


def predict(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> np.ndarray:
    """Predicted log prices (n,), in the loader's order, each row exactly once; see `predict_pairs`."""
    raise NotImplementedError("Task 4: write predict().")


def evaluate(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> dict[str, float]:
    """Measure the model on all of the loader's rows.

    Args:
        model, loader, accelerator: as for `predict_pairs`; the loader's targets are log1p(SalePrice).

    Returns:
        `rmse_log`: root mean squared error of the log price, what Kaggle scores.
        `rmse`, `mae`: root mean squared and mean absolute error of the price, in dollars.
        `r2`: the part of the log price's variance that the model explains; 1 is perfect, 0 is the mean.
    """
    y_pred, y_true = predict_pairs(model, loader, accelerator)  # (n,), (n,)
    raise NotImplementedError("Task 4: write evaluate().")


def plot_predictions(y_true: object, y_pred: object) -> Figure:
    """Plot predicted against actual prices, with the line on which both are equal.

    Args:
        y_true: n prices in dollars, as `as_vector` takes them.
        y_pred: n prices in dollars.

    Returns:
        A figure with one axis: actual across, predicted upwards, both on the same logarithmic scale, labelled, with a
        title, the identity line and a legend.
    """
    raise NotImplementedError("Task 4: write plot_predictions().")
