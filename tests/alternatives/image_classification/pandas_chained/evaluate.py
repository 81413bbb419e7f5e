"""Measures, with pandas where it counts."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
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
    true, pred = pd.Series(as_labels(y_true)), pd.Series(as_labels(y_pred))
    if true.empty or len(true) != len(pred):
        raise ValueError(f"need equally many classes, at least one; got {len(true)} and {len(pred)}")
    return float(true.eq(pred).mean())


def confusion_matrix(y_true: object, y_pred: object, num_classes: int) -> np.ndarray:
    true, pred = as_labels(y_true), as_labels(y_pred)
    if len(true) != len(pred):
        raise ValueError(f"{len(true)} true classes, but {len(pred)} predicted ones")
    pairs = pd.DataFrame({"true": true, "pred": pred})
    if not pairs.isin(range(num_classes)).all(axis=None):
        raise ValueError(f"classes must be 0 ... {num_classes - 1}")
    every = pd.MultiIndex.from_product([range(num_classes)] * 2, names=["true", "pred"])
    counts = pairs.value_counts().reindex(every, fill_value=0)
    return counts.to_numpy(dtype="int64").reshape(num_classes, num_classes)


def per_class_accuracy(cm: np.ndarray) -> np.ndarray:
    table = pd.DataFrame(np.asarray(cm), dtype="float64")
    return pd.Series(np.diag(table), dtype="float64").div(table.sum(axis=1)).to_numpy()


def predict(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> tuple[np.ndarray, np.ndarray]:
    loader = accelerator.prepare(loader)
    model.to(accelerator.device)
    was_training, found = model.training, []
    model.eval()
    with torch.no_grad():
        for images, labels in loader:
            with accelerator.autocast():
                logits = model(images)
            found.append(accelerator.gather_for_metrics((labels, logits.float())))
    model.train(was_training)
    y_true, logits = (torch.cat(part).cpu().numpy() for part in zip(*found, strict=True))
    return y_true.astype("int64"), logits


def evaluate(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> Evaluation:
    y_true, logits = predict(model, loader, accelerator)
    y_pred = pd.DataFrame(logits).idxmax(axis=1).to_numpy()
    loss = F.cross_entropy(torch.from_numpy(logits).double(), torch.from_numpy(y_true)).item()
    return Evaluation(loss, accuracy(y_true, y_pred), confusion_matrix(y_true, y_pred, logits.shape[1]))
