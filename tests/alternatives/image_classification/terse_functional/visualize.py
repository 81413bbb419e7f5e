"""Figures without pyplot."""

import numpy as np
import torch
from matplotlib.figure import Figure


def plot_history(history):
    fig = Figure(figsize=(9, 4))
    for ax, what in zip(fig.subplots(2, 1, sharex=True), ("loss", "accuracy"), strict=True):
        for part in ("train", "val"):
            values = getattr(history, f"{part}_{what}")
            ax.plot(np.arange(len(values)) + 1, values, ".-")
        ax.legend(["train", "val"])
        ax.set(xlabel="Epoch", ylabel=what.title())
    return fig


def plot_confusion_matrix(cm, class_names, normalize=False):
    m = np.asarray(cm, dtype="float64")
    if normalize:
        m = np.nan_to_num(m / np.where(m.sum(1) == 0, 1, m.sum(1))[:, None])
    ax = (fig := Figure(figsize=(6, 6))).add_subplot()
    ax.pcolormesh(m, cmap="Greys")
    ax.invert_yaxis()
    middle = np.arange(len(m)) + 0.5
    ax.set_xticks(middle, class_names, rotation=60)
    ax.set_yticks(middle, class_names)
    ax.set(xlabel="predicted", ylabel="actual", title="Who is taken for whom")
    for (i, j), v in np.ndenumerate(m):
        ax.annotate(
            f"{v:.2g}" if normalize else f"{v:.0f}", (j + 0.5, i + 0.5), ha="center", va="center", color="tab:red"
        )
    return fig


def plot_predictions(images, y_true, y_pred, class_names, mean, std):
    rows = int(np.ceil(len(images) / 5))
    fig = Figure(figsize=(10, 2.3 * rows))
    axes = fig.subplots(rows, 5, squeeze=False).ravel()
    for ax in axes[len(images) :]:
        fig.delaxes(ax)
    mean, std = (torch.as_tensor(v, dtype=torch.float32)[:, None, None] for v in (mean, std))
    for ax, x, t, p in zip(axes, images, y_true, y_pred, strict=False):
        ax.imshow((x * std + mean).clamp(0, 1).mul(255).round().byte().movedim(0, -1).numpy())
        t, p = class_names[int(t)], class_names[int(p)]
        ax.set_title(p if t == p else f"{p} (true: {t})", color="k")
        ax.set_xticks([])
        ax.set_yticks([])
        for spine in ax.spines.values():
            spine.set(edgecolor="limegreen" if t == p else "crimson", linewidth=3)
    return fig
