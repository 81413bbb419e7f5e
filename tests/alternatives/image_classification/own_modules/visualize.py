"""Task 5: pictures."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FixedFormatter, FixedLocator, MaxNLocator


class Course:
    """One measure over the epochs."""

    def __init__(self, history: object, measure: str) -> None:
        self.measure = measure
        self.values = {part: list(getattr(history, f"{part}_{measure}")) for part in ("train", "val")}

    def draw(self, axis: plt.Axes) -> None:
        handles = []
        for values in self.values.values():
            handles += axis.plot(range(1, 1 + len(values)), values, marker="|")
        axis.legend(handles, ["on training images", "on validation images"])
        axis.set_xlabel("epoch")
        axis.set_ylabel(f"mean {self.measure}")
        axis.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))


def plot_history(history: object) -> Figure:
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4))
    Course(history, "loss").draw(left)
    Course(history, "accuracy").draw(right)
    figure.tight_layout()
    return figure


def plot_confusion_matrix(cm: np.ndarray, class_names: Sequence[str], normalize: bool = False) -> Figure:
    cm = np.asarray(cm)
    if normalize:
        cm = np.nan_to_num(cm / np.where(cm.any(axis=1), cm.sum(axis=1), np.inf)[:, None])
    figure, axis = plt.subplots(figsize=(7, 6), layout="constrained")
    picture = axis.imshow(cm, cmap="viridis")
    figure.colorbar(picture, ax=axis, label="part of the true class" if normalize else "images")
    for side, name in ((axis.xaxis, "predicted class"), (axis.yaxis, "true class")):
        side.set_major_locator(FixedLocator(range(len(cm))))
        side.set_major_formatter(FixedFormatter(list(class_names)))
        side.set_label_text(name)
    axis.tick_params(axis="x", rotation=90)
    outline = [withStroke(linewidth=2, foreground="black")]
    for (t, p), value in np.ndenumerate(cm):
        text = f"{value:.2f}".lstrip("0") if normalize else str(value)
        axis.text(p, t, text, ha="center", va="center", color="white", path_effects=outline)
    return figure


class Denormalise(torch.nn.Module):
    """(n, 3, h, w) as the network saw them -> (n, h, w, 3) between 0 and 1."""

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(tuple(mean), dtype=torch.float32))
        self.register_buffer("std", torch.tensor(tuple(std), dtype=torch.float32))

    @torch.no_grad()
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return (images.float().cpu().permute(0, 2, 3, 1) * self.std + self.mean).clamp(0, 1)


def plot_predictions(
    images: torch.Tensor,
    y_true: Sequence[int],
    y_pred: Sequence[int],
    class_names: Sequence[str],
    mean: Sequence[float],
    std: Sequence[float],
) -> Figure:
    pictures = Denormalise(mean, std)(images).numpy()
    rows = max(1, round(len(pictures) ** 0.5))
    columns = max(1, int(np.ceil(len(pictures) / rows)))
    figure = plt.figure(figsize=(1.9 * columns, 2.1 * rows), layout="constrained")
    for i, (picture, true, predicted) in enumerate(zip(pictures, y_true, y_pred)):
        axis = figure.add_subplot(rows, columns, i + 1, xticks=[], yticks=[])
        axis.imshow(picture)
        wrong = bool(true != predicted)
        title = f"taken for {class_names[predicted]}" + f"\nbut is {class_names[true]}" * wrong
        axis.set_title(title, size=8, weight="bold" if wrong else "normal", color=("tab:blue", "tab:red")[wrong])
    return figure
