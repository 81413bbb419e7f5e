"""Bonus: augmentation, mixup and corruptions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import matplotlib.pyplot as plt
import pandas as pd
import torch
from accelerate import Accelerator
from evaluate import accuracy, predict
from matplotlib.figure import Figure
from torch import nn
from torch.distributions import Beta
from torch.utils.data import DataLoader, Dataset
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


class Policy(StrEnum):
    NONE = "none"
    STANDARD = "standard"
    TRIVIAL_AUGMENT = "trivial_augment"


def augmentation(policy: str) -> Callable:
    match policy:
        case Policy.NONE:
            return nn.Identity()
        case Policy.STANDARD:
            return nn.Sequential(PadCrop(4), v2.RandomHorizontalFlip(0.5))
        case Policy.TRIVIAL_AUGMENT:
            return v2.TrivialAugmentWide()
        case _:
            raise ValueError(f"{policy!r} is no policy; choose one of {', '.join(Policy)}.")


def mixup(
    batch: tuple[torch.Tensor, torch.Tensor], alpha: float, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    match batch, alpha:
        case [images, targets], 0:
            return images.clone(), targets.clone()
        case [images, targets], _:
            order = torch.randperm(images.shape[0], generator=generator)
    with torch.random.fork_rng(devices=[]):  # torch's Beta knows the global generator alone
        torch.manual_seed(torch.randint(0, 2**31 - 1, (), generator=generator).item())
        part = Beta(float(alpha), float(alpha)).sample().item()
    return part * images + (1 - part) * images[order], part * targets + (1 - part) * targets[order]


def corrupt(images: torch.Tensor, name: str, severity: int, generator: torch.Generator) -> torch.Tensor:
    strength = STRENGTHS[name][severity - 1]
    match name:
        case "noise":
            result = torch.empty_like(images).normal_(0, strength, generator=generator) + images
        case "blur":
            reach = min(round(3.5 * strength) + 1, min(images.shape[-2:]) - 1)
            result = v2.GaussianBlur(2 * reach + 1, (strength, strength))(images)
        case "brightness":
            result = torch.add(images, strength)
        case "contrast":
            grey = torch.stack([image.mean() for image in images]).reshape(-1, 1, 1, 1)
            result = strength * images + (1 - strength) * grey
    return torch.clamp(result, min=0, max=1)


@dataclass(frozen=True, slots=True)
class Disturbed(Dataset):
    """Images, each with noise that follows from the seed and its place."""

    dataset: Dataset
    name: str
    severity: int
    normalize: Callable | None
    seed: int

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, i: int) -> tuple[torch.Tensor, int]:
        image, label = self.dataset[i]
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + i)
        image = corrupt(image.unsqueeze(0), self.name, self.severity, generator)
        return (image if self.normalize is None else self.normalize(image)).squeeze(0), int(label)


def robustness(
    model: nn.Module,
    dataset: Dataset,
    corruptions: Sequence[str],
    accelerator: Accelerator,
    normalize: Callable[[torch.Tensor], torch.Tensor] | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    def measured(name: str, severity: int) -> float:
        disturbed = Disturbed(dataset, name, severity, normalize, seed)
        y_true, logits = predict(model, DataLoader(disturbed, batch_size=BATCH_SIZE), accelerator)
        return accuracy(y_true, logits.argmax(axis=-1))

    columns = {severity: [measured(name, severity) for name in corruptions] for severity in SEVERITIES}
    return pd.DataFrame(columns, index=pd.Index(list(corruptions), name="corruption"))


def plot_robustness(results: pd.DataFrame) -> Figure:
    figure, axis = plt.subplots(figsize=(7, 4), layout="tight")
    for name in results.index:
        axis.plot(list(results.columns), results.loc[name].to_list(), marker="d", label=str(name))
    axis.set(title="Robustness", xlabel="severity of the corruption", ylabel="accuracy", ylim=(0, 1))
    axis.legend()
    return figure
