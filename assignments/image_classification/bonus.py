"""Bonus · More pictures out of the same ones, and how much disturbance the network bears."""

from collections.abc import Callable, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from accelerate import Accelerator
from evaluate import accuracy, predict
from matplotlib.figure import Figure
from torch import nn
from torch.utils.data import DataLoader, Dataset, TensorDataset
from torchvision.transforms import v2

# Strength of each corruption at the severities 1 to 5; images are between 0 (black) and 1 (white).
STRENGTHS = {
    "noise": (0.04, 0.08, 0.12, 0.18, 0.26),  # standard deviation of Gaussian noise, drawn for each value
    "blur": (0.4, 0.6, 0.8, 1.1, 1.5),  # standard deviation in pixels of a Gaussian that reaches two of them or more
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
    """A transform that makes another training image out of one.

    Args:
        policy: "none" leaves it as it is; "standard" crops a window of the same size out of the image padded by 4 pixels,
            and mirrors every second one left to right; "trivial_augment" is torchvision's `TrivialAugmentWide`.

    Returns:
        A function of a uint8 tensor (3, h, w) or a PIL image that gives another of the same kind and size.

    Raises:
        ValueError: another policy; the message names those there are.
    """
    raise NotImplementedError("Bonus: write augmentation().")


def mixup(
    batch: tuple[torch.Tensor, torch.Tensor], alpha: float, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Mix each image of a batch with another one, and their targets with them (Zhang et al., "mixup", 2018).

    One weight λ is drawn for the batch from Beta(alpha, alpha), and one order of the images; the result is
    λ · image + (1 - λ) · image at the same place in that order, and likewise for the targets.

    Args:
        batch: (images, targets): float (n, …) and float (n, classes), the targets as probabilities; left as they are.
        alpha: small for λ near 0 or 1; 0 for no mixing at all.
        generator: all that is random comes from it.

    Returns:
        (images, targets) in the same shapes.
    """
    # Hint: torch's Beta takes no generator. np.random.default_rng(seed).beta does, with a seed that the generator drew.
    images, targets = batch
    raise NotImplementedError("Bonus: write mixup().")


def corrupt(images: torch.Tensor, name: str, severity: int, generator: torch.Generator) -> torch.Tensor:
    """Disturb images as `STRENGTHS` says.

    Args:
        images: float (n, 3, h, w) between 0 and 1; left as they are.
        name: a key of `STRENGTHS`.
        severity: 1 to 5.
        generator: of the noise.

    Returns:
        float (n, 3, h, w), clipped to 0 … 1.
    """
    strength = STRENGTHS[name][severity - 1]
    raise NotImplementedError("Bonus: write corrupt().")


def robustness(
    model: nn.Module,
    dataset: Dataset,
    corruptions: Sequence[str],
    accelerator: Accelerator,
    normalize: Callable[[torch.Tensor], torch.Tensor] | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """The model's accuracy on the same images under each corruption at each severity.

    Args:
        model: maps (batch, 3, h, w) to logits (batch, classes).
        dataset: (image, label) pairs, the images float (3, h, w) between 0 and 1, all of one size.
        corruptions: keys of `STRENGTHS`.
        accelerator: as for `predict`.
        normalize: what the model needs done to images (n, 3, h, w) *after* they were corrupted; None for nothing.
        seed: of the noise.

    Returns:
        Accuracies: one row for each corruption, indexed by its name, and the columns 1 to 5.
    """
    images = torch.stack([image for image, _ in dataset])  # (n, 3, h, w)
    labels = torch.tensor([label for _, label in dataset])  # (n,)
    raise NotImplementedError("Bonus: write robustness().")


def plot_robustness(results: pd.DataFrame) -> Figure:
    """Plot accuracy over severity.

    Args:
        results: as `robustness` returns them.

    Returns:
        A figure with one axis: a line for each corruption, named in a legend, over the severities 1 to 5; a title and
        labels on both axes.
    """
    raise NotImplementedError("Bonus: write plot_robustness().")
