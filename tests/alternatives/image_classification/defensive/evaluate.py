"""Measures that refuse what they cannot measure."""

import logging
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from accelerate import Accelerator
from torch import nn
from torch.utils.data import DataLoader
from tqdm import tqdm

logger = logging.getLogger(__name__)

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


def same_length(y_true: object, y_pred: object) -> tuple[np.ndarray, np.ndarray]:
    true, pred = as_labels(y_true), as_labels(y_pred)
    if true.size != pred.size:
        raise ValueError(f"y_true has {true.size} classes, y_pred {pred.size}")
    return true, pred


def accuracy(y_true: object, y_pred: object) -> float:
    true, pred = same_length(y_true, y_pred)
    if true.size == 0:
        raise ValueError("accuracy needs at least one prediction")
    return float(np.equal(true, pred).mean())


def confusion_matrix(y_true: object, y_pred: object, num_classes: int) -> np.ndarray:
    if num_classes < 1:
        raise ValueError(f"num_classes must be positive, not {num_classes}")
    true, pred = same_length(y_true, y_pred)
    for name, classes in (("y_true", true), ("y_pred", pred)):
        outside = classes[(classes < 0) | (classes >= num_classes)]
        if outside.size:
            raise ValueError(f"{name}: {outside[0]} is not one of the classes 0 ... {num_classes - 1}")
    matrix = np.zeros((num_classes, num_classes), dtype=np.int64)
    np.add.at(matrix, (true, pred), 1)
    return matrix


def per_class_accuracy(cm: np.ndarray) -> np.ndarray:
    cm = np.asarray(cm)
    if cm.ndim != 2 or cm.shape[0] != cm.shape[1]:
        raise ValueError(f"a confusion matrix is square, not {cm.shape}")
    totals = cm.sum(axis=1).astype(np.float64)
    result = np.full(len(cm), np.nan)
    seen = totals > 0
    result[seen] = np.diagonal(cm)[seen] / totals[seen]
    return result


def predict(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> tuple[np.ndarray, np.ndarray]:
    loader = accelerator.prepare(loader)
    model.to(accelerator.device)
    training = [module for module in model.modules() if module.training]
    all_labels, all_logits = [], []
    try:
        model.eval()
        with torch.no_grad():
            for images, labels in tqdm(loader, desc="predict", leave=False, disable=not accelerator.is_main_process):
                with accelerator.autocast():
                    logits = model(images)
                if logits.ndim != 2 or len(logits) != len(labels):
                    raise ValueError(f"expected logits ({len(labels)}, classes), found {tuple(logits.shape)}")
                logits, labels = accelerator.gather_for_metrics((logits.to(torch.float32), labels.to(torch.int64)))
                all_logits.append(logits.cpu())
                all_labels.append(labels.cpu())
    finally:
        for module in training:
            module.training = True
    if not all_labels:
        raise ValueError("the loader is empty")
    return torch.cat(all_labels).numpy(), torch.cat(all_logits).numpy()


def evaluate(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> Evaluation:
    y_true, logits = predict(model, loader, accelerator)
    if not np.isfinite(logits).all():
        logger.warning("some logits are not finite")
    predicted = logits.argmax(axis=1)
    total = F.cross_entropy(torch.from_numpy(logits), torch.from_numpy(y_true), reduction="sum")
    return Evaluation(
        loss=total.item() / len(y_true),
        accuracy=accuracy(y_true, predicted),
        confusion=confusion_matrix(y_true, predicted, num_classes=logits.shape[1]),
    )
