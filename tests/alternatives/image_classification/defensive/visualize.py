"""Pictures."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

RIGHT, WRONG = "tab:green", "tab:red"


def plot_history(history: object) -> Figure:
    missing = [
        name for name in ("train_loss", "val_loss", "train_accuracy", "val_accuracy") if not hasattr(history, name)
    ]
    if missing:
        raise ValueError(f"history has no {', '.join(missing)}")
    figure, axes = plt.subplots(nrows=1, ncols=2, figsize=(11, 4.5))
    panels = (
        (axes[0], "cross-entropy loss", history.train_loss, history.val_loss),
        (axes[1], "accuracy", history.train_accuracy, history.val_accuracy),
    )
    for axis, title, train_values, val_values in panels:
        for values, label, style in ((train_values, "training", "-"), (val_values, "validation", "--")):
            axis.plot(np.arange(1, len(values) + 1), list(map(float, values)), style, marker="o", ms=3, label=label)
        axis.set_title(title)
        axis.set_xlabel("epoch")
        axis.set_ylabel(title)
        axis.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))
        axis.legend(loc="best")
    axes[1].set_ylim(-0.03, 1.03)
    figure.tight_layout()
    return figure


def plot_confusion_matrix(cm: np.ndarray, class_names: Sequence[str], normalize: bool = False) -> Figure:
    counts = np.asarray(cm)
    if counts.shape != (len(class_names), len(class_names)):
        raise ValueError(f"{len(class_names)} names for a matrix of shape {counts.shape}")
    if normalize:
        with np.errstate(invalid="ignore", divide="ignore"):
            shown = np.nan_to_num(counts / counts.sum(axis=1, keepdims=True), nan=0.0)
    else:
        shown = counts
    figure, axis = plt.subplots(figsize=(1.5 + 0.7 * len(counts), 1.5 + 0.7 * len(counts)), layout="constrained")
    image = axis.imshow(shown, cmap="Reds", origin="upper")
    for row in range(len(counts)):
        for column in range(len(counts)):
            dark = image.norm(shown[row, column]) > 0.5
            number = format(shown[row, column], ".2f") if normalize else format(shown[row, column], "g")
            axis.text(column, row, number, ha="center", va="center", color="white" if dark else "black")
    axis.set_xticks(range(len(counts)), labels=class_names, rotation=45, ha="right", rotation_mode="anchor")
    axis.set_yticks(range(len(counts)), labels=class_names)
    axis.set_xlabel("predicted class (columns)")
    axis.set_ylabel("true class (rows)")
    axis.set_title("Parts of each true class" if normalize else "Numbers of images")
    return figure


def plot_predictions(
    images: torch.Tensor,
    y_true: Sequence[int],
    y_pred: Sequence[int],
    class_names: Sequence[str],
    mean: Sequence[float],
    std: Sequence[float],
) -> Figure:
    if not len(images) == len(y_true) == len(y_pred):
        raise ValueError(f"{len(images)} images, {len(y_true)} true and {len(y_pred)} predicted classes")
    per_row = 5
    lines = max(1, (len(images) + per_row - 1) // per_row)
    figure = plt.figure(figsize=(2.1 * per_row, 2.5 * lines), layout="constrained")
    spread = torch.as_tensor(std, dtype=torch.float64).reshape(3, 1, 1)
    centre = torch.as_tensor(mean, dtype=torch.float64).reshape(3, 1, 1)
    for place in range(len(images)):
        picture = (images[place].detach().cpu().to(torch.float64) * spread + centre).clamp(0.0, 1.0)
        true, predicted = int(y_true[place]), int(y_pred[place])
        axis = plt.subplot2grid((lines, per_row), divmod(place, per_row), fig=figure)
        axis.imshow(picture.permute(1, 2, 0).numpy())
        axis.set(xticks=[], yticks=[])
        if true == predicted:
            axis.set_title(class_names[predicted], color=RIGHT)
        else:
            axis.set_title(f"predicted {class_names[predicted]},\ntrue {class_names[true]}", color=WRONG)
    return figure
