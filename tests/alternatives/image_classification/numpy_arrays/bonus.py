"""Bonus: augmentation, mixup, robustness; NumPy does the arithmetic."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import torch
from accelerate import Accelerator
from evaluate import accuracy, predict
from matplotlib.figure import Figure
from scipy.ndimage import gaussian_filter1d
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

STRENGTHS = {
    "noise": (0.04, 0.08, 0.12, 0.18, 0.26),
    "blur": (0.4, 0.6, 0.8, 1.1, 1.5),
    "brightness": (0.1, 0.2, 0.3, 0.4, 0.5),
    "contrast": (0.75, 0.5, 0.4, 0.3, 0.15),
}
SEVERITIES = (1, 2, 3, 4, 5)
BATCH_SIZE = 64


class PadCrop(nn.Module):
    def __init__(self, padding: int) -> None:
        super().__init__()
        self.padding = padding

    def forward(self, image: object) -> object:
        return v2.RandomCrop(v2.functional.get_size(image), padding=self.padding)(image)


def augmentation(policy: str) -> Callable:
    if policy == "none":
        return lambda image: image
    if policy == "standard":
        shift, mirror = PadCrop(4), v2.RandomHorizontalFlip()
        return lambda image: mirror(shift(image))
    if policy == "trivial_augment":
        return v2.TrivialAugmentWide()
    raise ValueError(f"policy {policy!r} is none of: none, standard, trivial_augment")


def numpy_rng(generator: torch.Generator) -> np.random.Generator:
    """A NumPy generator seeded by the torch one."""
    words = torch.randint(0, 2**32, (4,), dtype=torch.int64, generator=generator)
    return np.random.default_rng(words.numpy())


def mixup(
    batch: tuple[torch.Tensor, torch.Tensor], alpha: float, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    images, targets = batch
    if alpha == 0:
        return images.clone(), targets.clone()
    rng = numpy_rng(generator)
    share = rng.beta(alpha, alpha)
    order = torch.from_numpy(rng.permutation(len(images)))
    return images * share + images[order] * (1 - share), targets * share + targets[order] * (1 - share)


def corrupt(images: torch.Tensor, name: str, severity: int, generator: torch.Generator) -> torch.Tensor:
    strength = STRENGTHS[name][severity - 1]
    x = images.detach().cpu().double().numpy().copy()  # (n, 3, h, w)
    if name == "noise":
        x += numpy_rng(generator).normal(scale=strength, size=x.shape)
    if name == "blur":
        for axis in (2, 3):
            x = gaussian_filter1d(x, strength, axis=axis, mode="nearest")
    if name == "brightness":
        x += strength
    if name == "contrast":
        means = x.reshape(len(x), -1).mean(axis=1).reshape(-1, 1, 1, 1)
        x = means + (x - means) * strength
    return torch.from_numpy(np.clip(x, 0, 1)).to(images)


def robustness(
    model: nn.Module,
    dataset: Dataset,
    corruptions: Sequence[str],
    accelerator: Accelerator,
    normalize: Callable[[torch.Tensor], torch.Tensor] | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    images = torch.stack([image for image, _ in dataset])
    labels = np.array([label for _, label in dataset])
    table = np.zeros((len(corruptions), 5))
    generator = torch.Generator()
    generator.manual_seed(seed)
    for row, name in enumerate(corruptions):
        for column, severity in enumerate(SEVERITIES):
            x = corrupt(images, name, severity, generator)
            if normalize is not None:
                x = normalize(x)
            loader = DataLoader(list(zip(x, labels.tolist(), strict=True)), batch_size=BATCH_SIZE)
            _, logits = predict(model, loader, accelerator)
            table[row, column] = accuracy(labels, np.argmax(logits, axis=1))
    return pd.DataFrame(table, list(corruptions), list(SEVERITIES))


def plot_robustness(results: pd.DataFrame) -> Figure:
    figure = Figure(figsize=(6, 4), layout="tight")
    axis = figure.add_subplot()
    x = np.array([int(column) for column in results.columns])
    for name, y in zip(results.index, results.to_numpy(), strict=True):
        axis.plot(x, y, marker=".", label=name)
    axis.set(xlabel="severity", ylabel="accuracy", xticks=x, ylim=(-0.02, 1.02))
    axis.set_title("Robustness")
    axis.legend()
    return figure
