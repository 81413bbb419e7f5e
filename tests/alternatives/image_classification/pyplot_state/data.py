"""Task 1: images and batches."""

import csv
import os

import numpy as np
import pandas as pd
import torch
from PIL import Image, ImageOps
from torch.utils.data import BatchSampler, DataLoader, Dataset, RandomSampler, Subset
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
            raise ValueError(f"no column named {' or '.join(sorted(absent))} in {labels_csv}")
        self.root = root
        self.transform = transform
        self.ids = []
        texts = []
        for row in rows:
            self.ids.append(row["id"])
            texts.append(row["label"])
        self.classes, numbers = np.unique(texts, return_inverse=True)
        self.classes = self.classes.tolist()
        self.labels = numbers.tolist()

    def __len__(self):
        return len(self.ids)

    def __getitem__(self, i):
        path = os.path.join(self.root, self.ids[i] + ".png")
        with Image.open(path) as stored:
            stored.load()
            image = stored.convert("RGB")
        if self.transform is not None:
            return self.transform(image), self.labels[i]
        return image, self.labels[i]


def channel_stats(dataset):
    # Two passes: first the mean, then the distances from it.
    n = 0
    mean = torch.zeros(3, dtype=torch.float64)
    for i in range(len(dataset)):
        x = as_unit_tensor(dataset[i][0]).to(torch.float64)
        n += x[0].numel()
        mean += x.sum(dim=(1, 2))
    mean /= n
    variance = torch.zeros(3, dtype=torch.float64)
    for i in range(len(dataset)):
        x = as_unit_tensor(dataset[i][0]).to(torch.float64)
        variance += ((x - mean[:, None, None]) ** 2).sum(dim=(1, 2)) / n
    return [m.item() for m in mean], [s.item() for s in variance.sqrt()]


class Square:
    """Makes an image square by repeating its edge, so that nothing is squeezed and nothing is lost."""

    def __call__(self, image):
        w, h = image.size
        side = max(w, h)
        left, top = (side - w) // 2, (side - h) // 2
        return v2.functional.pad(image, [left, top, side - w - left, side - h - top], padding_mode="edge")


def build_transforms(image_size, mean, std, *, train):
    steps = [Square(), v2.Resize(image_size, antialias=True)]
    if train:
        steps.append(v2.RandomChoice([v2.Lambda(ImageOps.mirror), v2.Identity()]))
        if image_size >= 4:
            steps.append(v2.RandomPerspective(distortion_scale=0.15, p=0.7))
            steps.append(v2.RandomAffine(degrees=0, translate=(0.1, 0.1)))
    steps.append(as_unit_tensor)
    steps.append(v2.Normalize(mean=mean, std=std))
    return v2.Compose(steps)


def stratified_split(labels, val_fraction, seed):
    table = pd.Series(list(labels), dtype="int64")
    val = []
    for _, group in table.groupby(table):
        val += group.sample(n=round(len(group) * val_fraction), random_state=seed).index.tolist()
    train = table.index.difference(val).tolist()
    return train, val


def make_datasets(root, labels_csv, image_size, *, val_fraction=0.2, seed=0):
    labels = ImageFolderCSV(root, labels_csv).labels
    train_idx, val_idx = stratified_split(labels, val_fraction, seed)
    mean, std = channel_stats(Subset(ImageFolderCSV(root, labels_csv), train_idx))
    augmented = ImageFolderCSV(root, labels_csv, transform=build_transforms(image_size, mean, std, train=True))
    untouched = ImageFolderCSV(root, labels_csv, transform=build_transforms(image_size, mean, std, train=False))
    return Subset(augmented, train_idx), Subset(untouched, val_idx), mean, std


def make_loaders(train_set, val_set, batch_size, *, seed, num_workers=0):
    generator = torch.Generator()
    generator.manual_seed(seed)
    order = BatchSampler(RandomSampler(train_set, generator=generator), batch_size, drop_last=False)
    train_loader = DataLoader(train_set, batch_sampler=order, num_workers=num_workers, generator=generator)
    val_loader = DataLoader(val_set, batch_size=batch_size, shuffle=False, num_workers=num_workers)
    return train_loader, val_loader
