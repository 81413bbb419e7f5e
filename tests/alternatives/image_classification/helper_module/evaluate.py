"""Task 4: how good is it, and at what?"""

from dataclasses import dataclass

import numpy as np
import torch
from helpers import answers
from scipy.special import log_softmax
from sklearn import metrics

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


def as_pair(y_true, y_pred):
    y_true, y_pred = as_labels(y_true), as_labels(y_pred)
    if len(y_true) != len(y_pred):
        raise ValueError(f"lengths differ: {len(y_true)} and {len(y_pred)}")
    return y_true, y_pred


def accuracy(y_true, y_pred):
    y_true, y_pred = as_pair(y_true, y_pred)
    if len(y_true) == 0:
        raise ValueError("nothing to measure")
    return float(metrics.accuracy_score(y_true, y_pred))


def confusion_matrix(y_true, y_pred, num_classes):
    y_true, y_pred = as_pair(y_true, y_pred)
    if not np.isin([*y_true, *y_pred], np.arange(num_classes)).all():
        raise ValueError(f"labels must lie in 0 ... {num_classes - 1}")
    if len(y_true) == 0:  # scikit-learn refuses these
        return np.zeros((num_classes, num_classes), dtype=np.int64)
    return metrics.confusion_matrix(y_true, y_pred, labels=range(num_classes)).astype(np.int64)


def per_class_accuracy(cm):
    cm = np.asarray(cm, dtype=np.float64)
    totals = cm.sum(axis=1)
    return np.diag(cm) / np.where(totals == 0, np.nan, totals)


def predict(model, loader, accelerator):
    loader = accelerator.prepare(loader)
    model.to(accelerator.device)
    was_training = model.training
    model.train(False)
    try:
        with torch.no_grad():
            return answers(model, loader, accelerator)
    finally:
        model.train(was_training)


def evaluate(model, loader, accelerator):
    y_true, logits = predict(model, loader, accelerator)
    y_pred = logits.argmax(axis=1)
    losses = -log_softmax(logits.astype("float64"), axis=1)[np.arange(len(y_true)), y_true]
    matrix = confusion_matrix(y_true, y_pred, logits.shape[1])
    return Evaluation(float(losses.mean()), accuracy(y_true, y_pred), matrix)
