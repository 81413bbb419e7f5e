"""Figures, most of them drawn by pandas."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

RIGHT, WRONG = "tab:green", "tab:red"


def plot_history(history: object) -> Figure:
    figure, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    for axis, measure in zip(axes, ("loss", "accuracy"), strict=True):
        columns = {word: getattr(history, f"{part}_{measure}") for part, word in (("train", "training"), ("val", "validation"))}
        course = pd.DataFrame({word: pd.Series(values, dtype="float64") for word, values in columns.items()})
        course.set_axis(course.index + 1).plot(ax=axis, marker="o", xlabel="epoch", ylabel=measure, title=measure)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure


def plot_confusion_matrix(cm: np.ndarray, class_names: Sequence[str], normalize: bool = False) -> Figure:
    table = pd.DataFrame(np.asarray(cm), index=list(class_names), columns=list(class_names))
    if normalize:
        table = table.div(table.sum(axis=1), axis=0).fillna(0.0)
    figure, axis = plt.subplots(figsize=(2 + 0.6 * len(table), 2 + 0.6 * len(table)), layout="constrained")
    axis.imshow(table.to_numpy(), cmap="Blues", vmin=0)
    top = table.to_numpy().max()
    for (row, column), value in np.ndenumerate(table.to_numpy()):
        text = f"{value:.2f}" if normalize else f"{value:g}"
        axis.text(column, row, text, ha="center", va="center", color="white" if value > top / 2 else "black")
    axis.set_xticks(range(len(table)), table.columns, rotation=60)
    axis.set_yticks(range(len(table)), table.index)
    axis.set(xlabel="predicted class", ylabel="true class")
    return figure


def plot_predictions(
    images: torch.Tensor,
    y_true: Sequence[int],
    y_pred: Sequence[int],
    class_names: Sequence[str],
    mean: Sequence[float],
    std: Sequence[float],
) -> Figure:
    shown = images.detach().cpu() * torch.tensor(std).view(3, 1, 1) + torch.tensor(mean).view(3, 1, 1)
    answers = pd.DataFrame({"true": np.asarray(y_true, dtype=int), "pred": np.asarray(y_pred, dtype=int)})
    answers = answers.apply(lambda column: column.map(lambda label: class_names[label]))
    columns = max(1, min(6, len(answers)))
    rows = max(1, -(-len(answers) // columns))
    figure = plt.figure(figsize=(2 * columns, 2.3 * rows), layout="constrained")
    for place, (true, pred) in enumerate(answers.itertuples(index=False)):
        axis = figure.add_subplot(rows, columns, place + 1)
        axis.imshow(shown[place].permute(1, 2, 0).clamp(0, 1).float().numpy())
        axis.set_title(pred if true == pred else f"{pred}, not {true}", color=RIGHT if true == pred else WRONG)
        axis.axis("off")
    return figure
