"""Task 5: pictures."""

import math

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import MaxNLocator


def plot_history(history):
    figure, (loss_axis, accuracy_axis) = plt.subplots(1, 2, figsize=(10, 4), constrained_layout=True)
    epochs = [i + 1 for i in range(len(history.train_loss))]
    loss_axis.plot(epochs, history.train_loss, color="black", marker="o", label="training")
    loss_axis.plot(epochs, history.val_loss, color="tab:red", marker="s", label="validation")
    loss_axis.set_ylabel("cross-entropy loss")
    accuracy_axis.plot(epochs, history.train_accuracy, color="black", marker="o", label="training")
    accuracy_axis.plot(epochs, history.val_accuracy, color="tab:red", marker="s", label="validation")
    accuracy_axis.set_ylabel("accuracy")
    for axis in (loss_axis, accuracy_axis):
        axis.set_xlabel("epoch")
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.legend()
    return figure


def plot_confusion_matrix(cm, class_names, normalize=False):
    cm = np.asarray(cm)
    n = len(class_names)
    values = cm.astype("float64") if normalize else cm.copy()
    if normalize:
        for t in range(n):
            images = cm[t].sum()
            for p in range(n):
                values[t, p] = cm[t, p] / images if images > 0 else 0.0
    figure, axis = plt.subplots(figsize=(1.5 + 0.6 * n, 1.5 + 0.6 * n), constrained_layout=True)
    axis.imshow(values, cmap="Reds", vmin=0, vmax=1 if normalize else max(1, values.max()))
    for t in range(n):
        for p in range(n):
            axis.text(p, t, f"{100 * values[t, p]:.0f} %" if normalize else f"{values[t, p]}", ha="center", va="center")
    axis.set_xticks(range(n))
    axis.set_xticklabels(class_names, rotation=90)
    axis.set_yticks(range(n))
    axis.set_yticklabels(class_names)
    axis.xaxis.set_label_position("top")
    axis.xaxis.tick_top()
    axis.set_xlabel("predicted class")
    axis.set_ylabel("actual class")
    return figure


def plot_predictions(images, y_true, y_pred, class_names, mean, std):
    pixels = images.detach().cpu().numpy()
    n, _, h, w = pixels.shape
    columns = math.isqrt(max(n - 1, 0)) + 1
    figure = plt.figure(figsize=(10, 10), constrained_layout=True)
    for i in range(n):
        picture = np.empty((h, w, 3))
        for c in range(3):
            picture[:, :, c] = pixels[i, c] * std[c] + mean[c]
        axis = figure.add_subplot(math.ceil(n / columns), columns, i + 1)
        axis.imshow(np.minimum(np.maximum(picture, 0), 1))
        axis.set_xticks([])
        axis.set_yticks([])
        t, p = int(y_true[i]), int(y_pred[i])
        if t == p:
            axis.set_title(f"[+] {class_names[p]}")
        else:
            axis.set_title(f"[-] {class_names[p]} instead of {class_names[t]}")
    return figure
