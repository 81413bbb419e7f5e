"""Measures counted by torch."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn


@dataclass(frozen=True)
class Evaluation:
    loss: float
    accuracy: float
    confusion: np.ndarray


def as_labels(values):
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu().numpy()
    array = np.asarray(values)
    if array.ndim != 1 or (array.size and not (np.isfinite(array).all() and (array == array.astype("int64")).all())):
        raise ValueError(f"expected classes as whole numbers in one row, found {array.dtype} of shape {array.shape}.")
    return array.astype("int64")


def accuracy(y_true, y_pred):
    y_true, y_pred = torch.from_numpy(as_labels(y_true)), torch.from_numpy(as_labels(y_pred))
    if y_true.numel() == 0:
        raise ValueError("There are no predictions.")
    if y_true.shape != y_pred.shape:
        raise ValueError("There must be as many predictions as labels.")
    return (y_true == y_pred).float().mean().item()


def confusion_matrix(y_true, y_pred, num_classes):
    y_true, y_pred = as_labels(y_true), as_labels(y_pred)
    if y_true.shape != y_pred.shape:
        raise ValueError("There must be as many predictions as labels.")
    cm = np.zeros((num_classes, num_classes), dtype=np.int64)
    for true, predicted in zip(y_true, y_pred, strict=True):
        if not (0 <= true < num_classes and 0 <= predicted < num_classes):
            raise ValueError(f"Class {true} or {predicted} is not below {num_classes}.")
        cm[true, predicted] += 1
    return cm


def per_class_accuracy(cm):
    result = []
    for k, row in enumerate(np.asarray(cm)):
        result.append(row[k] / row.sum() if row.sum() > 0 else float("nan"))
    return np.array(result, dtype=np.float64)


def predict(model, loader, accelerator):
    loader = accelerator.prepare(loader)
    model.to(accelerator.device)
    mode = model.training
    model.eval()
    all_labels, all_logits = [], []
    try:
        for images, labels in loader:
            with torch.no_grad(), accelerator.autocast():
                logits = model(images)
            logits, labels = accelerator.gather_for_metrics((logits, labels))
            all_logits.append(logits.float().cpu())
            all_labels.append(labels.cpu())
    finally:
        model.train(mode)
    return torch.cat(all_labels).numpy(), torch.cat(all_logits).numpy()


def evaluate(model, loader, accelerator):
    y_true, logits = predict(model, loader, accelerator)
    predicted = np.argmax(logits, axis=-1)
    loss = nn.CrossEntropyLoss()(torch.tensor(logits), torch.tensor(y_true))
    cm = confusion_matrix(y_true, predicted, logits.shape[-1])
    return Evaluation(float(loss), accuracy(y_true, predicted), cm)
