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
    ### BEGIN SOLUTION
    y_true, y_pred = as_vector(y_true), as_vector(y_pred)  # (n,), (n,)
    if len(y_true) != len(y_pred) or len(y_true) == 0:
        raise ValueError(
            f"expected equally many true and predicted values, at least one; found {len(y_true)} and {len(y_pred)}."
        )
    return float(np.sqrt(np.mean((y_true - y_pred) ** 2)))
    ### END SOLUTION


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
    ### BEGIN SOLUTION
    was_training = model.training
    model.eval()
    predictions, targets = [], []
    with torch.no_grad(), accelerator.autocast():
        for x, y in loader:  # (batch, n_features), (batch,)
            y_pred, y_true = accelerator.gather_for_metrics((model(x), y))  # (rows of this step,), twice
            predictions.append(y_pred)
            targets.append(y_true)
    model.train(was_training)
    return torch.cat(predictions).float().cpu().numpy(), torch.cat(targets).float().cpu().numpy()  # (n,), (n,)
    ### END SOLUTION


def predict(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> np.ndarray:
    """Predicted log prices (n,), in the loader's order, each row exactly once; see `predict_pairs`."""
    ### BEGIN SOLUTION
    predictions, _ = predict_pairs(model, loader, accelerator)
    return predictions
    ### END SOLUTION


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
    ### BEGIN SOLUTION
    price_pred, price_true = np.expm1(as_vector(y_pred)), np.expm1(as_vector(y_true))  # (n,), (n,): dollars
    variance = np.var(as_vector(y_true))
    return {
        "rmse_log": rmse(y_true, y_pred),
        "rmse": rmse(price_true, price_pred),
        "mae": float(np.mean(np.abs(price_true - price_pred))),
        "r2": float(1 - rmse(y_true, y_pred) ** 2 / variance) if variance > 0 else float("nan"),
    }
    ### END SOLUTION


def plot_predictions(y_true: object, y_pred: object) -> Figure:
    """Plot predicted against actual prices, with the line on which both are equal.

    Args:
        y_true: n prices in dollars, as `as_vector` takes them.
        y_pred: n prices in dollars.

    Returns:
        A figure with one axis: actual across, predicted upwards, both on the same logarithmic scale, labelled, with a
        title, the identity line and a legend.
    """
    ### BEGIN SOLUTION
    y_true, y_pred = as_vector(y_true), as_vector(y_pred)  # (n,), (n,)
    figure, axis = plt.subplots(figsize=(5.5, 5.5), layout="constrained")
    axis.scatter(y_true, y_pred, s=14, alpha=0.5, linewidths=0, label="houses")
    ends = [min(y_true.min(), y_pred.min()), max(y_true.max(), y_pred.max())]
    axis.plot(ends, ends, color="black", linewidth=1, label="predicted = actual")
    axis.set(
        title=f"Predicted and actual price of {len(y_true):,} houses",
        xlabel="actual price (dollars)",
        ylabel="predicted price (dollars)",
        xscale="log",
        yscale="log",
        aspect="equal",
    )
    for side in (axis.xaxis, axis.yaxis):
        side.set_major_locator(LogLocator(subs=(1, 2, 5)))
        side.set_major_formatter("${x:,.0f}")
        side.set_minor_formatter(NullFormatter())
    axis.legend(frameon=False)
    return figure
    ### END SOLUTION
