"""Task 1: from the table to batches."""

import csv
import random
from collections import namedtuple
from collections.abc import Callable, Sequence
from functools import reduce
from itertools import groupby
from pathlib import Path

import torch
import torch.nn.functional as F
from PIL import Image
from torch.utils.data import DataLoader, Dataset, RandomSampler, Subset
from torchvision.transforms import v2

def as_unit_tensor(image: object) -> torch.Tensor:
    """An image as float32 (3, height, width) between 0 and 1: of a PIL image, a uint8 or a float tensor. Given."""
    return v2.functional.to_dtype(v2.functional.to_image(image), torch.float32, scale=True).as_subclass(torch.Tensor)


def opener(folder: Path) -> Callable:
    """A function that reads one image of the folder by its id."""

    def read(name: str) -> Image.Image:
        with (folder / f"{name}.png").open("rb") as file:
            return Image.open(file).convert("RGB")

    return read


class ImageFolderCSV(Dataset):
    """The images that a table of labels lists, in the table's order."""

    def __init__(self, root: str | Path, labels_csv: str | Path, transform: Callable | None = None) -> None:
        with open(labels_csv, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        for column in ("id", "label"):
            if column not in (rows[0] if rows else ()):
                raise ValueError(f"{labels_csv}: no column {column}.")
        self.names, texts = zip(*((row["id"], row["label"]) for row in rows))
        self.classes = sorted(set(texts))
        place = {name: i for i, name in enumerate(self.classes)}
        self.labels = list(map(place.__getitem__, texts))
        self.folder, self.transform = Path(root), transform

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, i: int) -> tuple[object, int]:
        image = opener(self.folder)(self.names[i])
        return (self.transform(image) if self.transform is not None else image), self.labels[i]


class Mapped(Dataset):
    """A dataset whose images go through a function."""

    def __init__(self, dataset: Dataset, function: Callable) -> None:
        self.dataset, self.function = dataset, function

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, i: int) -> tuple[torch.Tensor, int]:
        image, label = self.dataset[i]
        return self.function(image), label


Moments = namedtuple("Moments", "n mean spread")  # spread: sum of squared distances from the mean


def merge(a: Moments, b: Moments) -> Moments:
    """Moments of two sets of pixels together (Chan's rule: nothing cancels)."""
    n, gap = a.n + b.n, b.mean - a.mean
    return Moments(n, a.mean + gap * (b.n / n), a.spread + b.spread + gap**2 * (a.n * b.n / n))


def channel_stats(dataset: Dataset) -> tuple[list[float], list[float]]:
    def moments():
        for i in range(len(dataset)):
            pixels = as_unit_tensor(dataset[i][0]).double().flatten(1)
            mean = pixels.mean(1)
            yield Moments(pixels.shape[1], mean, (pixels - mean[:, None]).square().sum(1))

    whole = reduce(merge, moments())
    return whole.mean.tolist(), (whole.spread / whole.n).sqrt().tolist()


def chain(*steps: Callable) -> Callable:
    """One function after the other."""

    def run(x):
        return reduce(lambda value, step: step(value), steps, x)

    return run


def jiggle(pixels: int) -> Callable:
    """Moves an image by up to some pixels, the edge repeated, and mirrors every second one."""

    def run(x: torch.Tensor) -> torch.Tensor:
        h, w = x.shape[1:]
        top, left = torch.randint(0, 2 * pixels + 1, (2,)).tolist()
        wide = F.pad(x[None], (pixels,) * 4, mode="replicate")[0]
        x = wide[:, top : top + h, left : left + w]
        return x.flip(2) if torch.rand(()) < 0.5 else x

    return run


def build_transforms(image_size: int, mean: Sequence[float], std: Sequence[float], *, train: bool) -> Callable:
    shift, scale = (torch.tensor(list(v), dtype=torch.float32).view(3, 1, 1) for v in (mean, std))

    def resize(x: torch.Tensor) -> torch.Tensor:
        return F.interpolate(x[None], (image_size, image_size), mode="bilinear", antialias=True)[0]

    def normalise(x: torch.Tensor) -> torch.Tensor:
        return (x - shift) / scale

    return chain(as_unit_tensor, resize, *([jiggle(max(1, image_size // 10))] if train else []), normalise)


def stratified_split(labels: Sequence[int], val_fraction: float, seed: int) -> tuple[list[int], list[int]]:
    rng, key = random.Random(seed), lambda i: int(labels[i])
    train_idx, val_idx = [], []
    for _, group in groupby(sorted(range(len(labels)), key=key), key):
        places = list(group)
        chosen = set(rng.sample(places, int(val_fraction * len(places) + 0.5)))
        for i in places:
            (val_idx if i in chosen else train_idx).append(i)
    return sorted(train_idx), sorted(val_idx)


def make_datasets(
    root: str | Path, labels_csv: str | Path, image_size: int, *, val_fraction: float = 0.2, seed: int = 0
) -> tuple[Dataset, Dataset, list[float], list[float]]:
    images = ImageFolderCSV(root, labels_csv)
    train_raw, val_raw = (Subset(images, places) for places in stratified_split(images.labels, val_fraction, seed))
    mean, std = channel_stats(train_raw)

    def dress(raw: Dataset, train: bool) -> Dataset:
        return Mapped(raw, build_transforms(image_size, mean, std, train=train))

    return dress(train_raw, True), dress(val_raw, False), mean, std


def make_loaders(
    train_set: Dataset, val_set: Dataset, batch_size: int, *, seed: int, num_workers: int = 0
) -> tuple[DataLoader, DataLoader]:
    def loader(images: Dataset, sampler: RandomSampler | None = None) -> DataLoader:
        return DataLoader(images, batch_size=batch_size, sampler=sampler, num_workers=num_workers)

    return loader(train_set, RandomSampler(train_set, generator=torch.Generator().manual_seed(seed))), loader(val_set)
