"""Task 5: pictures."""

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.ticker import MaxNLocator

LINES = {
    "train": {"label": "Training", "color": "0.5", "marker": "o", "linestyle": ":"},
    "val": {"label": "Validation", "color": "tab:purple", "marker": "o"},
}
AXES = {"loss": "Loss (cross-entropy)", "accuracy": "Accuracy"}
FORMATS = {True: "{:.2g}".format, False: "{:d}".format}
TITLES = {
    True: lambda pred, true: {"label": pred, "color": "teal"},
    False: lambda pred, true: {"label": f"{pred} / {true}", "color": "orangered"},
}


def plot_history(history):
    figure, axes = plt.subplots(2, 1, figsize=(6, 7), layout="constrained")
    for axis, (measure, name) in zip(axes, AXES.items()):
        for part, style in LINES.items():
            curve = dict(enumerate(getattr(history, f"{part}_{measure}"), start=1))
            axis.plot(list(curve), list(curve.values()), **style)
        axis.set(xlabel="Epoch", ylabel=name)
        axis.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
        axis.legend()
    return figure


def plot_confusion_matrix(cm, class_names, normalize=False):
    shares = {
        False: lambda m: m,
        True: lambda m: np.divide(m, m.sum(1, keepdims=True), where=m.sum(1, keepdims=True) != 0, out=np.zeros(m.shape)),
    }
    shown = shares[bool(normalize)](np.asarray(cm))
    figure, axis = plt.subplots(figsize=(7, 7), layout="constrained")
    axis.matshow(shown, cmap="YlGnBu")
    for (row, column), value in np.ndenumerate(shown):
        colour = {True: "white", False: "black"}[bool(value > 0.6 * shown.max())]
        axis.text(column, row, FORMATS[bool(normalize)](value), ha="center", va="center", color=colour)
    ticks = {"ticks": range(len(shown)), "labels": class_names}
    axis.set_xticks(**ticks, rotation=90)
    axis.set_yticks(**ticks)
    axis.tick_params(axis="x", bottom=False)
    axis.set(xlabel="Predicted label", ylabel="True label")
    return figure


def plot_predictions(images, y_true, y_pred, class_names, mean, std):
    stats = {name: torch.as_tensor(v, dtype=torch.float64)[:, None, None] for name, v in {"mean": mean, "std": std}.items()}
    pictures = images.detach().to("cpu", torch.float64).mul(stats["std"]).add(stats["mean"]).clamp(0, 1)
    n = len(pictures)
    columns = {1: 1, 2: 2, 3: 3, 4: 4}.get(n, 5)
    names = [[class_names[int(y)] for y in labels] for labels in (y_pred, y_true)]
    figure = plt.figure(figsize=(1.8 * columns, 2.0 * (1 + n // columns)), layout="constrained")
    for place, (picture, pred, true) in enumerate(zip(pictures, *names), start=1):
        axis = figure.add_subplot(-(-n // columns), columns, place)
        axis.imshow(picture.permute(1, 2, 0).numpy())
        axis.tick_params(left=False, bottom=False, labelleft=False, labelbottom=False)
        axis.set_title(**TITLES[pred == true](pred, true))
    return figure
