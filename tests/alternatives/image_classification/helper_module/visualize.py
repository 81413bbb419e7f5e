"""Task 5: pictures."""

import numpy as np
from helpers import lines, named_sides, new_axes
from matplotlib.ticker import MaxNLocator


def plot_history(history):
    figure, axes = new_axes(2, width=2, size=4)
    for axis, measure in zip(axes, ("loss", "accuracy")):
        curves = {part: getattr(history, f"{key}_{measure}") for key, part in (("train", "learnt"), ("val", "held out"))}
        epochs = list(range(1, len(curves["learnt"]) + 1))
        lines(axis, epochs, curves, xlabel="epoch", ylabel=measure, title=f"{measure} by epoch")
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure


def plot_confusion_matrix(cm, class_names, normalize=False):
    cm = np.asarray(cm)
    sums = cm.sum(axis=1)[:, np.newaxis]
    shares = cm / np.where(sums == 0, 1, sums)
    figure, [axis] = new_axes(1, size=6)
    axis.imshow(shares if normalize else cm, cmap="Purples")
    named_sides(axis, list(class_names), "what it was taken for (predicted)", "what it is (true)")
    for t in range(len(cm)):
        for p in range(len(cm)):
            # the image tells the share by its colour; the text tells how many images that are
            text = f"{shares[t, p]:.2f}\n({cm[t, p]})" if normalize else f"{cm[t, p]}"
            axis.text(p, t, text, ha="center", va="center", fontsize=7, color="black" if shares[t, p] < 0.6 else "white")
    return figure


def plot_predictions(images, y_true, y_pred, class_names, mean, std):
    shown = images.detach().cpu().double().movedim(1, 3).numpy() * np.asarray(std) + np.asarray(mean)
    figure, axes = new_axes(len(images), width=6, size=1.7)
    for axis, image, t, p in zip(axes, np.clip(shown, 0, 1), y_true, y_pred):
        axis.imshow(image)
        axis.set(xticks=[], yticks=[])
        title = class_names[p] if t == p else f"{class_names[p]} (true: {class_names[t]})"
        axis.set_title(title, fontsize=7, color="black" if t == p else "crimson")
        for spine in axis.spines.values():
            spine.set(color="limegreen" if t == p else "crimson", linewidth=3)
    return figure
