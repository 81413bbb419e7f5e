"""Pictures."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from sklearn.metrics import ConfusionMatrixDisplay
from sklearn.preprocessing import normalize as normalize_rows

RIGHT, WRONG = "tab:green", "tab:red"


def plot_history(history: object) -> Figure:
    figure = plt.figure(figsize=(10, 4), layout="constrained")
    axes = figure.subplot_mosaic([["loss", "accuracy"]])
    for measure, axis in axes.items():
        course = np.transpose([getattr(history, f"train_{measure}"), getattr(history, f"val_{measure}")])  # (n, 2)
        axis.plot(range(1, len(course) + 1), course.reshape(-1, 2), ".-", label=["training", "validation"])
        axis.set(title=measure.capitalize(), xlabel="epochs", ylabel=measure)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.legend(loc="best")
    return figure


def plot_confusion_matrix(cm: np.ndarray, class_names: Sequence[str], normalize: bool = False) -> Figure:
    shown = normalize_rows(np.asarray(cm, dtype=float), norm="l1", axis=1) if normalize else np.asarray(cm)
    figure, axis = plt.subplots(figsize=(3 + 0.5 * len(class_names),) * 2, layout="constrained")
    display = ConfusionMatrixDisplay(shown, display_labels=list(class_names))
    display.plot(ax=axis, cmap="Greens", values_format=".2f" if normalize else None, xticks_rotation=45, colorbar=False)
    return figure


def plot_predictions(
    images: torch.Tensor,
    y_true: Sequence[int],
    y_pred: Sequence[int],
    class_names: Sequence[str],
    mean: Sequence[float],
    std: Sequence[float],
) -> Figure:
    pictures = np.moveaxis(images.detach().cpu().numpy(), 1, 3) * np.array(std) + np.array(mean)
    names = np.asarray(class_names)
    true, pred = (names[np.asarray(y, dtype=int)] for y in (y_true, y_pred))
    n = len(pictures)
    figure, axes = plt.subplots(1, max(n, 1), figsize=(1.8 * max(n, 1), 2.2), squeeze=False)
    for axis, picture, t, p in zip(axes.flat, pictures.clip(0, 1), true, pred):
        axis.imshow(picture, interpolation="nearest")
        axis.set(xticks=[], yticks=[])
        if t == p:
            axis.set_title(f"{p}", color=RIGHT)
        else:
            axis.set_title(f"{p}\n(true: {t})", color=WRONG, fontweight="bold")
    return figure
