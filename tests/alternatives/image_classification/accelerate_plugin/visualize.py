"""Pictures."""

from collections.abc import Sequence

import numpy as np
import torch
from matplotlib import colormaps
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, MaxNLocator

RIGHT, WRONG = "tab:green", "tab:red"


def plot_history(history: object) -> Figure:
    figure = Figure(figsize=(10, 4), layout="constrained")
    halves = figure.subfigures(1, 2)
    for half, measure in zip(halves, ("loss", "accuracy"), strict=True):
        axis = half.add_subplot()
        for part in ("val", "train"):
            axis.plot(*zip(*enumerate(getattr(history, f"{part}_{measure}"), 1)), label=f"{part}_{measure}")
        axis.set(xlabel="epoch", ylabel=measure)
        axis.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
        axis.legend()
    return figure


def plot_confusion_matrix(cm: np.ndarray, class_names: Sequence[str], normalize: bool = False) -> Figure:
    cm = np.asarray(cm)
    rows = cm.sum(axis=1, keepdims=True)
    shown = np.divide(cm, rows, out=np.zeros(cm.shape, dtype=float), where=rows != 0) if normalize else cm
    figure = Figure(figsize=(8, 7))
    axis = figure.add_axes((0.2, 0.2, 0.75, 0.75))
    axis.imshow(shown, cmap=colormaps["cividis"], interpolation="none")
    for line, values in enumerate(shown):
        for column, value in enumerate(values):
            label = f"{value:.1%}" if normalize else f"{int(value):,}"
            axis.text(column, line, label, ha="center", va="center", color="tab:orange", weight="bold")
    for ticks in (axis.xaxis, axis.yaxis):
        ticks.set_major_locator(FixedLocator(range(len(class_names))))
        ticks.set_ticklabels(class_names)
    axis.tick_params(axis="x", rotation=50)
    axis.set_ylabel("true")
    axis.set_xlabel("predicted")
    return figure


def plot_predictions(
    images: torch.Tensor,
    y_true: Sequence[int],
    y_pred: Sequence[int],
    class_names: Sequence[str],
    mean: Sequence[float],
    std: Sequence[float],
) -> Figure:
    scale, shift = torch.tensor([std, mean], dtype=torch.float64)[:, None, :, None, None]  # (1, 3, 1, 1) each
    shown = (images.detach().cpu().double() * scale + shift).permute(0, 2, 3, 1).clip(0, 1)
    rows, columns = -(-max(1, len(shown)) // 6), 6
    figure = Figure(figsize=(2 * columns, 2.2 * rows), layout="constrained")
    cells = figure.subplots(rows, columns, squeeze=False).ravel()
    for cell in cells[len(shown) :]:
        cell.remove()
    for cell, image, true, pred in zip(cells, shown.numpy(), y_true, y_pred):
        true, pred = int(true), int(pred)
        mark = "\N{CHECK MARK}" if true == pred else f"\N{BALLOT X} {class_names[true]}:"
        cell.imshow(image)
        cell.set_title(f"{mark} {class_names[pred]}")
        cell.set_axis_off()
    return figure
