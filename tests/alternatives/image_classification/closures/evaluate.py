"""Task 4: every image answered once."""

from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from itertools import chain

import numpy as np
import torch
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


def of_pairs(function):
    """Gives the function equally long rows of labels, or raises ValueError."""

    @wraps(function)
    def checked(y_true, y_pred, *args, **kwargs):
        rows = as_labels(y_true), as_labels(y_pred)
        if rows[0].shape != rows[1].shape:
            raise ValueError(f"{rows[0].size} true classes, but {rows[1].size} predicted ones")
        return function(*rows, *args, **kwargs)

    return checked


@of_pairs
def accuracy(y_true: object, y_pred: object) -> float:
    if not y_true.size:
        raise ValueError("no images, no accuracy")
    return float(np.count_nonzero(y_true == y_pred) / y_true.size)


@of_pairs
def confusion_matrix(y_true: object, y_pred: object, num_classes: int) -> np.ndarray:
    counts = Counter(zip(y_true.tolist(), y_pred.tolist()))
    strangers = set(chain.from_iterable(counts)) - set(range(num_classes))
    if strangers:
        raise ValueError(f"classes {sorted(strangers)} are not among 0 to {num_classes - 1}")
    matrix = np.zeros((num_classes, num_classes), dtype=np.int64)
    for place, n in counts.items():
        matrix[place] = n
    return matrix


def per_class_accuracy(cm: np.ndarray) -> np.ndarray:
    hits, images = np.diagonal(cm), np.sum(cm, axis=1)
    return np.divide(hits, images, out=np.full(len(hits), np.nan), where=images != 0)


@contextmanager
def at_rest(model: nn.Module):
    """Eval mode and no gradients; afterwards each module is in its old mode."""
    modes = [(module, module.training) for module in model.modules()]
    try:
        with torch.inference_mode():
            yield model.eval()
    finally:
        for module, mode in modes:
            module.training = mode


def answers(model: nn.Module, loader: DataLoader, accelerator: Accelerator):
    """(labels, logits) of one batch after the other, on all processes together."""
    for images, labels in loader:
        with accelerator.autocast():
            logits = model(images)
        yield accelerator.gather_for_metrics((labels.long(), logits.float()))


def predict(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> tuple[np.ndarray, np.ndarray]:
    loader = accelerator.prepare(loader)
    model.to(accelerator.device)
    with at_rest(model):
        columns = zip(*answers(model, loader, accelerator))
        y_true, logits = (np.concatenate([part.cpu().numpy() for part in column]) for column in columns)
    return y_true, logits


def evaluate(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> Evaluation:
    y_true, logits = predict(model, loader, accelerator)
    z = torch.from_numpy(logits).double()
    loss = (z.logsumexp(1) - z.gather(1, torch.from_numpy(y_true)[:, None])[:, 0]).mean().item()
    guess = logits.argmax(axis=-1)
    return Evaluation(loss, accuracy(y_true, guess), confusion_matrix(y_true, guess, logits.shape[-1]))
