"""Task 4: measures."""

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
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
    true_labels = as_labels(y_true)
    predicted_labels = as_labels(y_pred)
    n = len(true_labels)
    if n == 0:
        raise ValueError("there are no labels")
    if len(predicted_labels) != n:
        raise ValueError(f"there are {n} true labels, but {len(predicted_labels)} predicted ones")
    right = 0
    for i in range(n):
        if true_labels[i] == predicted_labels[i]:
            right = right + 1
    return right / n


def confusion_matrix(y_true: object, y_pred: object, num_classes: int) -> np.ndarray:
    true_labels = as_labels(y_true)
    predicted_labels = as_labels(y_pred)
    if len(true_labels) != len(predicted_labels):
        raise ValueError(f"there are {len(true_labels)} true labels, but {len(predicted_labels)} predicted ones")
    matrix = np.zeros((num_classes, num_classes), dtype=np.int64)
    for i in range(len(true_labels)):
        row = true_labels[i]
        column = predicted_labels[i]
        if row < 0 or row >= num_classes:
            raise ValueError(f"true class {row} is not between 0 and {num_classes - 1}")
        if column < 0 or column >= num_classes:
            raise ValueError(f"predicted class {column} is not between 0 and {num_classes - 1}")
        matrix[row, column] = matrix[row, column] + 1
    return matrix


def per_class_accuracy(cm: np.ndarray) -> np.ndarray:
    cm = np.asarray(cm)
    result = np.zeros(len(cm), dtype=np.float64)
    for c in range(len(cm)):
        images_of_class = cm[c].sum()
        if images_of_class == 0:
            result[c] = math.nan
        else:
            result[c] = cm[c, c] / images_of_class
    return result


def predict(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> tuple[np.ndarray, np.ndarray]:
    loader = accelerator.prepare(loader)
    model.to(accelerator.device)
    mode_before = model.training
    model.eval()
    y_true = []
    all_logits = []
    with torch.no_grad():
        for images, labels in loader:
            with accelerator.autocast():
                logits = model(images)
            logits = logits.to(torch.float32)
            logits = accelerator.gather_for_metrics(logits)
            labels = accelerator.gather_for_metrics(labels)
            for k in range(len(labels)):
                y_true.append(int(labels[k]))
                all_logits.append(logits[k].cpu().numpy())
    if mode_before:
        model.train()
    return np.array(y_true, dtype=np.int64), np.array(all_logits, dtype=np.float32)


def evaluate(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> Evaluation:
    y_true, logits = predict(model, loader, accelerator)
    n, num_classes = logits.shape
    y_pred = np.zeros(n, dtype=np.int64)
    sum_of_losses = 0.0
    for i in range(n):
        y_pred[i] = np.argmax(logits[i])
        log_probabilities = F.log_softmax(torch.tensor(logits[i]), dim=0)
        sum_of_losses = sum_of_losses - log_probabilities[y_true[i]].item()
    loss = sum_of_losses / n
    part_right = accuracy(y_true, y_pred)
    matrix = confusion_matrix(y_true, y_pred, num_classes)
    return Evaluation(loss=loss, accuracy=part_right, confusion=matrix)
