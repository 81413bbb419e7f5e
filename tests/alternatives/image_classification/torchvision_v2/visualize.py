"""Pictures."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from torchvision.transforms import v2

RIGHT, WRONG = "tab:green", "tab:red"


def plot_history(history: object) -> Figure:
    figure, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    names = {"train": ("training", "tab:blue"), "val": ("validation", "tab:orange")}
    for measure, axis in zip(("loss", "accuracy"), axes.flat, strict=True):
        for part, (name, colour) in names.items():
            values = getattr(history, f"{part}_{measure}")
            axis.plot(torch.arange(1, len(values) + 1), torch.tensor(values), color=colour, label=name)
        axis.set_xlabel("epoch")
        axis.set_ylabel(measure)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.legend()
    return figure


def plot_confusion_matrix(cm: np.ndarray, class_names: Sequence[str], normalize: bool = False) -> Figure:
    counts = torch.as_tensor(np.asarray(cm))
    shown = (counts / counts.sum(dim=1, keepdim=True)).nan_to_num(0.0) if normalize else counts
    ticks = {"ticks": range(len(class_names)), "labels": class_names}
    figure, axis = plt.subplots(layout="constrained")
    axis.imshow(shown.numpy(), cmap="Purples", aspect="equal")
    axis.set_xticks(**ticks, rotation=70)
    axis.set_yticks(**ticks)
    axis.set(xlabel="predicted as", ylabel="true class", title="Confusion" + " (rows add up to 1)" * normalize)
    middle = shown.double().mean()
    for place in torch.cartesian_prod(*map(torch.arange, shown.shape)).tolist():
        value = shown[tuple(place)].item()
        axis.text(*reversed(place), f"{value:.2f}" if normalize else value, ha="center", color="w" if value > 2 * middle else "k")
    return figure


def plot_predictions(
    images: torch.Tensor,
    y_true: Sequence[int],
    y_pred: Sequence[int],
    class_names: Sequence[str],
    mean: Sequence[float],
    std: Sequence[float],
) -> Figure:
    # the inverse of Normalize(mean, std) is a Normalize itself
    undo = v2.Normalize([-m / s for m, s in zip(mean, std, strict=True)], [1 / s for s in std])
    shown = undo(images.detach().float().as_subclass(torch.Tensor)).clamp(0, 1)
    figure = plt.figure(figsize=(10, 2 * max(1, -(-len(shown) // 5))), layout="constrained")
    for place, (image, true, pred) in enumerate(zip(shown, y_true, y_pred, strict=True), start=1):
        axis = figure.add_subplot(max(1, -(-len(shown) // 5)), 5, place)
        axis.imshow(v2.functional.to_pil_image(image.cpu()))
        axis.axis("off")
        right = int(true) == int(pred)
        text = class_names[int(pred)] + ("" if right else f" instead of {class_names[int(true)]}")
        axis.set_title(text, fontsize="small", color=(WRONG, RIGHT)[right])
    return figure
