"""From folder to batches."""

import csv
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.utils.data import BatchSampler, DataLoader, Dataset, RandomSampler, SequentialSampler
from torchvision.transforms import v2


class ImageFolderCSV(Dataset):
    def __init__(self, root: str | Path, labels_csv: str | Path, transform: Callable | None = None) -> None:
        self.root, self.transform, self.ids, names = os.fspath(root), transform, [], []
        with open(labels_csv, newline="", encoding="utf-8") as file:
            table = csv.DictReader(file)
            for needed in {"id", "label"}.difference(table.fieldnames or []):
                raise ValueError(f"no column {needed} in {labels_csv}")
            for row in table:
                self.ids.append(row["id"])
                names.append(row["label"])
        self.classes = sorted(dict.fromkeys(names))
        self.labels = list(map(self.classes.index, names))

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, i: int) -> tuple[object, int]:
        path = os.path.join(self.root, self.ids[i] + os.extsep + "png")
        with Image.open(path) as file:
            file.load()
            image = Image.merge("RGB", file.convert("RGB").split())
        if callable(self.transform):
            return self.transform(image), self.labels[i]
        return image, self.labels[i]


def as_unit_tensor(image: object) -> torch.Tensor:
    return v2.functional.to_dtype(v2.functional.to_image(image), torch.float32, scale=True).as_subclass(torch.Tensor)


def channel_stats(dataset: Dataset) -> tuple[list[float], list[float]]:
    n = 0
    first, second = torch.zeros(3, dtype=torch.float64), torch.zeros(3, dtype=torch.float64)
    for image, _ in dataset:
        x = as_unit_tensor(image).to(torch.float64)
        n += x[0].numel()
        first += torch.einsum("chw->c", x)
        second += torch.linalg.vector_norm(x, dim=(1, 2)) ** 2
    mean = first / n
    return mean.tolist(), torch.sqrt(torch.relu(second / n - mean**2)).tolist()


class Transform:
    def __init__(self, image_size: int, mean: Sequence[float], std: Sequence[float], light: bool) -> None:
        self.size, self.light, self.move = image_size, light, max(1, round(image_size / 12))
        self.normalize = v2.Normalize(mean, std, inplace=True)

    def __call__(self, image: Image.Image) -> torch.Tensor:
        x = v2.functional.resize(image, [self.size, self.size], interpolation=v2.InterpolationMode.BOX)
        x = v2.functional.pil_to_tensor(x).float() / 255
        if self.light:
            shift = torch.randint(-self.move, self.move + 1, (2,)).tolist()
            x = x.roll(shift, dims=(1, 2))  # what leaves on one side comes back on the other
            if torch.rand(1).item() < 0.5:
                x = x.flip(2)
        return self.normalize(x)


def build_transforms(image_size: int, mean: Sequence[float], std: Sequence[float], *, train: bool) -> Callable:
    return Transform(image_size, mean, std, light=train)


def stratified_split(labels: Sequence[int], val_fraction: float, seed: int) -> tuple[list[int], list[int]]:
    labels = np.asarray(labels)
    rng = np.random.default_rng(seed)
    # one random number for each place; of each class the places with the smallest ones
    luck = rng.random(len(labels))
    held = np.zeros(len(labels), dtype=bool)
    for label in set(labels.tolist()):
        own = np.nonzero(labels == label)[0]
        held[own[np.argsort(luck[own])[: round(len(own) * val_fraction)]]] = True
    everything = np.arange(len(labels))
    return rng.permutation(everything[~held]).tolist(), everything[held].tolist()


class Selected(ImageFolderCSV):
    """Only some rows of the table."""

    def __init__(self, whole: ImageFolderCSV, places: list[int]) -> None:
        self.root, self.classes, self.transform = whole.root, whole.classes, None
        self.ids = [whole.ids[i] for i in places]
        self.labels = [whole.labels[i] for i in places]


def make_datasets(
    root: str | Path, labels_csv: str | Path, image_size: int, *, val_fraction: float = 0.2, seed: int = 0
) -> tuple[Dataset, Dataset, list[float], list[float]]:
    whole = ImageFolderCSV(root, labels_csv)
    train_set, val_set = (Selected(whole, idx) for idx in stratified_split(whole.labels, val_fraction, seed))
    mean, std = channel_stats(train_set)
    for part in (train_set, val_set):
        part.transform = build_transforms(image_size, mean, std, train=part is train_set)
    return train_set, val_set, mean, std


def make_loaders(
    train_set: Dataset, val_set: Dataset, batch_size: int, *, seed: int, num_workers: int = 0
) -> tuple[DataLoader, DataLoader]:
    generator = torch.Generator()
    generator.manual_seed(seed)
    orders = [(train_set, RandomSampler(train_set, generator=generator)), (val_set, SequentialSampler(val_set))]
    train_loader, val_loader = (
        DataLoader(part, batch_sampler=BatchSampler(order, batch_size, drop_last=False), num_workers=num_workers)
        for part, order in orders
    )
    return train_loader, val_loader
