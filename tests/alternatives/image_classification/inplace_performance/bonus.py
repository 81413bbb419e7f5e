"""Bonus: augmentation and robustness, in as little memory as possible."""

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from accelerate import Accelerator
from evaluate import accuracy, predict
from matplotlib.figure import Figure
from torch import nn
from torch.utils.data import DataLoader, Dataset, TensorDataset
from torchvision.transforms import v2

STRENGTHS = {
    "noise": (0.04, 0.08, 0.12, 0.18, 0.26),  # standard deviation of Gaussian noise, drawn for each value
    "blur": (0.4, 0.6, 0.8, 1.1, 1.5),  # standard deviation of a Gaussian blur, in pixels
    "brightness": (0.1, 0.2, 0.3, 0.4, 0.5),  # added to all values
    "contrast": (0.75, 0.5, 0.4, 0.3, 0.15),  # what is left of each value's distance from its image's mean
}
SEVERITIES = (1, 2, 3, 4, 5)
BATCH_SIZE = 64  # images that one process corrupts and answers at a time


class PadCrop(nn.Module):
    """Crops an image of any size out of itself with a black border of some pixels; its place is drawn at each call. Given."""

    def __init__(self, padding: int) -> None:
        super().__init__()
        self.padding = padding

    def forward(self, image: object) -> object:
        """A window of the image's own size."""
        return v2.RandomCrop(v2.functional.get_size(image), padding=self.padding)(image)


def augmentation(policy: str) -> Callable:
    if policy == "none":
        return v2.Identity()
    if policy == "standard":
        return v2.Compose([PadCrop(4), v2.RandomHorizontalFlip()])
    if policy == "trivial_augment":
        return v2.TrivialAugmentWide(interpolation=v2.InterpolationMode.BILINEAR)
    raise ValueError(f"Expected one of none, standard, trivial_augment; found {policy!r}.")


def mixup(
    batch: tuple[torch.Tensor, torch.Tensor], alpha: float, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    images, targets = batch
    seed = torch.randint(2**62, (), generator=generator).item()
    order = torch.randperm(len(images), generator=generator)
    if alpha == 0:
        return images, targets
    weight = float(np.random.Generator(np.random.PCG64(seed)).beta(alpha, alpha))
    mixed = (images[order], targets[order])  # new tensors already
    for out, own in zip(mixed, batch):
        out.lerp_(own, weight)
    return mixed


@cache
def bell_of(sigma: float) -> torch.Tensor:
    x = torch.arange(-round(5 * sigma) - 1, round(5 * sigma) + 2, dtype=torch.float64)
    bell = x.div_(sigma).square_().mul_(-0.5).exp_()
    return bell.div_(bell.sum())


def blur(images: torch.Tensor, sigma: float) -> torch.Tensor:
    n, c, h, w = images.shape
    bell = bell_of(sigma).to(images.dtype)
    r = len(bell) // 2
    x = images.reshape(n * c, 1, h, w)
    x = F.conv2d(F.pad(x, (r, r, 0, 0), mode="replicate"), bell.view(1, 1, 1, -1))
    x = F.conv2d(F.pad(x, (0, 0, r, r), mode="replicate"), bell.view(1, 1, -1, 1))
    return x.view(n, c, h, w)


@torch.no_grad()
def corrupt(images: torch.Tensor, name: str, severity: int, generator: torch.Generator) -> torch.Tensor:
    strength = STRENGTHS[name][severity - 1]
    if name == "noise":
        out = torch.randn(images.shape, generator=generator, dtype=images.dtype).mul_(strength).add_(images)
    elif name == "blur":
        out = blur(images, strength)
    elif name == "brightness":
        out = images + strength
    else:
        out = images * strength
        out.add_(images.mean(dim=(1, 2, 3), keepdim=True), alpha=1 - strength)
    return out.clamp_(0, 1)


def robustness(
    model: nn.Module,
    dataset: Dataset,
    corruptions: Sequence[str],
    accelerator: Accelerator,
    normalize: Callable[[torch.Tensor], torch.Tensor] | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    images, labels = zip(*[(image, int(label)) for image, label in dataset])
    images, labels = torch.stack(images), torch.tensor(labels)
    generator, disturbed = torch.Generator(), None
    table = np.empty((len(corruptions), len(SEVERITIES)))
    for row, name in enumerate(corruptions):
        for column, severity in enumerate(SEVERITIES):
            generator.manual_seed(seed)
            for start in range(0, len(images), BATCH_SIZE):
                part = corrupt(images[start : start + BATCH_SIZE], name, severity, generator)
                part = part if normalize is None else normalize(part)
                if disturbed is None:  # filled anew for each entry
                    disturbed = part.new_empty((len(images), *part.shape[1:]))
                disturbed[start : start + len(part)] = part
            loader = DataLoader(TensorDataset(disturbed, labels), batch_size=BATCH_SIZE)
            y_true, logits = predict(model, loader, accelerator)
            table[row, column] = accuracy(y_true, logits.argmax(axis=1))
    return pd.DataFrame(table, index=corruptions, columns=SEVERITIES)


def plot_robustness(results: pd.DataFrame) -> Figure:
    figure = Figure(figsize=(6, 4), layout="constrained")
    axis = figure.add_subplot(title="Accuracy when images are disturbed", xlabel="severity", ylabel="accuracy")
    severities = np.asarray(results.columns, dtype=int)
    for name, values in zip(results.index, results.to_numpy()):
        axis.plot(severities, values, marker="o", label=name)
    axis.set_xticks(severities)
    axis.legend(ncols=2)
    return figure
