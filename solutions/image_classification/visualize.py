"""Task 5 · Pictures of a training: its course, its confusions, and what it answers to single images."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

RIGHT, WRONG = "tab:green", "tab:red"


def plot_history(history: object) -> Figure:
    """Plot loss and accuracy over the epochs, of training and of validation.

    Args:
        history: has the lists `train_loss`, `val_loss`, `train_accuracy` and `val_accuracy`, one number an epoch.

    Returns:
        A figure with two axes, loss and accuracy: on each a line for training and one for validation, told apart by a
        legend, over the epochs 1, 2, …; both axes are labelled.
    """
    figure, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    ### BEGIN SOLUTION
    for axis, measure in zip(axes, ("loss", "accuracy"), strict=True):
        for part, name in (("train", "training"), ("val", "validation")):
            values = getattr(history, f"{part}_{measure}")
            axis.plot(range(1, len(values) + 1), values, marker="o", markersize=3, label=name)
        axis.set(title=measure.capitalize(), xlabel="epoch", ylabel=measure)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.grid(alpha=0.3)
        axis.legend(frameon=False)
    axes[0].set_ylabel("cross-entropy loss")
    return figure
    ### END SOLUTION


def plot_confusion_matrix(cm: np.ndarray, class_names: Sequence[str], normalize: bool = False) -> Figure:
    """Show a confusion matrix as an image with its numbers written into it.

    Args:
        cm: (classes, classes), a row for each true class, a column for each predicted one.
        class_names: the classes' names, in the matrix' order.
        normalize: show the part of each *true* class instead of numbers of images; a class without images has zeros.

    Returns:
        A figure with one image: the names along both sides, and axis labels that say which side is the true one.
    """
    cm = np.asarray(cm)  # (classes, classes)
    ### BEGIN SOLUTION
    shown = cm / np.maximum(cm.sum(axis=1, keepdims=True), 1) if normalize else cm
    side = max(4.0, 0.62 * len(class_names) + 1.5)
    figure, axis = plt.subplots(figsize=(side, side), layout="constrained")
    axis.imshow(shown, cmap="Blues", vmin=0, vmax=1 if normalize else None)
    places = range(len(class_names))
    axis.set_xticks(places, class_names, rotation=45, ha="right", rotation_mode="anchor")
    axis.set_yticks(places, class_names)
    axis.set(title="Confusion matrix", xlabel="predicted class", ylabel="true class")
    dark = 0.6 * shown.max()
    for (row, column), value in np.ndenumerate(shown):
        text = f"{value:.2f}" if normalize else f"{value:g}"
        axis.text(column, row, text, ha="center", va="center", fontsize=8, color="white" if value > dark else "black")
    return figure
    ### END SOLUTION


def plot_predictions(
    images: torch.Tensor,
    y_true: Sequence[int],
    y_pred: Sequence[int],
    class_names: Sequence[str],
    mean: Sequence[float],
    std: Sequence[float],
) -> Figure:
    """Show images with what they are and what they were taken for.

    Args:
        images: (n, 3, h, w), as the network saw them: each channel (value - mean) / std.
        y_true, y_pred: n classes each.
        class_names: name of each class.
        mean, std: three numbers each, with which the images were normalised; they are shown as they were before that.

    Returns:
        A figure with an axis for each image, in order. The title names the predicted class, and for a wrong answer the true
        one as well; right and wrong answers differ in colour or by a mark.
    """
    ### BEGIN SOLUTION
    mean, std = (torch.as_tensor(values).float().reshape(3, 1, 1) for values in (mean, std))
    colours = (images.detach().float().cpu() * std + mean).clamp(0, 1).permute(0, 2, 3, 1)  # (n, h, w, 3)
    columns = min(8, len(images))
    rows = -(-len(images) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(1.6 * columns, 1.9 * rows), squeeze=False, layout="constrained")
    for axis in axes.flat:
        axis.axis("off")
    for axis, colour, true, predicted in zip(axes.flat, colours, map(int, y_true), map(int, y_pred), strict=False):
        axis.imshow(colour.numpy())
        right = true == predicted
        title = class_names[predicted] if right else f"{class_names[predicted]}\n(is {class_names[true]})"
        axis.set_title(title, fontsize=9, color=RIGHT if right else WRONG)
    return figure
    ### END SOLUTION
