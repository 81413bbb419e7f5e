"""Task 1 · Images from Kaggle's folder, as batches that a network can learn from.

Two rules run through it. Numbers that describe the data (means, deviations) come from training images alone. Chance
belongs to training alone: an image that is evaluated is always the same image.
"""

import csv
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset, Subset
from torchvision.transforms import v2


class ImageFolderCSV(Dataset):
    """The images that a table of labels lists, in the table's order.

    Attributes:
        classes: the names of the classes, sorted; a label is a place in this list.
        labels: the label of each image, a list of ints.
    """

    def __init__(self, root: str | Path, labels_csv: str | Path, transform: Callable | None = None) -> None:
        """Read the table; the images stay on the disk until they are asked for.

        Args:
            root: the folder that holds `<id>.png`.
            labels_csv: a CSV file with the columns `id` and `label`.
            transform: what to make of each image; None leaves it as it is.

        Raises:
            ValueError: a column is absent; the message names it.
        """
        with open(labels_csv, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        absent = {"id", "label"} - set(rows[0] if rows else [])
        if absent:
            raise ValueError(
                f"expected the columns id and label in {labels_csv}, found no {', '.join(sorted(absent))}."
            )
        # Every row is a dictionary of texts, such as {"id": "1", "label": "frog"}.
        ### BEGIN SOLUTION
        self.root, self.transform = Path(root), transform
        self.ids = [row["id"] for row in rows]
        self.classes = sorted({row["label"] for row in rows})
        places = {name: place for place, name in enumerate(self.classes)}
        self.labels = [places[row["label"]] for row in rows]
        ### END SOLUTION

    def __len__(self) -> int:
        """How many images the table lists."""
        ### BEGIN SOLUTION
        return len(self.ids)
        ### END SOLUTION

    def __getitem__(self, i: int) -> tuple[object, int]:
        """Open the i-th image of the table.

        Returns:
            (image, label): the transform's result, or without a transform an RGB `PIL.Image`.

        Raises:
            FileNotFoundError: there is no such file; the message holds its path.
        """
        # Hint: Image.open is lazy and keeps the file open; `.convert("RGB")` inside `with` reads it whole.
        ### BEGIN SOLUTION
        with Image.open(self.root / f"{self.ids[i]}.png") as file:
            image = file.convert("RGB")
        return (self.transform(image) if self.transform else image), self.labels[i]
        ### END SOLUTION


def as_unit_tensor(image: object) -> torch.Tensor:
    """An image as float32 (3, height, width) between 0 and 1: of a PIL image, a uint8 or a float tensor. Given."""
    return v2.functional.to_dtype(v2.functional.to_image(image), torch.float32, scale=True).as_subclass(torch.Tensor)


def channel_stats(dataset: Dataset) -> tuple[list[float], list[float]]:
    """Mean and standard deviation of each colour channel, over all pixels of all images.

    Args:
        dataset: (image, label) pairs, the images as `as_unit_tensor` takes them; they may differ in size.

    Returns:
        (mean, std): three floats each, where black is 0 and white is 1.
    """
    # Hint: add up pixels, sums and sums of squares, in float64. The mean of the images' deviations is something else.
    ### BEGIN SOLUTION
    n, total, squares = 0, torch.zeros(3, dtype=torch.float64), torch.zeros(3, dtype=torch.float64)
    for i in range(len(dataset)):
        pixels = as_unit_tensor(dataset[i][0]).double().flatten(1)  # (3, height · width)
        n += pixels.shape[1]
        total += pixels.sum(dim=1)
        squares += pixels.square().sum(dim=1)
    mean = total / n  # (3,)
    std = (squares / n - mean.square()).clamp(min=0).sqrt()  # (3,)
    return mean.tolist(), std.tolist()
    ### END SOLUTION


def build_transforms(image_size: int, mean: Sequence[float], std: Sequence[float], *, train: bool) -> Callable:
    """What turns an RGB `PIL.Image` of any size into the network's input.

    Args:
        image_size: height and width of the result, in pixels.
        mean, std: three numbers each, in units where black is 0 and white is 1.
        train: also augment, lightly and anew at every call: what is shown must stay recognisable, its colours right.
            Without it the same image always gives the same result.

    Returns:
        A function of one image that gives float32 (3, image_size, image_size), each channel (value - mean) / std.
    """
    resize = v2.Resize((image_size, image_size))
    ### BEGIN SOLUTION
    light = [
        v2.RandomCrop(image_size, padding=max(1, image_size // 8), padding_mode="reflect"),
        v2.RandomHorizontalFlip(),
    ]
    augment = light if train else []
    to_unit = [v2.ToImage(), v2.ToDtype(torch.float32, scale=True), v2.ToPureTensor()]
    return v2.Compose([resize, *augment, *to_unit, v2.Normalize(list(mean), list(std))])
    ### END SOLUTION


def stratified_split(labels: Sequence[int], val_fraction: float, seed: int) -> tuple[list[int], list[int]]:
    """Part the places 0 … n-1 in two so that each class is shared out in the same proportion.

    Args:
        labels: the class of each place.
        val_fraction: the part of each class that goes to validation, rounded to whole images.
        seed: the same seed gives the same split.

    Returns:
        (train_idx, val_idx): every place is in exactly one of them.
    """
    ### BEGIN SOLUTION
    labels, rng = np.asarray(labels), np.random.default_rng(seed)
    train_idx, val_idx = [], []
    for label in np.unique(labels):
        places = rng.permutation(np.flatnonzero(labels == label))
        n_val = round(len(places) * val_fraction)
        val_idx += places[:n_val].tolist()
        train_idx += places[n_val:].tolist()
    return sorted(train_idx), sorted(val_idx)
    ### END SOLUTION


def make_datasets(
    root: str | Path, labels_csv: str | Path, image_size: int, *, val_fraction: float = 0.2, seed: int = 0
) -> tuple[Dataset, Dataset, list[float], list[float]]:
    """Training and validation images of one folder, each with the transform that belongs to it.

    Args:
        root, labels_csv: as for `ImageFolderCSV`.
        image_size: as for `build_transforms`.
        val_fraction, seed: as for `stratified_split`.

    Returns:
        (train_set, val_set, mean, std). Validation images are never augmented. Both sets are normalised with the same
        mean and std, those of the training images.
    """
    # Hint: `torch.utils.data.Subset(dataset, places)`; two subsets of one dataset would share its transform.
    ### BEGIN SOLUTION
    plain = ImageFolderCSV(root, labels_csv)
    train_idx, val_idx = stratified_split(plain.labels, val_fraction, seed)
    mean, std = channel_stats(Subset(plain, train_idx))
    train_set, val_set = (
        Subset(ImageFolderCSV(root, labels_csv, build_transforms(image_size, mean, std, train=train)), places)
        for train, places in ((True, train_idx), (False, val_idx))
    )
    return train_set, val_set, mean, std
    ### END SOLUTION


def make_loaders(
    train_set: Dataset, val_set: Dataset, batch_size: int, *, seed: int, num_workers: int = 0
) -> tuple[DataLoader, DataLoader]:
    """Batches of both sets; no image is dropped.

    Args:
        train_set, val_set: (image, label) pairs.
        batch_size: images of a batch on one process; the last batch may be smaller.
        seed: of the order of training; the same seed gives the same orders.
        num_workers: processes that read images ahead; 0 reads them where they are used.

    Returns:
        (train_loader, val_loader): training images in a new order each epoch, validation images in their own.
    """
    ### BEGIN SOLUTION
    generator = torch.Generator().manual_seed(seed)
    shared = {"batch_size": batch_size, "num_workers": num_workers, "pin_memory": torch.cuda.is_available()}
    return DataLoader(train_set, shuffle=True, generator=generator, **shared), DataLoader(val_set, **shared)
    ### END SOLUTION
