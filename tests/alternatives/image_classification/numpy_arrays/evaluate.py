"""Measures in plain NumPy."""

from dataclasses import dataclass

import numpy as np
import torch
from accelerate import Accelerator
from torch import nn
from torch.utils.data import DataLoader

@dataclass(frozen=True)
class Evaluation:
    loss: float
    accuracy: float
    confusion: np.ndarray


def as_labels(values: object) -> np.ndarray:
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu().numpy()
    array = np.asarray(values)
    if array.ndim != 1 or (array.size and not (np.isfinite(array).all() and (array == array.astype("int64")).all())):
        raise ValueError(f"expected classes as whole numbers in one row, found {array.dtype} of shape {array.shape}.")
    return array.astype("int64")


def accuracy(y_true: object, y_pred: object) -> float:
    y_true, y_pred = as_labels(y_true), as_labels(y_pred)
    if y_true.shape != y_pred.shape or y_true.size == 0:
        raise ValueError(f"cannot compare {y_true.size} classes with {y_pred.size}")
    return float(np.count_nonzero(y_true == y_pred) / y_true.size)


def confusion_matrix(y_true: object, y_pred: object, num_classes: int) -> np.ndarray:
    y_true, y_pred = as_labels(y_true), as_labels(y_pred)
    if y_true.shape != y_pred.shape:
        raise ValueError(f"cannot pair {y_true.size} classes with {y_pred.size}")
    for labels in (y_true, y_pred):
        if np.any((labels < 0) | (labels >= num_classes)):
            raise ValueError(f"a class outside 0 ... {num_classes - 1}: {labels.min()} to {labels.max()}")
    one_hot = np.eye(num_classes, dtype=np.int64)
    return one_hot[y_true].T @ one_hot[y_pred]


def per_class_accuracy(cm: np.ndarray) -> np.ndarray:
    cm = np.asarray(cm, dtype=np.float64)
    rows = cm.sum(axis=1)
    return np.divide(cm.diagonal(), rows, out=np.full(rows.shape, np.nan), where=rows > 0)


def predict(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> tuple[np.ndarray, np.ndarray]:
    loader = accelerator.prepare(loader)
    model.to(accelerator.device)
    before = [(module, module.training) for module in model.modules()]
    labels, logits = [], []
    model.eval()
    with torch.inference_mode():
        for x, y in loader:
            with accelerator.autocast():
                z = model(x)
            labels.append(accelerator.gather_for_metrics(y).cpu().numpy())
            logits.append(accelerator.gather_for_metrics(z.float()).cpu().numpy())
    for module, mode in before:  # each module as it was, not only the outermost
        module.training = mode
    return np.concatenate(labels).astype(np.int64), np.concatenate(logits).astype(np.float32)


def evaluate(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> Evaluation:
    y_true, logits = predict(model, loader, accelerator)
    z = logits.astype(np.float64)
    z -= z.max(axis=1, keepdims=True)
    losses = np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(z)), y_true]
    cm = confusion_matrix(y_true, logits.argmax(axis=1), logits.shape[1])
    return Evaluation(loss=float(losses.mean()), accuracy=float(np.trace(cm) / cm.sum()), confusion=cm)
