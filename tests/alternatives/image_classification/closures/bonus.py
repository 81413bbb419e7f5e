"""Bonus: more images out of the same ones, and disturbed ones."""

import random
from collections.abc import Callable, Sequence
from itertools import product

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
    def none() -> Callable:
        return lambda image: image

    def standard() -> Callable:
        move = PadCrop(4)

        def run(image):
            image = move(image)
            return v2.functional.horizontal_flip(image) if torch.rand(1).item() < 0.5 else image

        return run

    def trivial_augment() -> Callable:
        return v2.TrivialAugmentWide()

    makers = {maker.__name__: maker for maker in (none, standard, trivial_augment)}
    if policy not in makers:
        raise ValueError(f"no policy {policy!r}; there are {', '.join(makers)}")
    return makers[policy]()


def mixup(
    batch: tuple[torch.Tensor, torch.Tensor], alpha: float, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    if alpha == 0:
        return batch
    draw = random.Random(torch.randint(2**53, (1,), generator=generator).item())
    weight, order = draw.betavariate(alpha, alpha), torch.randperm(len(batch[0]), generator=generator)

    def blend(values: torch.Tensor) -> torch.Tensor:
        return torch.lerp(values[order], values, weight)

    return tuple(map(blend, batch))


def blurred(images: torch.Tensor, sigma: float) -> torch.Tensor:
    """A Gaussian along each axis, with the border repeated outwards."""
    radius = int(4 * sigma + 0.5)
    line = torch.arange(-radius, radius + 1, dtype=images.dtype)
    line = torch.softmax(-(line**2) / (2 * sigma**2), dim=0)
    c = images.shape[1]
    padded = F.pad(images, (radius,) * 4, mode="replicate")
    down = F.conv2d(padded, line.view(1, 1, -1, 1).expand(c, 1, -1, 1), groups=c)
    return F.conv2d(down, line.view(1, 1, 1, -1).expand(c, 1, 1, -1), groups=c)


def corrupt(images: torch.Tensor, name: str, severity: int, generator: torch.Generator) -> torch.Tensor:
    strength = STRENGTHS[name][severity - 1]

    def noise():
        return torch.normal(images, strength, generator=generator)

    def blur():
        return blurred(images, strength)

    def brightness():
        return images.add(strength)

    def contrast():
        return torch.lerp(images.flatten(1).mean(1).view(-1, 1, 1, 1).expand_as(images), images, strength)

    return {f.__name__: f for f in (noise, blur, brightness, contrast)}[name]().clamp(0.0, 1.0)


def robustness(
    model: nn.Module,
    dataset: Dataset,
    corruptions: Sequence[str],
    accelerator: Accelerator,
    normalize: Callable[[torch.Tensor], torch.Tensor] | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    images, labels = zip(*((image, int(label)) for image, label in dataset))
    images, normalize = torch.stack(images), normalize or (lambda x: x)
    generator = torch.Generator().manual_seed(seed)  # one stream of noise for the whole table

    def pairs(name: str, severity: int):
        for part in images.split(BATCH_SIZE):
            yield from normalize(corrupt(part, name, severity, generator))

    table = pd.DataFrame(index=list(corruptions), columns=list(SEVERITIES), dtype=float)
    for name, severity in product(corruptions, SEVERITIES):
        loader = DataLoader(list(zip(pairs(name, severity), labels)), batch_size=BATCH_SIZE)
        y_true, logits = predict(model, loader, accelerator)
        table.loc[name, severity] = accuracy(y_true, logits.argmax(axis=1))
    return table


def plot_robustness(results: pd.DataFrame) -> Figure:
    figure = Figure(layout="constrained")
    axis = figure.add_subplot()
    for name, row in results.iterrows():
        axis.plot(row.index, row.values, "s-", label=name)
    axis.set_title("How much disturbance the network bears")
    axis.set_xlabel("severity")
    axis.set_ylabel("accuracy")
    axis.legend(title="corruption")
    return figure
