"""Task 4: measures, counted by hand."""

import math
from dataclasses import dataclass

import numpy as np
import torch

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


def accuracy(y_true, y_pred):
    y_true, y_pred = as_labels(y_true), as_labels(y_pred)
    if len(y_true) != len(y_pred):
        raise ValueError(f"{len(y_true)} labels cannot be compared with {len(y_pred)}")
    if len(y_true) == 0:
        raise ValueError("no labels, no accuracy")
    right = 0
    for t, p in zip(y_true, y_pred):
        if t == p:
            right += 1
    return right / len(y_true)


def confusion_matrix(y_true, y_pred, num_classes):
    y_true, y_pred = as_labels(y_true), as_labels(y_pred)
    if len(y_true) != len(y_pred):
        raise ValueError(f"{len(y_true)} labels cannot be compared with {len(y_pred)}")
    matrix = [[0] * num_classes for _ in range(num_classes)]
    for t, p in zip(y_true.tolist(), y_pred.tolist()):
        if t < 0 or p < 0 or t >= num_classes or p >= num_classes:
            raise ValueError(f"a class is outside 0 ... {num_classes - 1}: true {t}, predicted {p}")
        matrix[t][p] += 1
    return np.array(matrix, dtype="int64").reshape(num_classes, num_classes)


def per_class_accuracy(cm):
    parts = []
    for c in range(len(cm)):
        images = sum(int(n) for n in cm[c])
        parts.append(int(cm[c][c]) / images if images > 0 else math.nan)
    return np.array(parts, dtype="float64")


def predict(model, loader, accelerator):
    loader = accelerator.prepare(loader)
    model.to(accelerator.device)
    y_true, logits = [], []
    before = {name: module.training for name, module in model.named_modules()}
    model.eval()
    with torch.no_grad():
        for x, y in loader:
            with accelerator.autocast():
                z = model(x)
            y, z = accelerator.gather_for_metrics([y, z])
            for label, row in zip(y.tolist(), z.float().tolist()):
                y_true.append(label)
                logits.append(row)
    for name, module in model.named_modules():
        module.training = before[name]
    return np.array(y_true, dtype="int64"), np.array(logits, dtype="float32")


def evaluate(model, loader, accelerator):
    y_true, logits = predict(model, loader, accelerator)
    z = logits.astype("float64")
    z = z - z.max(axis=1, keepdims=True)
    total = 0.0
    for t, row in zip(y_true, z):
        total += math.log(sum(math.exp(value) for value in row)) - row[t]  # -log p_t
    y_pred = np.array([max(range(len(row)), key=row.__getitem__) for row in logits])
    confusion = confusion_matrix(y_true, y_pred, logits.shape[1])
    return Evaluation(float(total / len(y_true)), float(np.trace(confusion) / confusion.sum()), confusion)
