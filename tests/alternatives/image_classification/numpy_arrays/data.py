"""Images as NumPy arrays, by hand."""

import csv
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset, RandomSampler, Subset
from torchvision.transforms import v2


class ImageFolderCSV(Dataset):
    def __init__(self, root: str | Path, labels_csv: str | Path, transform: Callable | None = None) -> None:
        with open(labels_csv, newline="", encoding="utf-8") as file:
            header, *rows = [row for row in csv.reader(file) if row] or [[]]
        columns = {name: header.index(name) for name in ("id", "label") if name in header}
        if len(columns) < 2:
            raise ValueError(f"{labels_csv}: no column {' and no column '.join({'id', 'label'} - set(columns))}")
        self.root = Path(root)
        self.ids = np.array([row[columns["id"]] for row in rows], dtype=object)
        names, codes = np.unique(np.array([row[columns["label"]] for row in rows], dtype=str), return_inverse=True)
        self.classes, self.labels = names.tolist(), codes.tolist()
        self.transform = transform

    def __len__(self) -> int:
        return self.ids.shape[0]

    def __getitem__(self, i: int) -> tuple[object, int]:
        with Image.open(self.root / (self.ids[i] + ".png")) as lazy:
            image = lazy.convert("RGB")
        if self.transform is not None:
            image = self.transform(image)
        return image, self.labels[i]


def as_unit_tensor(image: object) -> torch.Tensor:
    return v2.functional.to_dtype(v2.functional.to_image(image), torch.float32, scale=True).as_subclass(torch.Tensor)


def channel_stats(dataset: Dataset) -> tuple[list[float], list[float]]:
    sums = np.zeros((3, 3))  # rows: number of pixels, sum, sum of squares
    for image, _ in dataset:
        x = as_unit_tensor(image).numpy().astype(np.float64)  # (3, h, w)
        sums += [np.full(3, x[0].size), x.sum(axis=(1, 2)), np.einsum("chw,chw->c", x, x)]
    n, total, squares = sums
    variance = squares / n - (total / n) ** 2
    return list(map(float, total / n)), list(map(float, np.sqrt(np.maximum(variance, 0))))


def build_transforms(image_size: int, mean: Sequence[float], std: Sequence[float], *, train: bool) -> Callable:
    centre, spread = (np.asarray(v, dtype=np.float64).reshape(1, 1, 3) for v in (mean, std))
    reach = max(1, image_size // 10)

    def transform(image: Image.Image) -> torch.Tensor:
        pixels = np.asarray(image.resize((image_size, image_size), Image.Resampling.BICUBIC))  # (h, w, 3), bytes
        if train:
            if np.random.rand() < 0.5:
                pixels = pixels[:, ::-1]
            top, left = np.random.randint(0, 2 * reach + 1, size=2)
            wide = np.pad(pixels, ((reach, reach), (reach, reach), (0, 0)), mode="edge")
            pixels = wide[top : top + image_size, left : left + image_size]
        values = (pixels / 255.0 - centre) / spread
        return torch.from_numpy(np.ascontiguousarray(values.transpose(2, 0, 1), dtype=np.float32))

    return transform


def stratified_split(labels: Sequence[int], val_fraction: float, seed: int) -> tuple[list[int], list[int]]:
    labels = np.asarray(labels)
    chosen = np.zeros(labels.shape[0], dtype=bool)
    rng = np.random.default_rng(seed)
    for label in np.unique(labels):
        places = np.flatnonzero(labels == label)
        wanted = int(np.floor(val_fraction * places.size + 0.5))
        chosen[rng.choice(places, size=wanted, replace=False)] = True
    return np.flatnonzero(~chosen).tolist(), np.flatnonzero(chosen).tolist()


def make_datasets(
    root: str | Path, labels_csv: str | Path, image_size: int, *, val_fraction: float = 0.2, seed: int = 0
) -> tuple[Dataset, Dataset, list[float], list[float]]:
    train_images = ImageFolderCSV(root, labels_csv)
    val_images = ImageFolderCSV(root, labels_csv)
    train_idx, val_idx = stratified_split(train_images.labels, val_fraction, seed)
    train_set, val_set = Subset(train_images, train_idx), Subset(val_images, val_idx)
    mean, std = channel_stats(train_set)  # while there is no transform yet
    train_images.transform = build_transforms(image_size, mean, std, train=True)
    val_images.transform = build_transforms(image_size, mean, std, train=False)
    return train_set, val_set, mean, std


def make_loaders(
    train_set: Dataset, val_set: Dataset, batch_size: int, *, seed: int, num_workers: int = 0
) -> tuple[DataLoader, DataLoader]:
    # the generator belongs to the sampler alone
    sampler = RandomSampler(train_set, generator=torch.Generator().manual_seed(seed))
    train_loader = DataLoader(train_set, batch_size=batch_size, sampler=sampler, num_workers=num_workers)
    val_loader = DataLoader(val_set, batch_size=batch_size, shuffle=False, num_workers=num_workers)
    return train_loader, val_loader
