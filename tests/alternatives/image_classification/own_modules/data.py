"""Task 1: datasets, transforms as modules, and an order of its own for each epoch."""

import csv
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset, Sampler
from torchvision.transforms import v2

def as_unit_tensor(image: object) -> torch.Tensor:
    """An image as float32 (3, height, width) between 0 and 1: of a PIL image, a uint8 or a float tensor. Given."""
    return v2.functional.to_dtype(v2.functional.to_image(image), torch.float32, scale=True).as_subclass(torch.Tensor)


class ImageFolderCSV(Dataset):
    """The table's images in the table's order."""

    def __init__(self, root: str | Path, labels_csv: str | Path, transform: Callable | None = None) -> None:
        super().__init__()
        self.root, self.transform = Path(root), transform
        self.names: list[str] = []
        texts: list[str] = []
        with open(labels_csv, newline="", encoding="utf-8") as file:
            table = csv.reader(file)
            header = next(table, [])
            for column in ("id", "label"):
                if column not in header:
                    raise ValueError(f"the table {labels_csv} is without a column {column}")
            for row in filter(None, table):
                self.names.append(row[header.index("id")])
                texts.append(row[header.index("label")])
        self.classes = sorted(dict.fromkeys(texts))
        self.labels = [self.classes.index(text) for text in texts]

    def path(self, i: int) -> Path:
        return self.root / (self.names[i] + ".png")

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, i: int) -> tuple[object, int]:
        try:
            with Image.open(self.path(i)) as image:
                image = image.convert(mode="RGB")
        except FileNotFoundError as error:
            raise FileNotFoundError(f"image {i} of the table should lie at {self.path(i)}") from error
        return (image, self.labels[i]) if self.transform is None else (self.transform(image), self.labels[i])


class Part(Dataset):
    """Some places of a dataset, seen through a module."""

    def __init__(self, images: Dataset, places: Sequence[int], view: nn.Module | None = None) -> None:
        self.images, self.places, self.view = images, list(places), view

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, i: int) -> tuple[object, int]:
        image, label = self.images[self.places[i]]
        return (image if self.view is None else self.view(image)), label


class PixelStatistics(nn.Module):
    """Mean and spread over all pixels seen so far, image by image (Welford)."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("n", torch.zeros((), dtype=torch.float64))
        self.register_buffer("mean", torch.zeros(3, dtype=torch.float64))
        self.register_buffer("spread", torch.zeros(3, dtype=torch.float64))

    def forward(self, image: torch.Tensor) -> None:
        variance, mean = torch.var_mean(image.double(), dim=(1, 2), correction=0)
        n = image[0].numel()
        gap, self.n = mean - self.mean, self.n + n
        self.mean = self.mean + gap * n / self.n
        self.spread = self.spread + variance * n + gap**2 * n * (1 - n / self.n)

    @property
    def std(self) -> torch.Tensor:
        return (self.spread / self.n).sqrt()


def channel_stats(dataset: Dataset) -> tuple[list[float], list[float]]:
    statistics = PixelStatistics()
    for i in range(len(dataset)):
        statistics(as_unit_tensor(dataset[i][0]))
    return statistics.mean.tolist(), statistics.std.tolist()


class UnitSquare(nn.Module):
    """PIL image -> (3, size, size) between 0 and 1; each new pixel is the mean of those that it covers."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def forward(self, image: Image.Image) -> torch.Tensor:
        return F.interpolate(as_unit_tensor(image).unsqueeze(0), size=(self.size, self.size), mode="area").squeeze(0)


class Wobble(nn.Module):
    """A small turn, shift and zoom, mirrored or not, in one resampling; beyond the border its colours go on."""

    def __init__(self, degrees: float = 8.0, shift: float = 0.12, zoom: float = 0.1) -> None:
        super().__init__()
        self.degrees, self.shift, self.zoom = degrees, shift, zoom

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        turn, right, down, zoom = (2 * torch.rand(4) - 1).tolist()
        angle, scale = torch.tensor(turn * self.degrees).deg2rad(), 1 + zoom * self.zoom
        mirror = -1.0 if torch.rand(()) < 0.5 else 1.0
        cos, sin = (angle.cos() * scale).item(), (angle.sin() * scale).item()
        theta = torch.tensor([[mirror * cos, -sin, right * self.shift], [mirror * sin, cos, down * self.shift]])
        grid = F.affine_grid(theta[None], (1, *image.shape), align_corners=False)
        return F.grid_sample(image[None], grid, padding_mode="border", align_corners=False)[0]


class Normalise(nn.Module):
    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor([float(m) for m in mean])[:, None, None])
        self.register_buffer("std", torch.tensor([float(s) for s in std])[:, None, None])

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return (image - self.mean) / self.std


def build_transforms(image_size: int, mean: Sequence[float], std: Sequence[float], *, train: bool) -> Callable:
    between = (Wobble(),) if train else ()
    return nn.Sequential(UnitSquare(image_size), *between, Normalise(mean, std))


def stratified_split(labels: Sequence[int], val_fraction: float, seed: int) -> tuple[list[int], list[int]]:
    generator = torch.Generator().manual_seed(seed)
    classes = torch.tensor([int(label) for label in labels], dtype=torch.int64)
    to_val = torch.zeros(len(classes), dtype=torch.bool)
    for c in sorted(set(classes.tolist())):
        places = (classes == c).nonzero().squeeze(1)
        k = round(val_fraction * len(places))
        to_val[places[torch.randperm(len(places), generator=generator)[:k]]] = True
    return (~to_val).nonzero().flatten().tolist(), to_val.nonzero().flatten().tolist()


def make_datasets(
    root: str | Path, labels_csv: str | Path, image_size: int, *, val_fraction: float = 0.2, seed: int = 0
) -> tuple[Dataset, Dataset, list[float], list[float]]:
    images = ImageFolderCSV(root, labels_csv)
    train_idx, val_idx = stratified_split(images.labels, val_fraction, seed)
    mean, std = channel_stats(Part(images, train_idx))
    views = (build_transforms(image_size, mean, std, train=train) for train in (True, False))
    train_set, val_set = (Part(images, idx, view) for idx, view in zip((train_idx, val_idx), views))
    return train_set, val_set, mean, std


class EpochOrder(Sampler):
    """Another order each epoch, which follows from the seed and the epoch's number."""

    def __init__(self, n: int, seed: int) -> None:
        self.n, self.seed, self.epoch = n, seed, 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return self.n

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self.seed * 1_000_000 + self.epoch)
        self.epoch += 1
        yield from torch.randperm(self.n, generator=generator).tolist()


def collate(pairs: list[tuple[torch.Tensor, int]]) -> tuple[torch.Tensor, torch.Tensor]:
    images, labels = zip(*pairs)
    return torch.stack(images), torch.tensor([int(label) for label in labels])


def make_loaders(
    train_set: Dataset, val_set: Dataset, batch_size: int, *, seed: int, num_workers: int = 0
) -> tuple[DataLoader, DataLoader]:
    order = EpochOrder(len(train_set), seed)
    return (
        DataLoader(train_set, batch_size=batch_size, sampler=order, collate_fn=collate, num_workers=num_workers),
        DataLoader(val_set, batch_size=batch_size, collate_fn=collate, num_workers=num_workers),
    )
