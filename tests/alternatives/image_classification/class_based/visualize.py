"""Pictures."""

from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MultipleLocator

RIGHT, WRONG = "tab:green", "tab:red"


@dataclass(frozen=True)
class Course:
    """What is drawn of one measure."""

    measure: str
    training: Sequence[float]
    validation: Sequence[float]

    def draw(self, axis: Axes) -> None:
        for name in ("training", "validation"):
            values = getattr(self, name)
            axis.plot(list(range(1, len(values) + 1)), values, marker="x", label=f"{self.measure} in {name}")
        axis.set(xlabel="epoch", ylabel=self.measure)
        axis.grid(alpha=0.3)
        axis.legend(frameon=False)
        if 0 < len(self.training) < 20:
            axis.xaxis.set_major_locator(MultipleLocator(1))


def plot_history(history: object) -> Figure:
    figure, (above, below) = plt.subplots(2, 1, sharex=True, figsize=(6, 7))
    Course("loss", history.train_loss, history.val_loss).draw(above)
    Course("accuracy", history.train_accuracy, history.val_accuracy).draw(below)
    return figure


@dataclass(frozen=True)
class Cell:
    value: float
    part: bool

    def __str__(self) -> str:
        return f"{self.value:.2g}" if self.part else f"{self.value:.0f}"


def plot_confusion_matrix(cm: np.ndarray, class_names: Sequence[str], normalize: bool = False) -> Figure:
    shown = np.asarray(cm)
    if normalize:
        shown = shown / np.maximum(shown.sum(axis=1), 1)[:, None]
    figure, axis = plt.subplots(figsize=(7, 6), layout="compressed")
    picture = axis.matshow(shown, cmap="magma_r")
    figure.colorbar(picture, label="part of the true class" if normalize else "images")
    for (t, p), value in np.ndenumerate(shown):
        colour = "white" if value > shown.max() * 0.6 else "black"
        axis.annotate(str(Cell(value, normalize)), (p, t), ha="center", va="center", color=colour)
    ticks = np.arange(len(class_names))
    axis.set_xticks(ticks, class_names, rotation="vertical")
    axis.set_yticks(ticks, class_names)
    axis.xaxis.tick_bottom()
    axis.set_ylabel("actual class")
    axis.set_xlabel("class predicted")
    return figure


@dataclass(frozen=True)
class Answer:
    pixels: np.ndarray  # (h, w, 3)
    true: str
    predicted: str

    def draw(self, axis: Axes) -> None:
        axis.imshow(self.pixels)
        axis.set_axis_off()
        wrong = self.true != self.predicted
        axis.set_title(f"{self.predicted} / {self.true}" if wrong else self.predicted)
        bar = Rectangle((0, -0.04), 1, 0.04, transform=axis.transAxes, color=WRONG if wrong else RIGHT, clip_on=False)
        axis.add_patch(bar)


def plot_predictions(
    images: torch.Tensor,
    y_true: Sequence[int],
    y_pred: Sequence[int],
    class_names: Sequence[str],
    mean: Sequence[float],
    std: Sequence[float],
) -> Figure:
    centre, spread = (torch.as_tensor(v, dtype=torch.float32).reshape(1, 3, 1, 1) for v in (mean, std))
    pixels = torch.addcmul(centre, images.detach().cpu().float(), spread).clamp(0, 1).movedim(1, -1).numpy()
    answers = [
        Answer(picture, class_names[int(t)], class_names[int(p)])
        for picture, t, p in zip(pixels, y_true, y_pred, strict=True)
    ]
    columns = 8
    figure = plt.figure(figsize=(2 * columns, 2.4 * max(1, -(-len(answers) // columns))), layout="constrained")
    grid = figure.add_gridspec(max(1, -(-len(answers) // columns)), columns)
    for place, answer in enumerate(answers):
        answer.draw(figure.add_subplot(grid[divmod(place, columns)]))
    return figure
