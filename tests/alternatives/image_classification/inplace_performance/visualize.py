"""Task 5: pictures."""

from collections.abc import Sequence

import numpy as np
import torch
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator


def plot_history(history: object) -> Figure:
    figure = Figure(figsize=(10, 4), layout="constrained")
    for axis, measure in zip(figure.subplots(1, 2), ("loss", "accuracy")):
        both = np.array([getattr(history, f"{part}_{measure}") for part in ("train", "val")], dtype=float)
        epochs = np.arange(1, both.shape[1] + 1)
        for line, name in zip(axis.plot(epochs, both.T, marker="."), ("training", "validation")):
            line.set_label(name)
        axis.legend()
        axis.set_title(f"{measure} per epoch")
        axis.set_xlabel("epoch")
        axis.set_ylabel(measure)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure


def plot_confusion_matrix(cm: np.ndarray, class_names: Sequence[str], normalize: bool = False) -> Figure:
    cm = np.asarray(cm)
    if normalize:
        cm = cm.astype(np.float32)
        sums = cm.sum(axis=1, keepdims=True)
        sums[sums == 0] = 1
        cm /= sums
    figure = Figure(figsize=(7, 7), layout="constrained")
    axis = figure.add_subplot()
    n = len(cm)
    axis.imshow(cm, cmap="gray_r", alpha=0.5, extent=(0, n, n, 0))
    for (t, p), value in np.ndenumerate(cm):
        axis.text(p + 0.5, t + 0.5, f"{value:.2f}" if normalize else str(value), ha="center", va="center", clip_on=True)
    grid = [[(i, 0), (i, n)] for i in range(n + 1)] + [[(0, i), (n, i)] for i in range(n + 1)]
    axis.add_collection(LineCollection(grid, colors="black", linewidths=0.5))
    centres = np.arange(n) + 0.5
    axis.set_xticks(centres, list(class_names), rotation=90)
    axis.set_yticks(centres, list(class_names))
    axis.set_xlabel("predicted class")
    axis.set_ylabel("true class")
    return figure


def plot_predictions(
    images: torch.Tensor,
    y_true: Sequence[int],
    y_pred: Sequence[int],
    class_names: Sequence[str],
    mean: Sequence[float],
    std: Sequence[float],
) -> Figure:
    x = images.detach().to("cpu", torch.float32, copy=True)  # the caller's images stay as they are
    for channel, (m, s) in enumerate(zip(mean, std)):
        x[:, channel].mul_(s).add_(m)
    x = x.clamp_(0, 1).permute(0, 2, 3, 1).numpy()
    n = len(x)
    columns = min(n, 6) or 1
    rows = (n + columns - 1) // columns
    figure = Figure(figsize=(1.6 * columns, 1.9 * max(rows, 1)), layout="constrained")
    for i, picture in enumerate(x):
        axis = figure.add_subplot(rows, columns, i + 1)
        axis.imshow(picture)
        axis.set(xticks=[], yticks=[])
        if int(y_true[i]) != int(y_pred[i]):
            axis.set_title(f"{class_names[y_pred[i]]}?\n{class_names[y_true[i]]}!", color="red")
        else:
            axis.set_title(f"{class_names[y_pred[i]]}", color="green")
    return figure
