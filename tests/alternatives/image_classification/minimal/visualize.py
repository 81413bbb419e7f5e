"""Task 5: pictures."""

import math

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.ticker import MaxNLocator


def plot_history(history):
    figure, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    for axis, what in zip(axes, ("loss", "accuracy")):
        for part in ("train", "val"):
            values = getattr(history, f"{part}_{what}")
            axis.plot(range(1, len(values) + 1), values, "o-", label=part)
        axis.set(xlabel="epoch", ylabel=what)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.legend()
    return figure


def plot_confusion_matrix(cm, class_names, normalize=False):
    cm = np.asarray(cm)
    if normalize:
        cm = cm / np.maximum(cm.sum(1, keepdims=True), 1)
    figure, axis = plt.subplots(figsize=(7, 7), layout="constrained")
    axis.imshow(cm, cmap="Blues")
    for (t, p), value in np.ndenumerate(cm):
        axis.text(p, t, f"{value:.2f}" if normalize else value, ha="center", va="center")
    places = range(len(class_names))
    axis.set_xticks(places, class_names, rotation=90)
    axis.set_yticks(places, class_names)
    axis.set(xlabel="predicted class", ylabel="true class")
    return figure


def plot_predictions(images, y_true, y_pred, class_names, mean, std):
    images = images.detach().cpu() * torch.tensor(std).view(3, 1, 1) + torch.tensor(mean).view(3, 1, 1)
    n = len(images)
    figure = plt.figure(figsize=(10, 2 * math.ceil(n / 6)), layout="constrained")
    for i, image in enumerate(images.clamp(0, 1).permute(0, 2, 3, 1)):
        axis = figure.add_subplot(math.ceil(n / 6), 6, i + 1)
        axis.imshow(image)
        axis.axis("off")
        true, pred = class_names[y_true[i]], class_names[y_pred[i]]
        right = int(y_true[i]) == int(y_pred[i])
        axis.set_title(pred if right else f"{pred}, not {true}", color="green" if right else "red", fontsize=8)
    return figure
