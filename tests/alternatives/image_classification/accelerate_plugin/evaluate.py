"""Measures."""

from dataclasses import dataclass

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import concatenate, convert_to_fp32, send_to_device
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


def checked(y_true: object, y_pred: object) -> tuple[torch.Tensor, torch.Tensor]:
    y_true, y_pred = torch.from_numpy(as_labels(y_true)), torch.from_numpy(as_labels(y_pred))
    if len(y_true) != len(y_pred):
        raise ValueError(f"{len(y_pred)} predictions for {len(y_true)} images")
    return y_true, y_pred


def accuracy(y_true: object, y_pred: object) -> float:
    y_true, y_pred = checked(y_true, y_pred)
    if len(y_true) == 0:
        raise ValueError("no predictions, no accuracy")
    return torch.count_nonzero(y_true == y_pred).item() / len(y_true)


def confusion_matrix(y_true: object, y_pred: object, num_classes: int) -> np.ndarray:
    pairs = torch.stack(checked(y_true, y_pred))  # (2, n)
    if ((pairs < 0) | (pairs > num_classes - 1)).any():
        raise ValueError(f"classes go from 0 to {num_classes - 1}, found {pairs.unique().tolist()}")
    flat = pairs[0] * num_classes + pairs[1]
    return torch.bincount(flat, minlength=num_classes**2).view(num_classes, num_classes).numpy()


def per_class_accuracy(cm: np.ndarray) -> np.ndarray:
    cm = np.asarray(cm, dtype="float64")
    images = cm.sum(axis=1)
    images[images == 0] = np.nan
    return cm.diagonal() / images


def predict(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> tuple[np.ndarray, np.ndarray]:
    loader = accelerator.prepare(loader)
    model.to(accelerator.device)
    mode = model.training
    answered = []
    for batch in loader:
        images, labels = send_to_device(batch, accelerator.device)
        with torch.inference_mode(), accelerator.autocast():
            logits = model.eval()(images)
        answered.append(accelerator.gather_for_metrics((labels, convert_to_fp32(logits))))
    model.train(mode)
    y_true, logits = concatenate(answered)
    return y_true.cpu().numpy().astype(np.int64), logits.cpu().numpy()


def evaluate(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> Evaluation:
    y_true, logits = predict(model, loader, accelerator)
    loss = nn.CrossEntropyLoss()(torch.tensor(logits), torch.tensor(y_true))
    y_pred = np.argmax(logits, axis=1)
    confusion = confusion_matrix(y_true, y_pred, logits.shape[1])
    return Evaluation(accuracy=accuracy(y_true, y_pred), loss=float(loss), confusion=confusion)
