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
    ### BEGIN SOLUTION
    policies = {
        "none": v2.Identity,
        "standard": lambda: v2.Compose([PadCrop(4), v2.RandomHorizontalFlip()]),
        "trivial_augment": v2.TrivialAugmentWide,
    }
    if policy not in policies:
        raise ValueError(f"expected a policy out of {', '.join(policies)}; found {policy!r}.")
    return policies[policy]()
    ### END SOLUTION


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
    ### BEGIN SOLUTION
    if alpha == 0:
        return images.clone(), targets.clone()
    seed = int(torch.randint(2**31, (1,), generator=generator))
    weight = float(np.random.default_rng(seed).beta(alpha, alpha))
    order = torch.randperm(len(images), generator=generator).to(images.device)
    return tuple(weight * part + (1 - weight) * part[order] for part in (images, targets))
    ### END SOLUTION


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
    ### BEGIN SOLUTION
    if name == "noise":
        disturbed = images + strength * torch.randn(images.shape, generator=generator)
    elif name == "blur":
        disturbed = v2.functional.gaussian_blur(images, kernel_size=9, sigma=strength)
    elif name == "brightness":
        disturbed = images + strength
    else:
        mean = images.mean(dim=(1, 2, 3), keepdim=True)  # (n, 1, 1, 1)
        disturbed = mean + strength * (images - mean)
    return disturbed.clamp(0, 1)
    ### END SOLUTION


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
    ### BEGIN SOLUTION
    rows = {}
    for name in corruptions:
        rows[name] = []
        for severity in SEVERITIES:
            disturbed = corrupt(images, name, severity, torch.Generator().manual_seed(seed))
            if normalize is not None:
                disturbed = normalize(disturbed)
            loader = DataLoader(TensorDataset(disturbed, labels), batch_size=BATCH_SIZE)
            y_true, logits = predict(model, loader, accelerator)
            rows[name].append(accuracy(y_true, logits.argmax(axis=1)))
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(SEVERITIES))
    ### END SOLUTION


def plot_robustness(results: pd.DataFrame) -> Figure:
    """Plot accuracy over severity.

    Args:
        results: as `robustness` returns them.

    Returns:
        A figure with one axis: a line for each corruption, named in a legend, over the severities 1 to 5; a title and
        labels on both axes.
    """
    ### BEGIN SOLUTION
    figure, axis = plt.subplots(figsize=(6, 4), layout="constrained")
    for name, accuracies in results.iterrows():
        axis.plot(list(results.columns), accuracies, marker="o", label=name)
    axis.set(title="Accuracy under disturbance", xlabel="severity", ylabel="accuracy", xticks=list(results.columns))
    axis.set_ylim(0, 1)
    axis.grid(alpha=0.3)
    axis.legend(frameon=False)
    return figure
    ### END SOLUTION
