"""Task 1: images from Kaggle's folder, as batches."""

import csv
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset, Subset
from torchvision.transforms import v2


class ImageFolderCSV(Dataset):
    """The images that a table lists, in its order."""

    def __init__(self, root, labels_csv, transform=None):
        with open(labels_csv, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        absent = {"id", "label"} - set(rows[0] if rows else [])
        if absent:
            raise ValueError(f"{labels_csv} has no column {', '.join(sorted(absent))}.")
        self.root, self.transform = Path(root), transform
        self.ids = [row["id"] for row in rows]
        self.classes = sorted({row["label"] for row in rows})
        self.labels = [self.classes.index(row["label"]) for row in rows]

    def __len__(self):
        return len(self.ids)

    def __getitem__(self, i):
        with Image.open(self.root / f"{self.ids[i]}.png") as file:
            image = file.convert("RGB")
        return image if self.transform is None else self.transform(image), self.labels[i]


def as_unit_tensor(image):
    """float32 (3, h, w) between 0 and 1."""
    return v2.functional.to_dtype(v2.functional.to_image(image), torch.float32, scale=True).as_subclass(torch.Tensor)


def channel_stats(dataset):
    n, total, squares = 0, 0, 0
    for image, _ in dataset:
        x = as_unit_tensor(image).double().flatten(1)
        n, total, squares = n + x.shape[1], total + x.sum(1), squares + (x * x).sum(1)
    mean = total / n
    return mean.tolist(), (squares / n - mean**2).clamp(min=0).sqrt().tolist()


def build_transforms(image_size, mean, std, *, train):
    size = (image_size, image_size)
    light = [v2.RandomResizedCrop(size, scale=(0.8, 1.0)), v2.RandomHorizontalFlip()] if train else []
    scale = [v2.ToImage(), v2.ToDtype(torch.float32, scale=True), v2.Normalize(mean, std)]
    return v2.Compose([v2.Resize(size), *light, *scale])


def stratified_split(labels, val_fraction, seed):
    rng, parts = np.random.default_rng(seed), ([], [])
    for c in np.unique(labels):
        places = rng.permutation(np.flatnonzero(np.asarray(labels) == c)).tolist()
        k = round(val_fraction * len(places))
        parts[0].extend(places[k:])
        parts[1].extend(places[:k])
    return parts


def make_datasets(root, labels_csv, image_size, *, val_fraction=0.2, seed=0):
    raw = ImageFolderCSV(root, labels_csv)
    idx = stratified_split(raw.labels, val_fraction, seed)
    mean, std = channel_stats(Subset(raw, idx[0]))
    train_set, val_set = (
        Subset(ImageFolderCSV(root, labels_csv, build_transforms(image_size, mean, std, train=t)), places)
        for t, places in zip((True, False), idx)
    )
    return train_set, val_set, mean, std


def make_loaders(train_set, val_set, batch_size, *, seed, num_workers=0):
    generator = torch.Generator().manual_seed(seed)
    return (
        DataLoader(train_set, batch_size, shuffle=True, generator=generator, num_workers=num_workers),
        DataLoader(val_set, batch_size, num_workers=num_workers),
    )
