"""Measures by scikit-learn."""

from dataclasses import dataclass

import numpy as np
import torch
from sklearn import metrics
from torch.nn.functional import cross_entropy


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
    y_true, y_pred = as_labels(y_true), as_labels(y_pred)
    if len(y_true) == 0:
        raise ValueError("accuracy of nothing")
    return float(metrics.accuracy_score(y_true, y_pred))  # raises ValueError itself for different lengths


def confusion_matrix(y_true, y_pred, num_classes):
    y_true, y_pred = as_labels(y_true), as_labels(y_pred)
    if len(y_true) != len(y_pred):
        raise ValueError(f"{len(y_true)} labels but {len(y_pred)} predictions")
    classes = range(num_classes)
    if not np.isin(np.r_[y_true, y_pred], classes).all():
        raise ValueError(f"only the classes 0 to {num_classes - 1} are known")
    if len(y_true) == 0:
        return np.zeros((num_classes, num_classes), dtype="int64")
    return metrics.confusion_matrix(y_true, y_pred, labels=list(classes)).astype("int64")


def per_class_accuracy(cm):
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.diag(cm) / np.sum(cm, axis=1)


def predict(model, loader, accelerator):
    prepared = accelerator.prepare(loader)
    model.to(accelerator.device)
    training = model.training
    model.eval()
    labels_list, logits_list = [], []
    with torch.no_grad():
        for images, labels in prepared:
            with accelerator.autocast():
                logits = model(images)
            labels_list.append(accelerator.gather(labels))
            logits_list.append(accelerator.gather(logits.float()))
    model.train(training)
    n = len(loader.dataset)  # rows behind that only filled up the last batch
    return torch.cat(labels_list)[:n].cpu().numpy(), torch.cat(logits_list)[:n].cpu().numpy()


def evaluate(model, loader, accelerator):
    y_true, logits = predict(model, loader, accelerator)
    y_pred = np.argmax(logits, axis=1)
    loss = cross_entropy(torch.from_numpy(logits), torch.from_numpy(y_true)).item()
    return Evaluation(
        loss=loss,
        accuracy=accuracy(y_true, y_pred),
        confusion=confusion_matrix(y_true, y_pred, num_classes=logits.shape[1]),
    )
