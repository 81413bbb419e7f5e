"""Task 4: measures of a classifier."""

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
    y_true, y_pred = as_labels(y_true), as_labels(y_pred)
    match y_true.size, y_pred.size:
        case 0, _:
            raise ValueError("There are no images.")
        case n, m if n != m:
            raise ValueError(f"{n} true classes do not match {m} predicted ones.")
        case n, _:
            return sum(t == p for t, p in zip(y_true.tolist(), y_pred.tolist(), strict=True)) / n


def confusion_matrix(y_true: object, y_pred: object, num_classes: int) -> np.ndarray:
    if (t := as_labels(y_true)).size != (p := as_labels(y_pred)).size:
        raise ValueError(f"{t.size} true classes do not match {p.size} predicted ones.")
    if (outside := [c for c in np.union1d(t, p).tolist() if not 0 <= c < num_classes]):
        raise ValueError(f"Classes go from 0 to {num_classes - 1}; found {outside}.")
    counts = np.bincount(t * num_classes + p, minlength=num_classes**2)
    return counts.reshape(num_classes, num_classes).astype(np.int64)


def per_class_accuracy(cm: np.ndarray) -> np.ndarray:
    parts = [row[c] / n if (n := row.sum()) else np.nan for c, row in enumerate(np.asarray(cm))]
    return np.array(parts, dtype=np.float64)


def predict(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> tuple[np.ndarray, np.ndarray]:
    loader = accelerator.prepare(loader)
    model.to(accelerator.device)
    sleeping = {module for module in model.modules() if not module.training}
    y_true, logits = [], []
    try:
        model.eval()
        with torch.inference_mode():
            for images, labels in loader:
                with accelerator.autocast():
                    answer = model(images)
                labels, answer = accelerator.gather_for_metrics((labels, answer))
                y_true += labels.tolist()
                logits.append(answer.to("cpu", torch.float32))
    finally:
        for module in model.modules():
            module.training = module not in sleeping
    return np.array(y_true, dtype=np.int64), torch.vstack(logits).numpy()


def evaluate(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> Evaluation:
    y_true, logits = predict(model, loader, accelerator)
    logp = F.log_softmax(torch.as_tensor(logits, dtype=torch.float64), dim=-1)
    return Evaluation(
        loss=F.nll_loss(logp, torch.as_tensor(y_true)).item(),
        accuracy=accuracy(y_true, y_pred := np.argmax(logits, axis=1)),
        confusion=confusion_matrix(y_true, y_pred, num_classes=logits.shape[1]),
    )
