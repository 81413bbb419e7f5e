"""Task 1: images and their labels."""

import csv
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset, Subset
from torchvision import transforms
from torchvision.transforms import v2


class ImageFolderCSV(Dataset):
    def __init__(self, root: str | Path, labels_csv: str | Path, transform: Callable | None = None) -> None:
        # step 1: read the table
        with open(labels_csv, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        absent = {"id", "label"} - set(rows[0] if rows else [])
        if absent:
            raise ValueError(
                f"expected the columns id and label in {labels_csv}, found no {', '.join(sorted(absent))}."
            )
        # step 2: which classes are there?
        self.classes = []
        for row in rows:
            name = row["label"]
            if name not in self.classes:
                self.classes.append(name)
        self.classes.sort()
        number_of_class = {}
        for number in range(len(self.classes)):
            number_of_class[self.classes[number]] = number
        # step 3: remember where each image is and what it shows
        self.paths = []
        self.labels = []
        for row in rows:
            file_name = row["id"] + ".png"
            self.paths.append(Path(root) / file_name)
            self.labels.append(number_of_class[row["label"]])
        self.transform = transform

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, i: int) -> tuple[object, int]:
        path = self.paths[i]
        if not path.exists():
            raise FileNotFoundError(f"the image {path} is missing")
        with open(path, "rb") as file:
            image = Image.open(file)
            image = image.convert("RGB")
        label = self.labels[i]
        if self.transform is not None:
            image = self.transform(image)
        return image, label


def as_unit_tensor(image: object) -> torch.Tensor:
    return v2.functional.to_dtype(v2.functional.to_image(image), torch.float32, scale=True).as_subclass(torch.Tensor)


def channel_stats(dataset: Dataset) -> tuple[list[float], list[float]]:
    number_of_pixels = 0
    sums = [0.0, 0.0, 0.0]
    sums_of_squares = [0.0, 0.0, 0.0]
    for i in range(len(dataset)):
        image, _ = dataset[i]
        tensor = as_unit_tensor(image)
        tensor = tensor.to(torch.float64)
        height = tensor.shape[1]
        width = tensor.shape[2]
        number_of_pixels = number_of_pixels + height * width
        for channel in range(3):
            values = tensor[channel]
            sums[channel] = sums[channel] + values.sum().item()
            sums_of_squares[channel] = sums_of_squares[channel] + (values * values).sum().item()
    mean = []
    std = []
    for channel in range(3):
        m = sums[channel] / number_of_pixels
        variance = sums_of_squares[channel] / number_of_pixels - m * m
        if variance < 0:  # rounding
            variance = 0.0
        mean.append(m)
        std.append(variance**0.5)
    return mean, std


def build_transforms(image_size: int, mean: Sequence[float], std: Sequence[float], *, train: bool) -> Callable:
    steps = []
    steps.append(transforms.Resize((image_size, image_size)))
    if train:
        border = max(1, image_size // 8)
        steps.append(transforms.RandomCrop(image_size, padding=border, padding_mode="reflect" if image_size > 2 else "edge"))
        steps.append(transforms.RandomHorizontalFlip(p=0.5))
    steps.append(transforms.ToTensor())
    steps.append(transforms.Normalize(mean, std))
    return transforms.Compose(steps)


def stratified_split(labels: Sequence[int], val_fraction: float, seed: int) -> tuple[list[int], list[int]]:
    places_of_class = {}
    for place in range(len(labels)):
        label = int(labels[place])
        if label not in places_of_class:
            places_of_class[label] = []
        places_of_class[label].append(place)
    rng = random.Random(seed)
    train_idx = []
    val_idx = []
    for label in sorted(places_of_class):
        places = places_of_class[label]
        rng.shuffle(places)
        number = round(len(places) * val_fraction)
        for place in places[:number]:
            val_idx.append(place)
        for place in places[number:]:
            train_idx.append(place)
    return train_idx, val_idx


def make_datasets(
    root: str | Path, labels_csv: str | Path, image_size: int, *, val_fraction: float = 0.2, seed: int = 0
) -> tuple[Dataset, Dataset, list[float], list[float]]:
    # first without a transform, to measure
    raw_images = ImageFolderCSV(root, labels_csv)
    train_idx, val_idx = stratified_split(raw_images.labels, val_fraction, seed)
    raw_train_images = Subset(raw_images, train_idx)
    mean, std = channel_stats(raw_train_images)
    # then once for training, once for validation
    train_transform = build_transforms(image_size, mean, std, train=True)
    train_images = ImageFolderCSV(root, labels_csv, train_transform)
    train_set = Subset(train_images, train_idx)
    val_transform = build_transforms(image_size, mean, std, train=False)
    val_images = ImageFolderCSV(root, labels_csv, val_transform)
    val_set = Subset(val_images, val_idx)
    return train_set, val_set, mean, std


def make_loaders(
    train_set: Dataset, val_set: Dataset, batch_size: int, *, seed: int, num_workers: int = 0
) -> tuple[DataLoader, DataLoader]:
    generator = torch.Generator()
    generator.manual_seed(seed)
    train_loader = DataLoader(
        train_set, batch_size=batch_size, shuffle=True, num_workers=num_workers, drop_last=False, generator=generator
    )
    val_loader = DataLoader(val_set, batch_size=batch_size, shuffle=False, num_workers=num_workers, drop_last=False)
    return train_loader, val_loader
