"""From folder to batches, with a look at every input."""

import csv
import logging
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch.utils.data import DataLoader, Dataset, Subset
from torchvision.transforms import v2

logger = logging.getLogger(__name__)


class ImageFolderCSV(Dataset):
    def __init__(self, root: str | Path, labels_csv: str | Path, transform: Callable | None = None) -> None:
        if transform is not None and not callable(transform):
            raise TypeError(f"transform must be callable or None, not {type(transform).__name__}")
        self.root, self.labels_csv, self.transform = Path(root), Path(labels_csv), transform
        with self.labels_csv.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            missing = [column for column in ("id", "label") if column not in (reader.fieldnames or [])]
            if missing:
                raise ValueError(f"{labels_csv} must have the columns id and label; missing: {', '.join(missing)}")
            rows = list(reader)
        for line, row in enumerate(rows, start=2):
            if not row["id"] or row["label"] is None:
                raise ValueError(f"{labels_csv}, line {line}: incomplete row {row}")
        self.files = [f"{row['id']}.png" for row in rows]
        self.classes = sorted({row["label"] for row in rows})
        lookup = {name: label for label, name in enumerate(self.classes)}
        self.labels = [lookup[row["label"]] for row in rows]
        logger.info("%s: %d images of %d classes", labels_csv, len(rows), len(self.classes))

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, i: int) -> tuple[object, int]:
        if not -len(self) <= i < len(self):
            raise IndexError(f"image {i} of {len(self)}")
        path = self.root / self.files[i]
        if not path.is_file():
            raise FileNotFoundError(f"image {path}, listed in {self.labels_csv}, does not exist")
        try:
            with path.open("rb") as stream, Image.open(stream) as file:
                image = file.convert("RGB")
        except UnidentifiedImageError as error:
            raise OSError(f"{path} is no image") from error
        if self.transform is not None:
            image = self.transform(image)
        return image, self.labels[i]


def as_unit_tensor(image: object) -> torch.Tensor:
    return v2.functional.to_dtype(v2.functional.to_image(image), torch.float32, scale=True).as_subclass(torch.Tensor)


def channel_stats(dataset: Dataset) -> tuple[list[float], list[float]]:
    if len(dataset) == 0:
        raise ValueError("channel_stats needs at least one image")
    # Welford's update, an image at a time
    count, mean, spread = 0, np.zeros(3), np.zeros(3)
    for place in range(len(dataset)):
        values = as_unit_tensor(dataset[place][0]).double().numpy()
        if values.ndim != 3 or values.shape[0] != 3:
            raise ValueError(f"image {place}: expected (3, height, width), found {values.shape}")
        new = values[0].size
        delta = values.mean(axis=(1, 2)) - mean
        spread += values.var(axis=(1, 2)) * new + delta**2 * count * new / (count + new)
        mean += delta * new / (count + new)
        count += new
    return [float(v) for v in mean], [float(v) for v in np.sqrt(spread / count)]


def build_transforms(image_size: int, mean: Sequence[float], std: Sequence[float], *, train: bool) -> Callable:
    if image_size < 1:
        raise ValueError(f"image_size must be positive, not {image_size}")
    if len(mean) != 3 or len(std) != 3:
        raise ValueError(f"mean and std must have three numbers each, not {len(mean)} and {len(std)}")
    # a channel that is the same everywhere has a deviation of 0
    safe = [float(s) if s > 0 else 1.0 for s in std]
    size = (image_size, image_size)
    chain = [v2.RGB(), v2.Resize(size, interpolation=v2.InterpolationMode.BICUBIC)]
    if train:
        chain += [
            v2.RandomHorizontalFlip(0.5),
            v2.Pad(max(1, image_size // 8), padding_mode="reflect" if image_size > 8 else "edge"),
            v2.RandomCrop(size),
        ]
    chain += [v2.Lambda(as_unit_tensor), v2.Normalize([float(m) for m in mean], safe)]
    return torch.nn.Sequential(*chain)


def stratified_split(labels: Sequence[int], val_fraction: float, seed: int) -> tuple[list[int], list[int]]:
    if not 0 <= val_fraction <= 1:
        raise ValueError(f"val_fraction must be between 0 and 1, not {val_fraction}")
    by_class: dict[int, list[int]] = {}
    for place, label in enumerate(labels):
        by_class.setdefault(int(label), []).append(place)
    rng = np.random.default_rng(abs(seed))
    val: set[int] = set()
    for label in sorted(by_class):
        wanted = round(val_fraction * len(by_class[label]))
        if 0 < val_fraction < 1 and wanted in (0, len(by_class[label])):
            logger.warning("class %d has %d images, of which %d go to validation", label, len(by_class[label]), wanted)
        val.update(rng.permutation(by_class[label])[:wanted].tolist())
    train_idx = [place for place in range(len(labels)) if place not in val]
    if len(train_idx) + len(val) != len(labels):
        raise AssertionError("every place has to be in exactly one part")
    return train_idx, sorted(val)


def make_datasets(
    root: str | Path, labels_csv: str | Path, image_size: int, *, val_fraction: float = 0.2, seed: int = 0
) -> tuple[Dataset, Dataset, list[float], list[float]]:
    if not Path(root).is_dir():
        raise FileNotFoundError(f"folder {root} does not exist")
    plain = ImageFolderCSV(root, labels_csv)
    train_idx, val_idx = stratified_split(plain.labels, val_fraction=val_fraction, seed=seed)
    mean, std = channel_stats(Subset(plain, train_idx))
    logger.info("mean %s, std %s of %d training images", mean, std, len(train_idx))
    parts = {}
    for name, places in (("train", train_idx), ("val", val_idx)):
        transform = build_transforms(image_size, mean, std, train=name == "train")
        parts[name] = Subset(ImageFolderCSV(root, labels_csv, transform=transform), places)
    return parts["train"], parts["val"], mean, std


def make_loaders(
    train_set: Dataset, val_set: Dataset, batch_size: int, *, seed: int, num_workers: int = 0
) -> tuple[DataLoader, DataLoader]:
    if batch_size < 1 or num_workers < 0:
        raise ValueError(f"batch_size must be positive and num_workers not negative: {batch_size}, {num_workers}")
    rng = torch.Generator()
    rng.manual_seed(seed)
    train_loader = DataLoader(
        dataset=train_set, batch_size=batch_size, shuffle=True, generator=rng, num_workers=num_workers
    )
    val_loader = DataLoader(dataset=val_set, batch_size=batch_size, num_workers=num_workers)
    return train_loader, val_loader
