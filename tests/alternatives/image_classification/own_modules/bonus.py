"""Bonus: augmentation, mixup, corruptions."""

from collections.abc import Callable, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from accelerate import Accelerator
from evaluate import accuracy, predict
from matplotlib.figure import Figure
from torch import nn
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


class Mirror(nn.Module):
    """Every second image from left to right."""

    def forward(self, image: object) -> object:
        return v2.functional.hflip(image) if torch.randint(2, ()) else image


def augmentation(policy: str) -> Callable:
    policies = {"none": (), "standard": (PadCrop(4), Mirror()), "trivial_augment": (v2.TrivialAugmentWide(),)}
    try:
        return nn.Sequential(*policies[policy])
    except KeyError:
        raise ValueError(f"expected one of {', '.join(policies)}, found {policy!r}") from None


def mixup(
    batch: tuple[torch.Tensor, torch.Tensor], alpha: float, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    order = torch.randperm(len(batch[0]), generator=generator)
    weight = 1.0
    if alpha > 0:
        (seed,) = torch.randint(2**40, (1,), generator=generator).tolist()
        weight = float(np.random.default_rng([seed, 1]).beta(alpha, alpha))
    images, targets = (weight * values + (1 - weight) * values[order] for values in batch)
    return images, targets


class Noise(nn.Module):
    def __init__(self, deviation: float) -> None:
        super().__init__()
        self.deviation = deviation

    def forward(self, images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        return images + self.deviation * torch.randn(*images.shape, generator=generator, dtype=images.dtype)


class Blur(nn.Module):
    def __init__(self, sigma: float) -> None:
        super().__init__()
        radius = int(np.ceil(4 * sigma))
        bell = torch.exp(-0.5 * (torch.arange(-radius, radius + 1, dtype=torch.float64) / sigma) ** 2)
        self.conv = nn.Conv2d(3, 3, 2 * radius + 1, padding="same", padding_mode="replicate", groups=3, bias=False)
        kernel = torch.outer(bell, bell)
        self.conv.weight = nn.Parameter((kernel / kernel.sum()).expand_as(self.conv.weight), requires_grad=False)

    def forward(self, images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        return self.conv.to(images.dtype)(images)


class Brightness(nn.Module):
    def __init__(self, more: float) -> None:
        super().__init__()
        self.more = more

    def forward(self, images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        return images + self.more


class Contrast(nn.Module):
    def __init__(self, left: float) -> None:
        super().__init__()
        self.left = left

    def forward(self, images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        mean = images.flatten(1).mean(dim=1)[:, None, None, None]
        return self.left * images + (1 - self.left) * mean


CORRUPTIONS = {"noise": Noise, "blur": Blur, "brightness": Brightness, "contrast": Contrast}


def corrupt(images: torch.Tensor, name: str, severity: int, generator: torch.Generator) -> torch.Tensor:
    disturb = CORRUPTIONS[name](STRENGTHS[name][severity - 1])
    with torch.no_grad():
        return disturb(images, generator).clamp(min=0, max=1)


class Numbered(Dataset):
    """(place, image, label) for each image of a dataset."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, i: int) -> tuple[int, torch.Tensor, int]:
        return i, *self.dataset[i]


class Disturb:
    """Makes a batch of disturbed images; the noise follows from the seed and the first image's place."""

    def __init__(self, name: str, severity: int, seed: int) -> None:
        self.name, self.severity, self.seed = name, severity, seed

    def __call__(self, rows: list[tuple[int, torch.Tensor, int]]) -> tuple[torch.Tensor, torch.Tensor]:
        places, images, labels = zip(*rows)
        generator = torch.Generator().manual_seed(self.seed * 100_003 + places[0])
        images = corrupt(torch.stack(images), self.name, self.severity, generator)
        return images, torch.tensor([int(label) for label in labels])


class Normalised(nn.Module):
    """A model that gets its images normalised."""

    def __init__(self, model: nn.Module, normalize: Callable | None) -> None:
        super().__init__()
        self.model, self.normalize = model, normalize
        self.training = model.training

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.model(images if self.normalize is None else self.normalize(images))


def robustness(
    model: nn.Module,
    dataset: Dataset,
    corruptions: Sequence[str],
    accelerator: Accelerator,
    normalize: Callable[[torch.Tensor], torch.Tensor] | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    whole = Normalised(model, normalize)

    def measure(name: str, severity: int) -> float:
        loader = DataLoader(Numbered(dataset), batch_size=BATCH_SIZE, collate_fn=Disturb(name, severity, seed))
        y_true, logits = predict(whole, loader, accelerator)
        return accuracy(y_true, logits.argmax(axis=1))

    series = [pd.Series({severity: measure(name, severity) for severity in SEVERITIES}, name=name) for name in corruptions]
    return pd.DataFrame(series, columns=list(SEVERITIES))


def plot_robustness(results: pd.DataFrame) -> Figure:
    figure, axis = plt.subplots(layout="constrained")
    lines = axis.plot(results.columns.to_numpy(), results.to_numpy().T, marker="^")
    axis.legend(lines, list(results.index), loc="lower left")
    axis.set_xticks(list(SEVERITIES))
    axis.set_xlabel("severity (1 to 5)")
    axis.set_ylabel("part recognised")
    axis.set_title("Accuracy over severity")
    return figure
