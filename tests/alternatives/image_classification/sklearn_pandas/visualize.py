"""Pictures by pandas and scikit-learn."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.metrics import ConfusionMatrixDisplay


def plot_history(history):
    fig, axes = plt.subplots(1, 2, figsize=(10, 4))
    for ax, what in zip(axes, ["loss", "accuracy"], strict=True):
        values = {"train": getattr(history, f"train_{what}"), "validation": getattr(history, f"val_{what}")}
        frame = pd.DataFrame(values)
        frame.index = frame.index + 1
        frame.plot(ax=ax, marker=".", xlabel="epoch", ylabel=what, title=what)
    return fig


def plot_confusion_matrix(cm, class_names, normalize=False):
    cm = np.asarray(cm)
    if normalize:
        cm = pd.DataFrame(cm).div(cm.sum(axis=1), axis=0).fillna(0).to_numpy()
    fig, ax = plt.subplots(figsize=(8, 8))
    display = ConfusionMatrixDisplay(cm, display_labels=list(class_names))
    display.plot(ax=ax, xticks_rotation="vertical", values_format=".2f" if normalize else "d", colorbar=False)
    ax.set_title("Confusion matrix")
    return fig


def plot_predictions(images, y_true, y_pred, class_names, mean, std):
    images = np.asarray(images.detach().cpu(), dtype="float64").transpose(0, 2, 3, 1)
    images = images * np.asarray(std) + np.asarray(mean)
    fig, axes = plt.subplots(1, len(images), figsize=(1.5 * len(images), 2.2), squeeze=False)
    for k, ax in enumerate(axes[0]):
        ax.imshow(images[k].clip(0, 1))
        true, predicted = int(y_true[k]), int(y_pred[k])
        if true == predicted:
            ax.set_title(class_names[predicted], color="green")
        else:
            ax.set_title(f"{class_names[predicted]} instead of {class_names[true]}", color="red", fontsize=7)
        ax.set_xticks([])
        ax.set_yticks([])
    return fig
