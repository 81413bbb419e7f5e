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
        raise NotImplementedError("Task 1: write ImageFolderCSV.__init__().")

    def __len__(self) -> int:
        """How many images the table lists."""
        raise NotImplementedError("Task 1: write ImageFolderCSV.__len__().")

    def __getitem__(self, i: int) -> tuple[object, int]:
        """Open the i-th image of the table.

        Returns:
            (image, label): the transform's result, or without a transform an RGB `PIL.Image`.

        Raises:
            FileNotFoundError: there is no such file; the message holds its path.
        """
        # Hint: Image.open is lazy and keeps the file open; `.convert("RGB")` inside `with` reads it whole.
        raise NotImplementedError("Task 1: write ImageFolderCSV.__getitem__().")


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
    raise NotImplementedError("Task 1: write channel_stats().")


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
    raise NotImplementedError("Task 1: write build_transforms().")


def stratified_split(labels: Sequence[int], val_fraction: float, seed: int) -> tuple[list[int], list[int]]:
    """Part the places 0 … n-1 in two so that each class is shared out in the same proportion.

    Args:
        labels: the class of each place.
        val_fraction: the part of each class that goes to validation, rounded to whole images.
        seed: the same seed gives the same split.

    Returns:
        (train_idx, val_idx): every place is in exactly one of them.
    """
    raise NotImplementedError("Task 1: write stratified_split().")


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
    raise NotImplementedError("Task 1: write make_datasets().")


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
    raise NotImplementedError("Task 1: write make_loaders().")
