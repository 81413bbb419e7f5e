"""Pictures."""

import math
from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

RIGHT, WRONG = "tab:green", "tab:red"


def lines(axis: Axes, history: object, measure: str) -> None:
    training, validation = (getattr(history, f"{part}_{measure}") for part in ("train", "val"))
    axis.plot(range(1, len(training) + 1), training, "C0o-")
    axis.plot(range(1, len(validation) + 1), validation, "C3o:")
    axis.legend(["training", "validation"])
    axis.set(xlabel="number of the epoch", ylabel=f"mean {measure}", title=measure)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))


def plot_history(history: object) -> Figure:
    figure, axes = plt.subplots(ncols=2, figsize=(9, 4), layout="constrained")
    for axis, measure in zip(axes, ("loss", "accuracy"), strict=True):
        lines(axis, history, measure)
    return figure


def plot_confusion_matrix(cm: np.ndarray, class_names: Sequence[str], normalize: bool = False) -> Figure:
    cm = torch.as_tensor(np.asarray(cm))
    shown = torch.nn.functional.normalize(cm.double(), p=1, dim=1) if normalize else cm
    form = "{:.3f}".format if normalize else "{}".format
    side = max(4.0, 0.75 * len(cm))
    figure, axis = plt.subplots(figsize=(side, side), layout="constrained")
    picture = axis.imshow(shown.numpy(), cmap="YlGn", vmin=0, vmax=1 if normalize else None)
    figure.colorbar(picture, ax=axis, location="bottom", shrink=0.7)
    for t, row in enumerate(shown.tolist()):
        for p, value in enumerate(row):
            axis.text(p, t, form(value), va="center", ha="center")
    plt.setp(axis, xticks=range(len(cm)), yticks=range(len(cm)), xticklabels=class_names, yticklabels=class_names)
    axis.set(xlabel="class that was predicted", ylabel="class that is true")
    axis.xaxis.set_tick_params(labelrotation=90)
    return figure


def plot_predictions(
    images: torch.Tensor,
    y_true: Sequence[int],
    y_pred: Sequence[int],
    class_names: Sequence[str],
    mean: Sequence[float],
    std: Sequence[float],
) -> Figure:
    mean, std = torch.tensor(list(mean)), torch.tensor(list(std))
    shown = torch.einsum("nchw,c->nhwc", images.detach().cpu().float(), std) + mean
    n = len(shown)
    rows = max(1, math.isqrt(n))
    columns = max(1, math.ceil(n / rows))
    figure = plt.figure(figsize=(2 * columns, 2.5 * rows))
    figure.subplots_adjust(hspace=0.4)
    for i in range(n):
        axis = figure.add_subplot(rows, columns, i + 1)
        axis.imshow(shown[i].clip(0, 1).mul(255).round().byte().numpy())
        axis.tick_params(left=False, bottom=False, labelleft=False, labelbottom=False)
        true, pred = class_names[int(y_true[i])], class_names[int(y_pred[i])]
        if int(y_true[i]) == int(y_pred[i]):
            axis.set_title(pred, backgroundcolor=RIGHT, color="white", size=8)
        else:
            axis.set_title(f"{true} taken for {pred}", backgroundcolor=WRONG, color="white", size=8)
    return figure
