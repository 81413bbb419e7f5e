"""Augmentation and robustness by torchvision's transforms."""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import matplotlib.pyplot as plt
import pandas as pd
import torch
from accelerate import Accelerator
from evaluate import accuracy, predict
from matplotlib.figure import Figure
from torch import nn
from torch.utils.data import DataLoader, Dataset, default_collate
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
    match policy:
        case "none":
            return v2.Compose([v2.Identity()])
        case "standard":
            return v2.Compose([PadCrop(4), v2.RandomApply([v2.Lambda(v2.functional.horizontal_flip)], p=0.5)])
        case "trivial_augment":
            return v2.TrivialAugmentWide()
    raise ValueError(f"{policy!r} is not one of the policies none, standard, trivial_augment")


@contextmanager
def drawing_from(generator: torch.Generator) -> Iterator[None]:
    """Inside, torch's global generator is seeded by this one; outside nothing changes."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(torch.randint(2**62, (1,), generator=generator).item())
        yield


def mixup(
    batch: tuple[torch.Tensor, torch.Tensor], alpha: float, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    images, targets = batch
    if not alpha > 0:
        return images, targets
    with drawing_from(generator):
        lam = torch.distributions.Beta(*torch.full((2,), alpha, dtype=torch.float64)).sample().item()
        order = torch.randperm(images.size(0))
    return images.index_select(0, order).lerp(images, lam), targets.index_select(0, order).lerp(targets, lam)


def corrupt(images: torch.Tensor, name: str, severity: int, generator: torch.Generator) -> torch.Tensor:
    strength = STRENGTHS[name][severity - 1]
    if name == "noise":
        with drawing_from(generator):
            return v2.functional.gaussian_noise(images, mean=0.0, sigma=strength, clip=True)
    if name == "blur":
        radius = min(math.ceil(3 * strength), *(side - 1 for side in images.shape[-2:]))
        return v2.GaussianBlur(2 * radius + 1, (strength, strength))(images).clamp(0, 1)
    if name == "brightness":
        return (images + strength).clamp(0, 1)
    if name == "contrast":
        return (images * strength + images.mean((1, 2, 3), keepdim=True) * (1 - strength)).clamp(0, 1)
    raise ValueError(f"no corruption {name!r}")


def robustness(
    model: nn.Module,
    dataset: Dataset,
    corruptions: Sequence[str],
    accelerator: Accelerator,
    normalize: Callable[[torch.Tensor], torch.Tensor] | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    def collate(name: str, severity: int) -> Callable:
        def together(samples: list) -> tuple[torch.Tensor, torch.Tensor]:
            places, images, labels = default_collate([(i, *dataset[i]) for i in samples])
            generator = torch.Generator().manual_seed(seed + 31 * int(places[0]))
            images = corrupt(images, name, severity, generator)
            return (images if normalize is None else normalize(images)), labels

        return together

    table = pd.DataFrame(0.0, index=list(corruptions), columns=list(SEVERITIES))
    for row, name in enumerate(corruptions):
        for column, severity in enumerate(SEVERITIES):
            loader = DataLoader(range(len(dataset)), BATCH_SIZE, collate_fn=collate(name, severity))
            y_true, logits = predict(model, loader, accelerator)
            table.iloc[row, column] = accuracy(y_true, logits.argmax(axis=1))
    return table


def plot_robustness(results: pd.DataFrame) -> Figure:
    figure, axis = plt.subplots(figsize=(7, 4), layout="constrained")
    for name in results.index:
        axis.plot([1, 2, 3, 4, 5], results.loc[name].tolist(), ".-", label=name)
    axis.set(title="Accuracy by severity", xlabel="severity", ylabel="accuracy", xticks=[1, 2, 3, 4, 5])
    axis.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure
