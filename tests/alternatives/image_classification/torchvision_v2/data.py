"""Images as torchvision has them: a VisionDataset, transforms v2, tv_tensors."""

import csv
from collections.abc import Callable, Iterator, Sequence, Sized
from pathlib import Path

import torch
from torch.utils.data import DataLoader, Dataset, Sampler
from torchvision import tv_tensors
from torchvision.datasets import VisionDataset
from torchvision.datasets.folder import pil_loader
from torchvision.transforms import v2


class ImageFolderCSV(VisionDataset):
    def __init__(self, root: str | Path, labels_csv: str | Path, transform: Callable | None = None) -> None:
        super().__init__(root, transform=transform)
        with open(labels_csv, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        absent = {"id", "label"} - set(rows[0] if rows else [])
        if absent:
            raise ValueError(f"{labels_csv}: expected id and label, found no {' and no '.join(sorted(absent))}")
        self.classes = sorted(set(row["label"] for row in rows))
        self.class_to_idx = {name: i for i, name in enumerate(self.classes)}
        self.samples = [(f"{row['id']}.png", self.class_to_idx[row["label"]]) for row in rows]
        self.labels = [label for _, label in self.samples]

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, i: int) -> tuple[object, int]:
        name, label = self.samples[i]
        image = pil_loader(Path(self.root) / name)  # closes the file, converts to RGB
        return (image if self.transform is None else self.transform(image)), label


def as_unit_tensor(image: object) -> torch.Tensor:
    return v2.functional.to_dtype(v2.functional.to_image(image), torch.float32, scale=True).as_subclass(torch.Tensor)


def channel_stats(dataset: Dataset) -> tuple[list[float], list[float]]:
    # twice through the data: the mean first, then the squared distances from it
    def images() -> Iterator[torch.Tensor]:
        return (as_unit_tensor(dataset[i][0]).double() for i in range(len(dataset)))

    n = sum(v2.functional.get_size(image)[0] * v2.functional.get_size(image)[1] for image in images())
    mean = sum(image.sum(dim=(-2, -1)) for image in images()) / n
    variance = sum((image - mean[:, None, None]).square().sum(dim=(-2, -1)) for image in images()) / n
    return mean.tolist(), variance.sqrt().tolist()


def build_transforms(image_size: int, mean: Sequence[float], std: Sequence[float], *, train: bool) -> Callable:
    steps = [v2.ToImage(), v2.Resize((image_size, image_size), antialias=True)]
    if train:
        steps.append(v2.RandomHorizontalFlip())
        steps.append(v2.RandomApply([v2.RandomRotation(8, interpolation=v2.InterpolationMode.BILINEAR)], p=0.5))
        steps.append(v2.RandomCrop(image_size, padding=max(1, image_size // 10), padding_mode="edge"))
    steps += [v2.ToDtype(torch.float32, scale=True), v2.Normalize(mean=list(mean), std=list(std))]
    return v2.Compose(steps)  # gives a tv_tensors.Image


def stratified_split(labels: Sequence[int], val_fraction: float, seed: int) -> tuple[list[int], list[int]]:
    labels = torch.as_tensor(labels)
    # one shuffle of everything; then the first places of each class, in the shuffled order
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
    train_idx, val_idx = [], []
    for label in labels.unique():
        places = order[labels[order] == label]
        head, tail = places.tensor_split([int(len(places) * val_fraction + 0.5)])
        val_idx.append(head)
        train_idx.append(tail)
    nothing = torch.empty(0, dtype=torch.long)
    return torch.cat([nothing, *train_idx]).sort().values.tolist(), torch.cat([nothing, *val_idx]).sort().values.tolist()


class Part(Dataset):
    """Some places of a dataset of PIL images, through a transform of their own."""

    def __init__(self, dataset: ImageFolderCSV, places: Sequence[int], transform: Callable) -> None:
        self.dataset, self.places, self.transform = dataset, places, transform

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, i: int) -> tuple[tv_tensors.Image, int]:
        image, label = self.dataset[self.places[i]]
        return self.transform(image), label


def make_datasets(
    root: str | Path, labels_csv: str | Path, image_size: int, *, val_fraction: float = 0.2, seed: int = 0
) -> tuple[Dataset, Dataset, list[float], list[float]]:
    images = ImageFolderCSV(root, labels_csv)
    train_idx, val_idx = stratified_split(images.labels, val_fraction, seed)
    mean, std = channel_stats(Part(images, train_idx, transform=v2.Identity()))
    train_set = Part(images, train_idx, build_transforms(image_size, mean, std, train=True))
    val_set = Part(images, val_idx, build_transforms(image_size, mean, std, train=False))
    return train_set, val_set, mean, std


class EpochShuffle(Sampler):
    """An order for each epoch that follows from the seed and the epoch's number."""

    def __init__(self, dataset: Sized, seed: int) -> None:
        self.n, self.seed, self.epoch = len(dataset), seed, 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return self.n

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self.seed * 100_003 + self.epoch)
        self.epoch += 1
        return iter(torch.randperm(self.n, generator=generator).tolist())


def make_loaders(
    train_set: Dataset, val_set: Dataset, batch_size: int, *, seed: int, num_workers: int = 0
) -> tuple[DataLoader, DataLoader]:
    order = EpochShuffle(train_set, seed)
    return (
        DataLoader(train_set, batch_size, sampler=order, num_workers=num_workers),
        DataLoader(val_set, batch_size, num_workers=num_workers),
    )
