"""Bonus: augmentation, mixup and a table of robustness."""

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
    policies = pd.Series(
        {
            "none": v2.Identity(),
            "standard": v2.Compose([PadCrop(4), v2.RandomHorizontalFlip(0.5)]),
            "trivial_augment": v2.TrivialAugmentWide(),
        }
    )
    if policy not in policies.index:
        raise ValueError(f"no policy {policy!r}; there are {', '.join(policies.index)}")
    return policies[policy]


def mixup(
    batch: tuple[torch.Tensor, torch.Tensor], alpha: float, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    images, targets = batch
    seed = int(torch.randint(2**31, (), generator=generator))
    weight = float(np.random.default_rng(seed).beta(alpha, alpha)) if alpha > 0 else 1.0
    order = torch.randperm(len(images), generator=generator)
    return tuple(weight * part + (1 - weight) * part[order] for part in (images, targets))


def corrupt(images: torch.Tensor, name: str, severity: int, generator: torch.Generator) -> torch.Tensor:
    strength = pd.DataFrame(STRENGTHS, index=list(SEVERITIES)).at[severity, name].item()
    if name == "noise":
        disturbed = images + strength * torch.randn(images.shape, generator=generator, dtype=images.dtype)
    elif name == "blur":
        disturbed = v2.functional.gaussian_blur(images, [9, 9], [strength, strength])
    elif name == "brightness":
        disturbed = images + strength
    else:
        centre = images.mean(dim=(1, 2, 3), keepdim=True)
        disturbed = centre + strength * (images - centre)
    return disturbed.clip(0, 1)


def robustness(
    model: nn.Module,
    dataset: Dataset,
    corruptions: Sequence[str],
    accelerator: Accelerator,
    normalize: Callable[[torch.Tensor], torch.Tensor] | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    images = torch.stack([image for image, _ in dataset])
    labels = torch.tensor([label for _, label in dataset])

    def measured(name: str, severity: int) -> float:
        disturbed = corrupt(images, name, severity, torch.Generator().manual_seed(seed))
        ready = disturbed if normalize is None else normalize(disturbed)
        y_true, logits = predict(model, DataLoader(TensorDataset(ready, labels), BATCH_SIZE), accelerator)
        return accuracy(y_true, logits.argmax(axis=1))

    return pd.DataFrame(
        [[measured(name, severity) for severity in SEVERITIES] for name in corruptions],
        index=list(corruptions),
        columns=list(SEVERITIES),
        dtype="float64",
    )


def plot_robustness(results: pd.DataFrame) -> Figure:
    figure, axis = plt.subplots(layout="constrained")
    results.T.plot(ax=axis, marker="s", xlabel="severity", ylabel="accuracy", title="Accuracy on disturbed images", ylim=(0, 1.02))
    axis.set_xticks(list(results.columns))
    axis.legend(title="corruption")
    return figure
