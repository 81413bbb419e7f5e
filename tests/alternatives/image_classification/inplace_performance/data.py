"""Task 1: from folder to batches, each file decoded once."""

import csv
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset, Subset
from torchvision.transforms import v2

def as_unit_tensor(image: object) -> torch.Tensor:
    """An image as float32 (3, height, width) between 0 and 1: of a PIL image, a uint8 or a float tensor. Given."""
    return v2.functional.to_dtype(v2.functional.to_image(image), torch.float32, scale=True).as_subclass(torch.Tensor)


class ImageFolderCSV(Dataset):
    """The images of a table. What has been decoded stays in memory, up to a limit."""

    CACHED_BYTES = 512 * 2**20

    def __init__(self, root: str | Path, labels_csv: str | Path, transform: Callable | None = None) -> None:
        with open(labels_csv, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        absent = {"id", "label"} - set(rows[0] if rows else [])
        if absent:
            raise ValueError(f"{labels_csv} needs columns id and label; no {', no '.join(sorted(absent))} found.")
        self.root, self.transform = str(root), transform
        self.ids = [row["id"] for row in rows]
        self.classes = sorted({row["label"] for row in rows})
        code = {name: i for i, name in enumerate(self.classes)}
        self.labels = [code[row["label"]] for row in rows]
        self._pixels: dict[int, np.ndarray] = {}
        self._room = self.CACHED_BYTES

    def __len__(self) -> int:
        return len(self.ids)

    def _decoded(self, i: int) -> np.ndarray:
        i = range(len(self.ids))[i]  # one key for -1 and the last place
        pixels = self._pixels.get(i)
        if pixels is None:
            with Image.open(f"{self.root}/{self.ids[i]}.png") as file:
                pixels = np.asarray(file.convert("RGB"))
            if pixels.nbytes <= self._room:
                self._pixels[i] = pixels
                self._room -= pixels.nbytes
        return pixels

    def __getitem__(self, i: int) -> tuple[object, int]:
        image = Image.fromarray(self._decoded(i))  # a copy: the transform may do with it as it likes
        return (image if self.transform is None else self.transform(image)), self.labels[i]


def channel_stats(dataset: Dataset) -> tuple[list[float], list[float]]:
    # Bytes are counted, 256 numbers a channel; floats are summed.
    counts = np.zeros((3, 256), dtype=np.int64)
    n, sums = 0, torch.zeros(2, 3, dtype=torch.float64)
    for image, _ in dataset:
        tensor = v2.functional.to_image(image)
        if tensor.dtype == torch.uint8:
            for channel, values in enumerate(tensor.flatten(1).numpy()):
                counts[channel] += np.bincount(values, minlength=256)
        else:
            x = as_unit_tensor(image).double().flatten(1)
            n += x.shape[1]
            sums[0].add_(x.sum(1))
            sums[1].add_(x.square_().sum(1))
    levels = np.arange(256) / 255
    first, second = sums.numpy()
    pixels = n + counts[0].sum()
    mean = (first + counts @ levels) / pixels
    variance = (second + counts @ levels**2) / pixels - mean**2
    np.maximum(variance, 0, out=variance)
    return mean.tolist(), np.sqrt(variance, out=variance).tolist()


class ToNetwork:
    """Bytes -> the network's input, with one multiplication and one addition, in place."""

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        mean, std = (torch.tensor(list(values), dtype=torch.float64).view(3, 1, 1) for values in (mean, std))
        self.scale, self.shift = (1 / (255 * std)).float(), (-mean / std).float()

    def __call__(self, image: Image.Image) -> torch.Tensor:
        x = torch.from_numpy(np.array(image)).permute(2, 0, 1)
        return x.to(torch.float32, memory_format=torch.contiguous_format).mul_(self.scale).add_(self.shift)


def build_transforms(image_size: int, mean: Sequence[float], std: Sequence[float], *, train: bool) -> Callable:
    steps = [v2.Resize((image_size, image_size), interpolation=v2.InterpolationMode.HAMMING)]
    if train:
        margin = image_size // 10
        steps += [v2.Pad(margin, padding_mode="edge"), v2.RandomCrop(image_size), v2.RandomHorizontalFlip()]
    return v2.Compose([*steps, ToNetwork(mean, std)])


def stratified_split(labels: Sequence[int], val_fraction: float, seed: int) -> tuple[list[int], list[int]]:
    labels = np.asarray(labels, dtype=np.int64)
    # One shuffle of everything, then a stable sort by class: each class is a run in random order.
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed)).numpy()
    order = order[np.argsort(labels[order], kind="stable")]
    _, starts, sizes = np.unique(labels[order], return_index=True, return_counts=True)
    rank = np.arange(len(labels)) - np.repeat(starts, sizes)
    to_val = rank < np.repeat(np.floor(sizes * val_fraction + 0.5), sizes)
    return np.sort(order[~to_val]).tolist(), np.sort(order[to_val]).tolist()


def make_datasets(
    root: str | Path, labels_csv: str | Path, image_size: int, *, val_fraction: float = 0.2, seed: int = 0
) -> tuple[Dataset, Dataset, list[float], list[float]]:
    train_images, val_images = ImageFolderCSV(root, labels_csv), ImageFolderCSV(root, labels_csv)
    train_idx, val_idx = stratified_split(train_images.labels, val_fraction, seed)
    mean, std = channel_stats(Subset(train_images, train_idx))  # and the training images are decoded
    train_images.transform = build_transforms(image_size, mean, std, train=True)
    val_images.transform = build_transforms(image_size, mean, std, train=False)
    return Subset(train_images, train_idx), Subset(val_images, val_idx), mean, std


def make_loaders(
    train_set: Dataset, val_set: Dataset, batch_size: int, *, seed: int, num_workers: int = 0
) -> tuple[DataLoader, DataLoader]:
    settings = dict(num_workers=num_workers, pin_memory=torch.cuda.is_available())
    if num_workers:
        settings["prefetch_factor"] = 4
    order = torch.Generator().manual_seed(seed)
    train_loader = DataLoader(train_set, batch_size, shuffle=True, generator=order, **settings)
    return train_loader, DataLoader(val_set, batch_size, **settings)
