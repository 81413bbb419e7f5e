"""Task 1: from folder to batches, with the sums written out."""

import csv
import math
import random

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset, Subset
from torchvision.transforms import v2

def as_unit_tensor(image: object) -> torch.Tensor:
    """An image as float32 (3, height, width) between 0 and 1: of a PIL image, a uint8 or a float tensor. Given."""
    return v2.functional.to_dtype(v2.functional.to_image(image), torch.float32, scale=True).as_subclass(torch.Tensor)


class ImageFolderCSV(Dataset):
    def __init__(self, root, labels_csv, transform=None):
        with open(labels_csv, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        absent = {"id", "label"} - set(rows[0] if rows else [])
        if absent:
            raise ValueError(f"columns missing in {labels_csv}: {', '.join(sorted(absent))}")
        self.files = [f"{root}/{row['id']}.png" for row in rows]
        self.classes = []
        for row in rows:
            if row["label"] not in self.classes:
                self.classes.append(row["label"])
        self.classes.sort()
        self.labels = [self.classes.index(row["label"]) for row in rows]
        self.transform = transform

    def __len__(self):
        return len(self.files)

    def __getitem__(self, i):
        with Image.open(self.files[i]) as file:
            if file.mode != "RGB":
                image = file.convert("RGB")
            else:
                image = file.copy()
        label = self.labels[i]
        return (self.transform(image), label) if self.transform is not None else (image, label)


def channel_stats(dataset):
    """Var x = E (x - k)^2 - (E (x - k))^2 for any k; with k near the mean hardly a digit is lost."""
    n, k, s1, s2 = 0, None, np.zeros(3), np.zeros(3)
    for image, _ in dataset:
        x = as_unit_tensor(image).numpy().astype("float64")  # (3, h, w)
        if k is None:
            k = x.mean(axis=(1, 2))
        d = x - k[:, None, None]
        n += d.shape[1] * d.shape[2]
        s1 += d.sum(axis=(1, 2))
        s2 += (d * d).sum(axis=(1, 2))
    mean = [float(k[c] + s1[c] / n) for c in range(3)]
    std = [math.sqrt(max(0.0, s2[c] / n - (s1[c] / n) ** 2)) for c in range(3)]
    return mean, std


def overlaps(new, old):
    """(new, old): which part of each new pixel lies over each old one."""
    edges_new, edges_old = np.linspace(0, old, new + 1), np.arange(old + 1)
    right = np.minimum(edges_new[1:, None], edges_old[None, 1:])
    left = np.maximum(edges_new[:-1, None], edges_old[None, :-1])
    weights = np.clip(right - left, 0, None)
    return weights / weights.sum(axis=1, keepdims=True)


def build_transforms(image_size, mean, std, *, train):
    mean = np.array(mean, dtype="float64")[:, None, None]
    std = np.array(std, dtype="float64")[:, None, None]
    reach = max(1, image_size // 8)

    def transform(image):
        x = np.asarray(image, dtype="float64").transpose(2, 0, 1) / 255  # (3, h, w)
        x = overlaps(image_size, x.shape[1]) @ x @ overlaps(image_size, x.shape[2]).T
        if train:
            # moved by up to an eighth, the border pixels repeated; mirrored every second time
            down, right = random.randint(-reach, reach), random.randint(-reach, reach)
            rows = np.clip(np.arange(image_size) + down, 0, image_size - 1)
            columns = np.clip(np.arange(image_size) + right, 0, image_size - 1)
            if random.random() < 0.5:
                columns = columns[::-1]
            x = x[:, rows][:, :, columns]
        return torch.tensor((x - mean) / std, dtype=torch.float32)

    return transform


def stratified_split(labels, val_fraction, seed):
    rng = random.Random(seed)
    train_idx, val_idx = [], []
    for c in sorted({int(label) for label in labels}):
        places = [i for i, label in enumerate(labels) if int(label) == c]
        for last in range(len(places) - 1, 0, -1):  # Fisher and Yates
            other = rng.randint(0, last)
            places[last], places[other] = places[other], places[last]
        n_val = math.floor(val_fraction * len(places) + 0.5)
        for position, place in enumerate(places):
            if position < n_val:
                val_idx.append(place)
            else:
                train_idx.append(place)
    return train_idx, val_idx


def make_datasets(root, labels_csv, image_size, *, val_fraction=0.2, seed=0):
    plain = ImageFolderCSV(root, labels_csv)
    train_idx, val_idx = stratified_split(plain.labels, val_fraction, seed)
    mean, std = channel_stats(Subset(plain, train_idx))
    train_images = ImageFolderCSV(root, labels_csv, build_transforms(image_size, mean, std, train=True))
    plain.transform = build_transforms(image_size, mean, std, train=False)
    return Subset(train_images, train_idx), Subset(plain, val_idx), mean, std


def make_loaders(train_set, val_set, batch_size, *, seed, num_workers=0):
    order = torch.Generator()
    order.manual_seed(seed + 1)
    train_loader = DataLoader(train_set, batch_size, shuffle=True, num_workers=num_workers, generator=order)
    return train_loader, DataLoader(val_set, batch_size, num_workers=num_workers)
