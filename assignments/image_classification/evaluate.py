"""Task 4 · How good is it, and at what? Every image answered once, however many processes share them out."""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from accelerate import Accelerator
from torch import nn
from torch.utils.data import DataLoader


@dataclass(frozen=True)
class Evaluation:
    """A model's measures on one set of images. Given."""

    loss: float  # mean cross-entropy
    accuracy: float  # 1 is perfect
    confusion: np.ndarray  # int64 (true class, predicted class): numbers of images


def as_labels(values: object) -> np.ndarray:
    """A list, array or tensor of n classes as an int64 array (n,). Given.

    Raises:
        ValueError: the values are not whole numbers, or not in one row.
    """
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu().numpy()
    array = np.asarray(values)
    if array.ndim != 1 or (array.size and not (np.isfinite(array).all() and (array == array.astype("int64")).all())):
        raise ValueError(f"expected classes as whole numbers in one row, found {array.dtype} of shape {array.shape}.")
    return array.astype("int64")


def accuracy(y_true: object, y_pred: object) -> float:
    """The part of all predictions that is right, between 0 and 1.

    Args:
        y_true: n classes, as `as_labels` takes them.
        y_pred: n classes, compared with `y_true` by position.

    Raises:
        ValueError: there are none, or not equally many.
    """
    y_true, y_pred = as_labels(y_true), as_labels(y_pred)  # (n,), (n,)
    raise NotImplementedError("Task 4: write accuracy().")


def confusion_matrix(y_true: object, y_pred: object, num_classes: int) -> np.ndarray:
    """How many images of each class were taken for which.

    Args:
        y_true, y_pred: n classes each, as `as_labels` takes them.
        num_classes: the classes are 0 … num_classes - 1; one that does not occur has a row and a column all the same.

    Returns:
        int64 (num_classes, num_classes): a row for each true class, a column for each predicted one.

    Raises:
        ValueError: not equally many, or a class outside the range.
    """
    # Hint: np.add.at(matrix, (rows, columns), 1) counts a place as often as it comes; matrix[rows, columns] += 1 once.
    raise NotImplementedError("Task 4: write confusion_matrix().")


def per_class_accuracy(cm: np.ndarray) -> np.ndarray:
    """The part of each true class's images that was recognised: float64 (num_classes,); NaN for a class without images.

    Args:
        cm: as `confusion_matrix` returns it.
    """
    raise NotImplementedError("Task 4: write per_class_accuracy().")


def predict(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> tuple[np.ndarray, np.ndarray]:
    """The model's answers for all of the loader's images, on every process.

    The model runs in eval mode and without gradients; afterwards it is in the mode that it was in before.

    Args:
        model: maps (batch, 3, h, w) to logits (batch, classes); prepared or not.
        loader: pairs (batch, 3, h, w), (batch,), not shuffled; prepared or not.
        accelerator: says where to run, in which precision, and on how many processes.

    Returns:
        (y_true, logits): int64 (n,) and float32 (n, classes), in the loader's order, each image exactly once.
    """
    loader = accelerator.prepare(loader)
    # Not prepared: that would wrap a model for training, and here it only has to be in the right place.
    model.to(accelerator.device)
    raise NotImplementedError("Task 4: write predict().")


def evaluate(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> Evaluation:
    """Measure the model on all of the loader's images; the arguments are those of `predict`."""
    raise NotImplementedError("Task 4: write evaluate().")
