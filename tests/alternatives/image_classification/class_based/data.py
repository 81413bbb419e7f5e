"""From folder to batches."""

import csv
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from helpers import Fit, Jitter, PixelMoments, Record
from PIL import Image
from torch.utils.data import DataLoader, Dataset, Subset
from torchvision.transforms import v2


class ImageFolderCSV(Dataset):
    def __init__(self, root: str | Path, labels_csv: str | Path, transform: Callable | None = None) -> None:
        with Path(labels_csv).open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            for column in ("id", "label"):
                if column not in (reader.fieldnames or ()):
                    raise ValueError(f"the table {labels_csv} has no column {column}")
            self.records = [Record(row["id"], row["label"]) for row in reader]
        self.root, self.transform = Path(root), transform
        self.classes = sorted({record.label for record in self.records})

    @property
    def labels(self) -> list[int]:
        places = {name: place for place, name in enumerate(self.classes)}
        return [places[record.label] for record in self.records]

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, i: int) -> tuple[object, int]:
        record = self.records[i]
        with Image.open(self.root / f"{record.id}.png") as file:
            image = file.convert("RGB")
        return self.transform(image) if self.transform else image, self.classes.index(record.label)


def as_unit_tensor(image: object) -> torch.Tensor:
    return v2.functional.to_dtype(v2.functional.to_image(image), torch.float32, scale=True).as_subclass(torch.Tensor)


def channel_stats(dataset: Dataset) -> tuple[list[float], list[float]]:
    moments = sum((PixelMoments.of(as_unit_tensor(image)) for image, _ in dataset), start=PixelMoments())
    return moments.mean.tolist(), moments.std.tolist()


@dataclass(frozen=True)
class Pipeline:
    size: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    augment: Callable | None

    def __call__(self, image: Image.Image) -> torch.Tensor:
        image = Fit(self.size)(image)
        if self.augment is not None:
            image = self.augment(image)
        x = as_unit_tensor(image)
        return (x - x.new_tensor(self.mean).view(3, 1, 1)) / x.new_tensor(self.std).view(3, 1, 1)


def build_transforms(image_size: int, mean: Sequence[float], std: Sequence[float], *, train: bool) -> Callable:
    return Pipeline(image_size, tuple(mean), tuple(std), Jitter() if train else None)


@dataclass(frozen=True)
class StratifiedSplitter:
    fraction: float
    seed: int

    def __call__(self, labels: Sequence[int]) -> tuple[list[int], list[int]]:
        places = defaultdict(list)
        for place, label in enumerate(labels):
            places[int(label)].append(place)
        generator, train_idx, val_idx = torch.Generator().manual_seed(self.seed), [], []
        for _, own in sorted(places.items()):
            order = torch.randperm(len(own), generator=generator).tolist()
            cut = len(own) - round(self.fraction * len(own))  # validation takes the end
            train_idx += [own[k] for k in order[:cut]]
            val_idx += [own[k] for k in order[cut:]]
        return train_idx, val_idx


def stratified_split(labels: Sequence[int], val_fraction: float, seed: int) -> tuple[list[int], list[int]]:
    return StratifiedSplitter(val_fraction, seed)(labels)


def make_datasets(
    root: str | Path, labels_csv: str | Path, image_size: int, *, val_fraction: float = 0.2, seed: int = 0
) -> tuple[Dataset, Dataset, list[float], list[float]]:
    bare = ImageFolderCSV(root, labels_csv)
    parts = stratified_split(bare.labels, val_fraction, seed)
    mean, std = channel_stats(Subset(bare, parts[0]))

    def subset(places: list[int], *, train: bool) -> Subset:
        return Subset(ImageFolderCSV(root, labels_csv, build_transforms(image_size, mean, std, train=train)), places)

    return subset(parts[0], train=True), subset(parts[1], train=False), mean, std


def make_loaders(
    train_set: Dataset, val_set: Dataset, batch_size: int, *, seed: int, num_workers: int = 0
) -> tuple[DataLoader, DataLoader]:
    common = {"batch_size": batch_size, "num_workers": num_workers, "pin_memory": torch.cuda.is_available()}
    shuffled = DataLoader(train_set, shuffle=True, generator=torch.Generator().manual_seed(seed), **common)
    return shuffled, DataLoader(val_set, **common)
