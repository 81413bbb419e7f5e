"""Task 1: a folder, a table, and the batches made of both."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
import pandas as pd
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset, Subset
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as TF

def as_unit_tensor(image: object) -> torch.Tensor:
    """An image as float32 (3, height, width) between 0 and 1: of a PIL image, a uint8 or a float tensor. Given."""
    return v2.functional.to_dtype(v2.functional.to_image(image), torch.float32, scale=True).as_subclass(torch.Tensor)


class Item(NamedTuple):
    path: Path
    label: int


class ImageFolderCSV(Dataset):
    __slots__ = ("classes", "items", "transform")

    def __init__(self, root: str | Path, labels_csv: str | Path, transform: Callable | None = None) -> None:
        table = pd.read_csv(labels_csv, dtype=str, keep_default_na=False, encoding="utf-8")
        if absent := [column for column in ("id", "label") if column not in table.columns]:
            raise ValueError(f"{labels_csv} lacks {' and '.join(absent)}; it has {list(table.columns)}.")
        codes, names = pd.factorize(table["label"].to_numpy(dtype=object), sort=True)
        self.classes: list[str] = [str(name) for name in names]
        paths = (Path(root) / f"{name}.png" for name in table["id"])
        self.items = [Item(path, int(code)) for path, code in zip(paths, codes, strict=True)]
        self.transform = transform

    @property
    def labels(self) -> list[int]:
        return [item.label for item in self.items]

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, i: int) -> tuple[object, int]:
        path, label = self.items[i]
        if not path.exists():
            raise FileNotFoundError(f"no image at {path}")
        with Image.open(path) as picture:
            rgb = picture.convert("RGB")
        match self.transform:
            case None:
                return rgb, label
            case transform:
                return transform(rgb), label


@dataclass(slots=True)
class Sums:
    """Running sums over pixels, in float64."""

    n: int = 0
    first: np.ndarray | float = 0.0
    second: np.ndarray | float = 0.0

    def add(self, pixels: np.ndarray) -> Self:
        self.n += pixels.shape[1]
        self.first = self.first + pixels.sum(axis=1)
        self.second = self.second + np.einsum("cn,cn->c", pixels, pixels)
        return self


def channel_stats(dataset: Dataset) -> tuple[list[float], list[float]]:
    sums = Sums()
    for image, _ in (dataset[i] for i in range(len(dataset))):
        sums.add(as_unit_tensor(image).numpy().reshape(3, -1).astype(np.float64))
    mean = sums.first / sums.n
    variance = np.maximum(sums.second - sums.n * mean**2, 0) / max(sums.n - 1, 1)
    return mean.tolist(), np.sqrt(variance).tolist()


@dataclass(frozen=True, slots=True)
class Preparation:
    """An image as the network wants it; `train` turns and moves it a little."""

    size: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    train: bool

    def __call__(self, image: Image.Image) -> torch.Tensor:
        small = TF.resize(image, [self.size, self.size], interpolation=v2.InterpolationMode.BICUBIC)
        if self.train:
            small = v2.RandomAffine(degrees=8, translate=(0.08, 0.08), interpolation=v2.InterpolationMode.BILINEAR)(small)
            small = v2.RandomHorizontalFlip(p=0.5)(small)
        return TF.normalize(as_unit_tensor(small), list(self.mean), list(self.std))


def build_transforms(image_size: int, mean: Sequence[float], std: Sequence[float], *, train: bool) -> Callable:
    return Preparation(image_size, tuple(mean), tuple(std), train)


def stratified_split(labels: Sequence[int], val_fraction: float, seed: int) -> tuple[list[int], list[int]]:
    keys = torch.rand(len(labels), generator=torch.Generator().manual_seed(seed)).tolist()
    waiting: dict[int, list[int]] = {}
    for place in sorted(range(len(labels)), key=keys.__getitem__):
        waiting.setdefault(int(labels[place]), []).append(place)
    train_idx, val_idx = [], []
    for places in waiting.values():
        match round(len(places) * val_fraction):
            case 0:
                train_idx += places
            case k:
                train_idx += places[:-k]
                val_idx += places[-k:]
    return train_idx, val_idx


def make_datasets(
    root: str | Path, labels_csv: str | Path, image_size: int, *, val_fraction: float = 0.2, seed: int = 0
) -> tuple[Dataset, Dataset, list[float], list[float]]:
    train_idx, val_idx = stratified_split((bare := ImageFolderCSV(root, labels_csv)).labels, val_fraction, seed)
    mean, std = channel_stats(Subset(bare, train_idx))

    def part(places: list[int], *, train: bool) -> Subset:
        transform = build_transforms(image_size, mean, std, train=train)
        return Subset(ImageFolderCSV(root, labels_csv, transform), places)

    return part(train_idx, train=True), part(val_idx, train=False), mean, std


def make_loaders(
    train_set: Dataset, val_set: Dataset, batch_size: int, *, seed: int, num_workers: int = 0
) -> tuple[DataLoader, DataLoader]:
    common = {"batch_size": batch_size, "num_workers": num_workers, "pin_memory": torch.cuda.is_available()}
    (order := torch.Generator()).manual_seed(seed)
    return DataLoader(train_set, shuffle=True, generator=order, **common), DataLoader(val_set, shuffle=False, **common)
