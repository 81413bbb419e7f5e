"""Task 5: pictures of a training."""

from collections.abc import Sequence
from enum import StrEnum

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator


class Mark(StrEnum):
    RIGHT = "\N{CHECK MARK}"
    WRONG = "\N{BALLOT X}"


def plot_history(history: object) -> Figure:
    figure, axes = plt.subplots(ncols=2, figsize=(9, 3.5), layout="constrained")
    for axis, (title, unit) in zip(axes, {"loss": "cross-entropy", "accuracy": "part recognised"}.items(), strict=True):
        for part, colour in (("train", "tab:blue"), ("val", "tab:orange")):
            epochs = np.arange(len(values := getattr(history, f"{part}_{title}"))) + 1
            axis.plot(epochs, values, color=colour, marker="x", label=f"{part}_{title}")
        axis.set_title(title)
        axis.set_ylabel(unit)
        axis.set_xlabel("epochs")
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.legend(frameon=False)
    return figure


def plot_confusion_matrix(cm: np.ndarray, class_names: Sequence[str], normalize: bool = False) -> Figure:
    shown = np.asarray(cm)
    if normalize:
        shown = np.divide(shown, rows := shown.sum(axis=1, keepdims=True), out=np.zeros(shown.shape), where=rows > 0)
    figure, axis = plt.subplots(figsize=(8, 7), layout="constrained")
    axis.matshow(shown, cmap="Greens")
    axis.set_xticks(range(len(class_names)), labels=class_names, rotation="vertical")
    axis.set_yticks(range(len(class_names)), labels=class_names)
    axis.set_xlabel("predicted as")
    axis.set_ylabel("true class")
    bright = (shown.min() + shown.max()) / 2
    for (row, column), value in np.ndenumerate(shown):
        text = f"{value:.3g}" if normalize else f"{value:d}"
        axis.annotate(text, (column, row), ha="center", va="center", color="white" if value > bright else "black")
    return figure


def plot_predictions(
    images: torch.Tensor,
    y_true: Sequence[int],
    y_pred: Sequence[int],
    class_names: Sequence[str],
    mean: Sequence[float],
    std: Sequence[float],
) -> Figure:
    pixels = np.einsum("nchw->nhwc", images.detach().cpu().numpy()) * np.array(std) + np.array(mean)
    columns = min(max(len(pixels), 1), 8)
    rows = -(-max(len(pixels), 1) // columns)
    figure, grid = plt.subplots(rows, columns, figsize=(1.6 * columns, 2 * rows), squeeze=False, layout="constrained")
    for axis in grid.flat[len(pixels) :]:
        axis.remove()
    for axis, image, true, pred in zip(grid.flat, pixels.clip(0, 1), y_true, y_pred):
        axis.imshow(image, interpolation="nearest")
        axis.set_axis_off()
        match int(true), int(pred):
            case t, p if t == p:
                axis.set_title(f"{Mark.RIGHT} {class_names[p]}", fontsize=9)
            case t, p:
                axis.set_title(f"{Mark.WRONG} {class_names[p]}\ntrue: {class_names[t]}", fontsize=9)
    return figure
