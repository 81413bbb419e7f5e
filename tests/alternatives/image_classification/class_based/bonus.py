"""Augmentation and robustness."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import matplotlib.pyplot as plt
import pandas as pd
import torch
import torch.nn.functional as F
from accelerate import Accelerator
from evaluate import accuracy, predict
from matplotlib.figure import Figure
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


class Standard(nn.Module):
    def __init__(self, padding: int = 4, chance: float = 0.5) -> None:
        super().__init__()
        self.crop, self.chance = PadCrop(padding), chance

    def forward(self, image: object) -> object:
        image = self.crop(image)
        return v2.functional.horizontal_flip(image) if torch.rand(()) < self.chance else image


POLICIES = {"none": v2.Identity, "standard": Standard, "trivial_augment": v2.TrivialAugmentWide}


def augmentation(policy: str) -> Callable:
    try:
        return POLICIES[policy]()
    except KeyError:
        raise ValueError(f"expected a policy out of {', '.join(POLICIES)}; found {policy!r}") from None


@dataclass(frozen=True)
class Mix:
    weight: float
    order: torch.Tensor

    @classmethod
    def draw(cls, n: int, alpha: float, generator: torch.Generator) -> "Mix":
        order = torch.randperm(n, generator=generator)
        return cls(cls.beta(alpha, generator) if alpha > 0 else 1.0, order)

    @staticmethod
    def beta(alpha: float, generator: torch.Generator) -> float:
        """X / (X + Y) of two gamma variates, in logarithms: Gamma(a) is Gamma(a + 1) * U^(1/a)."""
        shape = torch.full((2,), alpha + 1, dtype=torch.float64)
        uniform = 1 - torch.rand(2, generator=generator, dtype=torch.float64)  # 0 excluded
        logs = torch._standard_gamma(shape, generator=generator).log() + uniform.log() / alpha
        return torch.sigmoid(logs[0] - logs[1]).item()

    def __call__(self, values: torch.Tensor) -> torch.Tensor:
        return self.weight * values + (1 - self.weight) * values[self.order]


def mixup(
    batch: tuple[torch.Tensor, torch.Tensor], alpha: float, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    images, targets = batch
    mix = Mix.draw(len(images), alpha, generator)
    return mix(images), mix(targets)


@dataclass(frozen=True)
class Corruption:
    strength: float
    generator: torch.Generator

    def noise(self, x: torch.Tensor) -> torch.Tensor:
        return x + torch.empty_like(x).normal_(0, self.strength, generator=self.generator)

    def blur(self, x: torch.Tensor) -> torch.Tensor:
        radius = math.ceil(4 * self.strength)
        steps = torch.arange(-radius, radius + 1, dtype=x.dtype, device=x.device)
        kernel = torch.softmax(-(steps**2) / (2 * self.strength**2), dim=0).expand(3, 1, 1, -1)
        x = F.pad(x, (radius,) * 4, mode="replicate")
        return F.conv2d(F.conv2d(x, kernel, groups=3), kernel.mT, groups=3)

    def brightness(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.strength

    def contrast(self, x: torch.Tensor) -> torch.Tensor:
        return torch.lerp(x.mean(dim=(-3, -2, -1), keepdim=True), x, self.strength)


def corrupt(images: torch.Tensor, name: str, severity: int, generator: torch.Generator) -> torch.Tensor:
    corruption = Corruption(STRENGTHS[name][severity - 1], generator)
    return getattr(corruption, name)(images).clamp(0, 1)


class Disturbed(Dataset):
    """Disturbs each image when it is asked for, with noise that follows from its place."""

    def __init__(self, dataset: Dataset, name: str, severity: int, normalize: Callable | None, seed: int) -> None:
        self.dataset, self.name, self.severity, self.normalize, self.seed = dataset, name, severity, normalize, seed

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, i: int) -> tuple[torch.Tensor, int]:
        image, label = self.dataset[i]
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + i)
        batch = corrupt(image[None], self.name, self.severity, generator)  # a batch of one
        return (batch if self.normalize is None else self.normalize(batch))[0], label


def robustness(
    model: nn.Module,
    dataset: Dataset,
    corruptions: Sequence[str],
    accelerator: Accelerator,
    normalize: Callable[[torch.Tensor], torch.Tensor] | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    def measured(name: str, severity: int) -> float:
        loader = DataLoader(Disturbed(dataset, name, severity, normalize, seed), BATCH_SIZE)
        y_true, logits = predict(model, loader, accelerator)
        return accuracy(y_true, logits.argmax(axis=-1))

    columns = {severity: [measured(name, severity) for name in corruptions] for severity in SEVERITIES}
    return pd.DataFrame(columns, index=pd.Index(list(corruptions), name="corruption"))


def plot_robustness(results: pd.DataFrame) -> Figure:
    figure, axis = plt.subplots(figsize=(6, 4))
    for name, row in results.iterrows():
        axis.plot(row.index.astype(int), row.values, "o-", label=name)
    axis.set(xlabel="severity of the disturbance", ylabel="accuracy", xticks=SEVERITIES)
    axis.legend(loc="lower left")
    figure.suptitle("Accuracy under disturbance")
    return figure
