"""Task 1: from folder to batches."""

import csv
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset, Subset
from torchvision.transforms import v2

def as_unit_tensor(image: object) -> torch.Tensor:
    """An image as float32 (3, height, width) between 0 and 1: of a PIL image, a uint8 or a float tensor. Given."""
    return v2.functional.to_dtype(v2.functional.to_image(image), torch.float32, scale=True).as_subclass(torch.Tensor)

# What each pixel table (3, n) adds to the totals.
MOMENTS = {
    "n": lambda x: x.size // 3,
    "sum": lambda x: x.sum(axis=1),
    "squares": lambda x: np.square(x).sum(axis=1),
}

# What happens to an image of the right size, by `train`.
VIEWS = {
    False: lambda size, fill: [],
    True: lambda size, fill: [
        v2.RandomZoomOut(fill=fill, side_range=(1.0, 1.2), p=0.8),
        v2.RandomRotation(degrees=5, fill=fill),
        v2.RandomHorizontalFlip(),
        v2.Resize((size, size)),
    ],
}


class ImageFolderCSV(Dataset):
    def __init__(self, root, labels_csv, transform=None):
        with open(labels_csv, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        absent = {"id", "label"} - set(rows[0] if rows else [])
        if absent:
            raise ValueError(f"{labels_csv}: expected id and label, without {' and '.join(sorted(absent))}")
        columns = {column: [row[column] for row in rows] for column in ("id", "label")}
        self.classes = sorted(set(columns["label"]))
        self.codes = {name: code for code, name in enumerate(self.classes)}
        self.labels = [self.codes[name] for name in columns["label"]]
        self.paths = dict(enumerate(Path(root) / f"{name}.png" for name in columns["id"]))
        self.transform = transform

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, i):
        if i not in self.paths:
            raise IndexError(i)
        with Image.open(self.paths[i], formats=None) as file:
            image = file.convert("RGB")
        return {True: lambda x: x, False: self.transform}[self.transform is None](image), self.labels[i]


def channel_stats(dataset):
    totals = dict.fromkeys(MOMENTS, 0)
    for image, _ in dataset:
        pixels = as_unit_tensor(image).flatten(1).numpy().astype(np.float64)
        totals = {name: total + MOMENTS[name](pixels) for name, total in totals.items()}
    mean = totals["sum"] / totals["n"]
    variance = totals["squares"] / totals["n"] - mean**2
    return list(map(float, mean)), list(map(float, np.sqrt(variance.clip(0))))


def build_transforms(image_size, mean, std, *, train):
    fill = [round(255 * m) for m in mean]  # where an image moves away, an average grey comes in
    return v2.Compose(
        [
            v2.ToImage(),
            v2.Resize((image_size, image_size), antialias=True),
            *VIEWS[train](image_size, fill),
            v2.Lambda(as_unit_tensor),
            v2.Normalize(mean, std),
        ]
    )


def stratified_split(labels, val_fraction, seed):
    by_class = {}
    for place, label in enumerate(labels):
        by_class.setdefault(int(label), []).append(place)
    parts = {"train": [], "val": []}
    for number, label in enumerate(sorted(by_class)):
        places = by_class[label]
        order = np.random.default_rng([seed, number]).permutation(len(places))
        n = int(np.rint(val_fraction * len(places)))
        for part, chosen in {"val": order[:n], "train": order[n:]}.items():
            parts[part] += [places[i] for i in chosen]
    return parts["train"], parts["val"]


def make_datasets(root, labels_csv, image_size, *, val_fraction=0.2, seed=0):
    read = partial(ImageFolderCSV, root, labels_csv)
    places = dict(zip(("train", "val"), stratified_split(read().labels, val_fraction, seed)))
    mean, std = channel_stats(Subset(read(), places["train"]))
    sets = {
        part: Subset(read(build_transforms(image_size, mean, std, train=part == "train")), idx)
        for part, idx in places.items()
    }
    return sets["train"], sets["val"], mean, std


def make_loaders(train_set, val_set, batch_size, *, seed, num_workers=0):
    common = {"batch_size": batch_size, "num_workers": num_workers, "drop_last": False}
    special = {
        "train": {"dataset": train_set, "shuffle": True, "generator": torch.Generator().manual_seed(seed)},
        "val": {"dataset": val_set, "shuffle": False},
    }
    return tuple(DataLoader(**common, **own) for own in special.values())
