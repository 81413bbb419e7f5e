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
    raise NotImplementedError("Task 5: write plot_history().")


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
    raise NotImplementedError("Task 5: write plot_confusion_matrix().")


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
    raise NotImplementedError("Task 5: write plot_predictions().")
