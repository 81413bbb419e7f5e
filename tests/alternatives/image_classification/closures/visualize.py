"""Task 5: pictures."""

from collections.abc import Callable, Sequence
from functools import wraps
from itertools import product

import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator


def drawing(width: float, height: float) -> Callable:
    """Gives the function a fresh figure as its first argument, and returns the figure."""

    def decorate(function: Callable) -> Callable:
        @wraps(function)
        def draw(*args, **kwargs) -> Figure:
            figure = Figure(figsize=(width, height), layout="tight")
            function(figure, *args, **kwargs)
            return figure

        return draw

    return decorate


@drawing(6, 8)
def _history(figure: Figure, history: object) -> None:
    upper, lower = figure.subplots(2, 1, sharex=True)
    for axis, measure in ((upper, "loss"), (lower, "accuracy")):
        for part, style in (("train", "--"), ("val", "-")):
            epochs, values = zip(*enumerate(getattr(history, f"{part}_{measure}"), 1))
            axis.plot(epochs, values, style, marker=".", label={"train": "training", "val": "validation"}[part])
        axis.set_ylabel(measure.capitalize())
        axis.set_xlabel("Epoch")
        axis.legend(loc="best")
    if len(epochs) < 20:
        lower.xaxis.set_major_locator(MultipleLocator(1))


def plot_history(history: object) -> Figure:
    return _history(history)


@drawing(6.5, 6)
def _confusion(figure: Figure, cm: np.ndarray, class_names: Sequence[str], normalize: bool) -> None:
    cm = np.asarray(cm)
    total = cm.sum(axis=1)
    shown = np.array([row / n if n else row * 0.0 for row, n in zip(cm, total)]) if normalize else cm
    axis = figure.add_subplot()
    axis.imshow(shown, cmap="cividis", vmin=0, aspect="equal")
    dark = shown.max() / 2
    for row, column in product(range(len(cm)), repeat=2):
        value = shown[row, column]
        text = f"{value:.0%}" if normalize else str(value)
        axis.text(column, row, text, ha="center", va="center", color="white" if value <= dark else "black")
    axis.set_xticks(np.arange(len(cm)), class_names, rotation=45, ha="right")
    axis.set_yticks(np.arange(len(cm)), class_names)
    axis.set_xlabel("Prediction")
    axis.set_ylabel("Actual class")


def plot_confusion_matrix(cm: np.ndarray, class_names: Sequence[str], normalize: bool = False) -> Figure:
    return _confusion(cm, class_names, normalize)


def undo(mean: Sequence[float], std: Sequence[float]) -> Callable:
    """The way back from the network's input to a picture (h, w, 3)."""
    mean, std = np.asarray(mean, dtype=float), np.asarray(std, dtype=float)

    def picture(image: torch.Tensor) -> np.ndarray:
        return np.clip(np.moveaxis(image.detach().cpu().float().numpy(), 0, -1) * std + mean, 0.0, 1.0)

    return picture


@drawing(9, 9)
def _predictions(figure: Figure, images, y_true, y_pred, class_names, picture) -> None:
    columns = int(np.ceil(np.sqrt(len(images))))
    for place, (image, true, pred) in enumerate(zip(images, map(int, y_true), map(int, y_pred), strict=True), 1):
        axis = figure.add_subplot(columns, columns, place)
        axis.imshow(picture(image))
        axis.set_xticks([])
        axis.set_yticks([])
        if true == pred:
            axis.set_title(class_names[pred])
        else:
            axis.set_title(f"{class_names[pred]}\n(is: {class_names[true]})", color="firebrick")


def plot_predictions(
    images: torch.Tensor,
    y_true: Sequence[int],
    y_pred: Sequence[int],
    class_names: Sequence[str],
    mean: Sequence[float],
    std: Sequence[float],
) -> Figure:
    return _predictions(images, y_true, y_pred, class_names, undo(mean, std))
