"""Task 5: pictures."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

RIGHT, WRONG = "tab:green", "tab:red"


def plot_history(history: object) -> Figure:
    figure, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    epochs = []
    for i in range(len(history.train_loss)):
        epochs.append(i + 1)
    # left: loss
    left = axes[0]
    left.plot(epochs, history.train_loss, label="training")
    left.plot(epochs, history.val_loss, label="validation")
    left.set_title("Loss")
    left.set_xlabel("epoch")
    left.set_ylabel("cross-entropy")
    left.legend()
    # right: accuracy
    right = axes[1]
    right.plot(epochs, history.train_accuracy, label="training")
    right.plot(epochs, history.val_accuracy, label="validation")
    right.set_title("Accuracy")
    right.set_xlabel("epoch")
    right.set_ylabel("part that is right")
    right.legend()
    for axis in (left, right):
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure


def plot_confusion_matrix(cm: np.ndarray, class_names: Sequence[str], normalize: bool = False) -> Figure:
    matrix = np.asarray(cm)
    if normalize:
        parts = np.zeros(matrix.shape)
        for row in range(matrix.shape[0]):
            total = matrix[row].sum()
            if total > 0:
                for column in range(matrix.shape[1]):
                    parts[row, column] = matrix[row, column] / total
        matrix = parts
    figure, axis = plt.subplots(figsize=(8, 7))
    axis.imshow(matrix, cmap="Oranges")
    positions = list(range(len(class_names)))
    axis.set_xticks(positions)
    axis.set_xticklabels(class_names, rotation=45, ha="right")
    axis.set_yticks(positions)
    axis.set_yticklabels(class_names)
    axis.set_xlabel("Predicted class")
    axis.set_ylabel("True class")
    for row in range(matrix.shape[0]):
        for column in range(matrix.shape[1]):
            value = matrix[row, column]
            if normalize:
                text = str(round(float(value), 2))
            else:
                text = str(int(value))
            axis.text(column, row, text, horizontalalignment="center", verticalalignment="center")
    figure.tight_layout()
    return figure


def plot_predictions(
    images: torch.Tensor,
    y_true: Sequence[int],
    y_pred: Sequence[int],
    class_names: Sequence[str],
    mean: Sequence[float],
    std: Sequence[float],
) -> Figure:
    n = len(images)
    columns = 4
    rows = (n + columns - 1) // columns
    if rows == 0:
        rows = 1
    figure = plt.figure(figsize=(2.5 * columns, 2.7 * rows))
    for i in range(n):
        image = images[i].detach().cpu().clone().float()
        for channel in range(3):
            image[channel] = image[channel] * std[channel] + mean[channel]
        image = image.clamp(0.0, 1.0)
        image = image.permute(1, 2, 0)
        true_name = class_names[int(y_true[i])]
        predicted_name = class_names[int(y_pred[i])]
        axis = figure.add_subplot(rows, columns, i + 1)
        axis.imshow(image.numpy())
        axis.set_xticks([])
        axis.set_yticks([])
        if int(y_true[i]) == int(y_pred[i]):
            axis.set_title("right: " + predicted_name)
        else:
            axis.set_title("WRONG: " + predicted_name + "\ntruth: " + true_name)
    figure.tight_layout()
    return figure
