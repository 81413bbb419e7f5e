"""Figures without pyplot."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from matplotlib.figure import Figure

RIGHT, WRONG = "tab:green", "tab:red"


def plot_history(history: object) -> Figure:
    figure = Figure(figsize=(9, 3.5))
    for place, measure in enumerate(("loss", "accuracy"), start=1):
        axis = figure.add_subplot(1, 2, place)
        for part, style in (("train", "o-"), ("val", "s--")):
            values = np.asarray(getattr(history, f"{part}_{measure}"), dtype=float)
            axis.plot(np.arange(values.size) + 1, values, style, label=part)
        axis.set_xlabel("epoch")
        axis.set_ylabel(measure)
        axis.legend()
    figure.tight_layout()
    return figure


def plot_confusion_matrix(cm: np.ndarray, class_names: Sequence[str], normalize: bool = False) -> Figure:
    cm = np.array(cm)
    shown = cm
    if normalize:
        sums = cm.sum(axis=1, keepdims=True)
        shown = cm / np.where(sums == 0, 1, sums)
    n = len(cm)
    figure = Figure(figsize=(3 + n / 2, 2.5 + n / 2), layout="constrained")
    axis = figure.subplots()
    picture = axis.imshow(shown, cmap="viridis")
    figure.colorbar(picture, ax=axis)
    for t in range(n):
        for p in range(n):
            text = "%.0f%%" % (100 * shown[t, p]) if normalize else str(cm[t, p])
            axis.text(p, t, text, ha="center", va="center", bbox={"facecolor": "white", "alpha": 0.6, "lw": 0})
    axis.set_xticks(np.arange(n), labels=class_names, rotation=90)
    axis.set_yticks(np.arange(n), labels=class_names)
    axis.set_xlabel("predicted")
    axis.set_ylabel("true")
    return figure


def plot_predictions(
    images: torch.Tensor,
    y_true: Sequence[int],
    y_pred: Sequence[int],
    class_names: Sequence[str],
    mean: Sequence[float],
    std: Sequence[float],
) -> Figure:
    pixels = np.asarray(images.detach().cpu(), dtype=np.float64).transpose(0, 2, 3, 1)  # (n, h, w, 3)
    pixels = np.clip(pixels * np.asarray(std) + np.asarray(mean), 0, 1)
    columns = max(1, math.ceil(math.sqrt(len(pixels))))
    rows = max(1, math.ceil(len(pixels) / columns))
    figure = Figure(figsize=(2 * columns, 2.4 * rows), layout="constrained")
    for place, (picture, t, p) in enumerate(zip(pixels, y_true, y_pred, strict=True), start=1):
        axis = figure.add_subplot(rows, columns, place, xticks=[], yticks=[])
        axis.imshow(np.uint8(np.rint(picture * 255)))
        right = int(t) == int(p)
        title = class_names[int(p)]
        axis.set_title(title if right else f"{title} (is {class_names[int(t)]})", fontsize=9)
        for spine in axis.spines.values():  # a coloured frame
            spine.set(edgecolor=RIGHT if right else WRONG, linewidth=3)
    return figure
