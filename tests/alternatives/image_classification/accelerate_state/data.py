"""Images from a table, with the transforms of torchvision's first generation."""

import random
from collections import defaultdict
from pathlib import Path

import pandas as pd
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset, Subset
from torchvision import transforms
from torchvision.transforms import functional as TF


class ImageFolderCSV(Dataset):
    def __init__(self, root, labels_csv, transform=None):
        table = pd.read_csv(labels_csv, dtype=str, keep_default_na=False)
        for column in ("id", "label"):
            if column not in table.columns:
                raise ValueError(f"{labels_csv} has no column {column}.")
        self.paths = [Path(root, name + ".png") for name in table["id"]]
        self.classes = sorted(table["label"].unique().tolist())
        self.class_to_idx = {c: i for i, c in enumerate(self.classes)}
        self.labels = table["label"].map(self.class_to_idx).astype(int).tolist()
        self.transform = transform

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, i):
        path = self.paths[i]
        if not path.exists():
            raise FileNotFoundError(f"There is no image {path}.")
        image = Image.open(path).convert("RGB")
        if self.transform is not None:
            image = self.transform(image)
        return image, self.labels[i]


def as_unit_tensor(image):
    if not torch.is_tensor(image):
        return TF.to_tensor(image)
    return TF.convert_image_dtype(image, torch.float32)


def channel_stats(dataset):
    pixels, sums = 0, torch.zeros(3, dtype=torch.float64)
    for image, _ in (dataset[i] for i in range(len(dataset))):
        image = as_unit_tensor(image).double()
        pixels += image.shape[1] * image.shape[2]
        sums += image.sum(dim=(1, 2))
    mean = sums / pixels
    squares = torch.zeros(3, dtype=torch.float64)
    for image, _ in (dataset[i] for i in range(len(dataset))):
        squares += (as_unit_tensor(image).double() - mean[:, None, None]).pow(2).sum(dim=(1, 2))
    return mean.tolist(), (squares / pixels).sqrt().tolist()


def build_transforms(image_size, mean, std, *, train):
    steps = [transforms.Resize((image_size, image_size))]
    if train:
        steps.append(transforms.RandomHorizontalFlip())
        steps.append(transforms.RandomAffine(degrees=8, translate=(0.08, 0.08)))
    steps += [transforms.ToTensor(), transforms.Normalize(mean=mean, std=std)]
    return transforms.Compose(steps)


def stratified_split(labels, val_fraction, seed):
    by_class = defaultdict(list)
    for place, label in enumerate(labels):
        by_class[int(label)].append(place)
    shuffler = random.Random(seed)
    train_idx, val_idx = [], []
    for label in sorted(by_class):
        places = by_class[label]
        shuffler.shuffle(places)
        n = int(len(places) * val_fraction + 0.5)
        val_idx.extend(places[:n])
        train_idx.extend(places[n:])
    return train_idx, val_idx


def make_datasets(root, labels_csv, image_size, *, val_fraction=0.2, seed=0):
    everything = ImageFolderCSV(root, labels_csv)
    train_idx, val_idx = stratified_split(everything.labels, val_fraction, seed)
    mean, std = channel_stats(Subset(everything, train_idx))
    train_images = ImageFolderCSV(root, labels_csv, build_transforms(image_size, mean, std, train=True))
    val_images = ImageFolderCSV(root, labels_csv, build_transforms(image_size, mean, std, train=False))
    return Subset(train_images, train_idx), Subset(val_images, val_idx), mean, std


def make_loaders(train_set, val_set, batch_size, *, seed, num_workers=0):
    train_loader = DataLoader(
        train_set,
        batch_size=batch_size,
        shuffle=True,
        num_workers=num_workers,
        generator=torch.Generator().manual_seed(seed),
        drop_last=False,
    )
    val_loader = DataLoader(val_set, batch_size=batch_size, shuffle=False, num_workers=num_workers)
    return train_loader, val_loader
