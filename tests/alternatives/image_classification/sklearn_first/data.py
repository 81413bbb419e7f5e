"""Images as batches; labels, split and statistics come from scikit-learn."""

import csv
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import LabelEncoder, StandardScaler
from torch.utils.data import DataLoader, Dataset, Subset
from torchvision import transforms as v1
from torchvision.transforms import v2


class ImageFolderCSV(Dataset):
    def __init__(self, root: str | Path, labels_csv: str | Path, transform: Callable | None = None) -> None:
        with open(labels_csv, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        absent = [column for column in ("id", "label") if not rows or column not in rows[0]]
        if absent:
            raise ValueError(f"{labels_csv}: the columns {absent} are absent")
        self.encoder = LabelEncoder()
        self.labels = self.encoder.fit_transform([row["label"] for row in rows]).tolist()
        self.classes = self.encoder.classes_.tolist()
        self.root, self.names = str(root), [row["id"] for row in rows]
        self.transform = transform

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, i: int) -> tuple[object, int]:
        with closing(Image.open(f"{self.root}/{self.names[i]}.png")) as file:
            image = file.convert(mode="RGB")
        return (self.transform or (lambda same: same))(image), int(self.labels[i])


def as_unit_tensor(image: object) -> torch.Tensor:
    return v2.functional.to_dtype(v2.functional.to_image(image), torch.float32, scale=True).as_subclass(torch.Tensor)


def channel_stats(dataset: Dataset) -> tuple[list[float], list[float]]:
    scaler = StandardScaler()
    for image, _ in dataset:
        pixels = as_unit_tensor(image).permute(1, 2, 0).reshape(-1, 3)  # (h * w, 3)
        scaler.partial_fit(pixels.double().numpy())
    return scaler.mean_.tolist(), np.sqrt(scaler.var_).tolist()


def build_transforms(image_size: int, mean: Sequence[float], std: Sequence[float], *, train: bool) -> Callable:
    # v1 transforms; scale never below 0.8, so that the thing stays in sight
    if train:
        first = v1.Compose(
            [
                v1.RandomHorizontalFlip(),
                v1.RandomResizedCrop((image_size, image_size), scale=(0.8, 1.0), ratio=(0.9, 1.1)),
                v1.ColorJitter(brightness=0.1, contrast=0.1),
            ]
        )
    else:
        first = v1.Resize((image_size, image_size), interpolation=v1.InterpolationMode.BICUBIC)
    return v1.Compose([first, v1.PILToTensor(), v1.ConvertImageDtype(torch.float32), v1.Normalize(mean, std)])


def stratified_split(labels: Sequence[int], val_fraction: float, seed: int) -> tuple[list[int], list[int]]:
    # train_test_split(stratify=...) rounds the whole and then shares it out; here each class is rounded by itself
    labels, parts = np.asarray(labels), ([], [])
    for label in np.unique(labels):
        places = np.flatnonzero(labels == label)
        wanted = round(val_fraction * len(places))
        if wanted in (0, len(places)):
            own = (places, []) if wanted == 0 else ([], places)
        else:
            own = train_test_split(places, test_size=wanted, random_state=seed)
        for part, more in zip(parts, own, strict=True):
            part.extend(map(int, more))
    return parts


def make_datasets(
    root: str | Path, labels_csv: str | Path, image_size: int, *, val_fraction: float = 0.2, seed: int = 0
) -> tuple[Dataset, Dataset, list[float], list[float]]:
    whole = ImageFolderCSV(root, labels_csv)
    places = dict(zip(("train", "val"), stratified_split(whole.labels, val_fraction, seed), strict=True))
    mean, std = channel_stats(Subset(whole, places["train"]))
    sets = {}
    for part in places:
        transform = build_transforms(image_size, mean, std, train=part == "train")
        sets[part] = Subset(ImageFolderCSV(root, labels_csv, transform=transform), places[part])
    return sets["train"], sets["val"], mean, std


def make_loaders(
    train_set: Dataset, val_set: Dataset, batch_size: int, *, seed: int, num_workers: int = 0
) -> tuple[DataLoader, DataLoader]:
    settings = dict(batch_size=batch_size, num_workers=num_workers, persistent_workers=num_workers > 0)
    generator = torch.Generator()
    return (
        DataLoader(train_set, shuffle=True, generator=generator.manual_seed(seed), **settings),
        DataLoader(val_set, shuffle=False, **settings),
    )
