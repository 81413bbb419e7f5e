"""Small classes that the tasks share."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from PIL import Image, ImageOps, ImageStat
from torch import nn


@dataclass(frozen=True)
class Record:
    """A row of the table of labels."""

    id: str
    label: str


@dataclass
class PixelMoments:
    """Number, mean and summed squared deviation of pixels; two of them can be added (Chan et al., 1979)."""

    n: int = 0
    mean: torch.Tensor = field(default_factory=lambda: torch.zeros(3, dtype=torch.float64))
    m2: torch.Tensor = field(default_factory=lambda: torch.zeros(3, dtype=torch.float64))

    @classmethod
    def of(cls, image: torch.Tensor) -> PixelMoments:
        pixels = image.to(torch.float64).reshape(3, -1)
        mean = pixels.mean(dim=1)
        return cls(pixels.shape[1], mean, (pixels - mean[:, None]).pow(2).sum(dim=1))

    def __add__(self, other: PixelMoments) -> PixelMoments:
        n = self.n + other.n
        gap = other.mean - self.mean
        return PixelMoments(n, self.mean + gap * other.n / n, self.m2 + other.m2 + gap**2 * self.n * other.n / n)

    @property
    def std(self) -> torch.Tensor:
        return (self.m2 / max(1, self.n - 1)).sqrt()


@dataclass(frozen=True)
class Fit:
    """Makes an image square by repeating its outermost pixels, then scales it; proportions are kept."""

    size: int

    def __call__(self, image: Image.Image) -> Image.Image:
        longest = max(image.size)
        square = Image.new("RGB", (longest, longest))
        left, top = (longest - image.width) // 2, (longest - image.height) // 2
        right, bottom = longest - image.width - left, longest - image.height - top
        # stretch the four edges into the margins, then put the image on top
        if left:
            square.paste(image.crop((0, 0, 1, image.height)).resize((left, image.height)), (0, top))
        if right:
            edge = image.crop((image.width - 1, 0, image.width, image.height))
            square.paste(edge.resize((right, image.height)), (left + image.width, top))
        if top:
            square.paste(image.crop((0, 0, image.width, 1)).resize((image.width, top)), (left, 0))
        if bottom:
            edge = image.crop((0, image.height - 1, image.width, image.height))
            square.paste(edge.resize((image.width, bottom)), (left, top + image.height))
        square.paste(image, (left, top))
        return square.resize((self.size, self.size), Image.Resampling.LANCZOS)


@dataclass(frozen=True)
class Jitter:
    """Moves an image by some pixels, turns it a little, mirrors every second one."""

    reach: float = 0.1
    degrees: float = 7.0

    def __call__(self, image: Image.Image) -> Image.Image:
        dx, dy = (round(random.uniform(-1, 1) * self.reach * side) for side in image.size)
        colour = tuple(map(round, ImageStat.Stat(image).mean))
        image = image.rotate(
            random.uniform(-self.degrees, self.degrees), Image.Resampling.BILINEAR, translate=(dx, dy), fillcolor=colour
        )
        return ImageOps.mirror(image) if random.random() < 0.5 else image


@dataclass
class Meter:
    """Sums over samples."""

    loss: float = 0.0
    hits: int = 0
    n: int = 0

    def update(self, losses: torch.Tensor, hits: torch.Tensor) -> None:
        self.loss += losses.double().sum().item()
        self.hits += int(hits.sum())
        self.n += len(hits)

    @property
    def means(self) -> tuple[float, float]:
        return self.loss / self.n, self.hits / self.n


@dataclass
class Best:
    """The weights of the best epoch so far."""

    accuracy: float = -math.inf
    weights: dict[str, torch.Tensor] = field(default_factory=dict)

    def offer(self, accuracy: float, model: nn.Module) -> None:
        if accuracy > self.accuracy:
            self.accuracy = accuracy
            self.weights = {name: value.detach().to("cpu", copy=True) for name, value in model.state_dict().items()}

    def state_dict(self) -> dict:
        return vars(self).copy()

    def load_state_dict(self, state: dict) -> None:
        self.__init__(**state)


@contextmanager
def answering(model: nn.Module) -> Iterator[nn.Module]:
    """The model in eval mode and without gradients; all its modules' modes are put back."""
    modes = {module: module.training for module in model.modules()}
    try:
        with torch.no_grad():
            yield model.eval()
    finally:
        for module, mode in modes.items():
            module.training = mode
