"""Images by id; transforms as plain functions of tensors."""

import csv
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch.utils.data import BatchSampler, DataLoader, RandomSampler, Subset
from torchvision.transforms.v2.functional import pil_to_tensor


class ImageFolderCSV:
    def __init__(self, root, labels_csv, transform=None):
        with open(labels_csv, newline="") as f:
            header, *rows = csv.reader(f)
        if missing := [c for c in ("id", "label") if c not in header]:
            raise ValueError(f"no column {' or '.join(missing)} in {labels_csv}")
        ids, names = ([row[header.index(c)] for row in rows] for c in ("id", "label"))
        self.classes, places = np.unique(names, return_inverse=True)
        self.classes, self.labels = self.classes.tolist(), places.tolist()
        self.files, self.transform = [Path(root) / f"{i}.png" for i in ids], transform or (lambda image: image)

    def __len__(self):
        return len(self.files)

    def __getitem__(self, i):
        return self.transform(Image.open(self.files[i]).convert("RGB")), self.labels[i]


def as_unit_tensor(image):
    t = image if isinstance(image, torch.Tensor) else pil_to_tensor(image)
    return t.float() if t.is_floating_point() else t.float() / 255


def channel_stats(dataset):
    chunks = [as_unit_tensor(dataset[i][0]).double().flatten(1) for i in range(len(dataset))]
    std, mean = torch.std_mean(torch.cat(chunks, dim=1), dim=1, correction=0)
    return mean.tolist(), std.tolist()


def build_transforms(image_size, mean, std, *, train):
    mean, std = (torch.tensor(list(v)).float().view(3, 1, 1) for v in (mean, std))

    def evaluate(image):
        x = as_unit_tensor(image)[None]
        x = F.interpolate(x, (image_size, image_size), mode="bilinear", antialias=True, align_corners=False)[0]
        return (x - mean) / std

    def augment(image):
        x, pad = evaluate(image), max(1, image_size // 10)
        x = F.pad(x, (pad,) * 4, mode="reflect")
        top, left = torch.randint(2 * pad + 1, (2,))
        x = x[:, top : top + image_size, left : left + image_size]
        return x.flip(-1) if torch.rand(()) < 0.5 else x.clone()

    return augment if train else evaluate


def stratified_split(labels, val_fraction, seed):
    labels, g = torch.as_tensor(np.array(labels)), torch.Generator().manual_seed(seed)
    order = torch.randperm(len(labels), generator=g)
    val = torch.zeros(len(labels), dtype=torch.bool)
    for k in labels.unique():
        own = order[labels[order] == k]
        val[own[: round(len(own) * val_fraction)]] = True
    return torch.where(~val)[0].tolist(), torch.where(val)[0].tolist()


def make_datasets(root, labels_csv, image_size, *, val_fraction=0.2, seed=0):
    raw = ImageFolderCSV(root, labels_csv)
    parts = stratified_split(raw.labels, val_fraction, seed)
    mean, std = channel_stats(Subset(raw, parts[0]))
    sets = []
    for part, train in zip(parts, (True, False), strict=True):
        own = ImageFolderCSV(root, labels_csv, build_transforms(image_size, mean, std, train=train))
        sets.append(Subset(own, part))
    return *sets, mean, std


def make_loaders(train_set, val_set, batch_size, *, seed, num_workers=0):
    order = RandomSampler(train_set, generator=torch.Generator().manual_seed(seed))
    batches = BatchSampler(order, batch_size, drop_last=False)
    return DataLoader(train_set, batch_sampler=batches, num_workers=num_workers), DataLoader(
        val_set, batch_size, num_workers=num_workers
    )
