"""Measures by scikit-learn, after a look at what it would let pass."""

from dataclasses import dataclass

import numpy as np
import torch
from accelerate import Accelerator
from scipy.special import log_softmax
from sklearn import metrics
from sklearn.utils import check_consistent_length
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
    check_consistent_length(y_true, y_pred)  # a ValueError if not
    if not y_true.size:
        raise ValueError("accuracy of no predictions")
    return float(metrics.accuracy_score(y_true, y_pred))


def confusion_matrix(y_true: object, y_pred: object, num_classes: int) -> np.ndarray:
    y_true, y_pred = as_labels(y_true), as_labels(y_pred)
    check_consistent_length(y_true, y_pred)
    unknown = np.setdiff1d(np.union1d(y_true, y_pred), np.arange(num_classes))
    if unknown.size:
        raise ValueError(f"classes {unknown.tolist()} are not in 0 ... {num_classes - 1}")
    if not y_true.size:  # which scikit-learn refuses
        return np.zeros((num_classes, num_classes), dtype="int64")
    return metrics.confusion_matrix(y_true, y_pred, labels=np.arange(num_classes)).astype("int64")


def per_class_accuracy(cm: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.diag(cm) / np.sum(cm, axis=1, dtype="float64")


@torch.inference_mode()
def predict(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> tuple[np.ndarray, np.ndarray]:
    loader = accelerator.prepare(loader)
    model = model.to(accelerator.device)
    training = model.training
    model.train(False)
    y_true, logits = [], []
    for images, labels in loader:
        with accelerator.autocast():
            answer = model(images)
        answer, labels = accelerator.gather_for_metrics([answer.float(), labels])
        logits.extend(answer.tolist())
        y_true.extend(labels.tolist())
    model.train(training)
    return np.asarray(y_true, "int64"), np.asarray(logits, "float32")


def evaluate(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> Evaluation:
    y_true, logits = predict(model, loader, accelerator)
    # metrics.log_loss clips probabilities and so bounds the loss of one who is sure and wrong
    chosen = np.take_along_axis(log_softmax(logits.astype("float64"), axis=1), y_true[:, None], axis=1)
    y_pred = logits.argmax(1)
    return Evaluation(
        float(-chosen.mean()), accuracy(y_true, y_pred), confusion_matrix(y_true, y_pred, num_classes=logits.shape[1])
    )
