"""Measures."""

from dataclasses import dataclass

import numpy as np
import torch
from accelerate import Accelerator
from scipy.sparse import coo_matrix
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
    true, pred = (torch.from_numpy(as_labels(values)) for values in (y_true, y_pred))
    if true.shape != pred.shape or not true.numel():
        raise ValueError(f"expected as many predictions as classes and at least one, got {len(pred)} for {len(true)}")
    return true.eq(pred).double().mean().item()


def confusion_matrix(y_true: object, y_pred: object, num_classes: int) -> np.ndarray:
    true, pred = as_labels(y_true), as_labels(y_pred)
    if len(true) != len(pred):
        raise ValueError(f"{len(true)} and {len(pred)} classes")
    if len(true) and not 0 <= min(true.min(), pred.min()) <= max(true.max(), pred.max()) < num_classes:
        raise ValueError(f"there are only the classes 0 ... {num_classes - 1}")
    ones = np.ones(len(true), dtype=np.int64)
    return coo_matrix((ones, (true, pred)), shape=(num_classes, num_classes)).toarray()  # equal places are added


def per_class_accuracy(cm: np.ndarray) -> np.ndarray:
    counts = torch.as_tensor(np.asarray(cm), dtype=torch.float64)
    return (counts.diagonal() / counts.sum(dim=1)).numpy()  # torch: 0 / 0 is NaN


def predict(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> tuple[np.ndarray, np.ndarray]:
    loader = accelerator.prepare(loader)
    model.to(accelerator.device)
    modes = {name: module.training for name, module in model.named_modules()}
    model.eval()
    try:
        with torch.no_grad(), accelerator.autocast():
            answers = [accelerator.gather_for_metrics((model(images).float(), labels)) for images, labels in loader]
    finally:
        for name, mode in modes.items():
            model.get_submodule(name).training = mode
    logits, labels = zip(*answers, strict=True)
    return torch.cat(labels).long().numpy(force=True), torch.cat(logits).numpy(force=True)


def evaluate(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> Evaluation:
    y_true, logits = predict(model, loader, accelerator)
    z = torch.from_numpy(logits).double()
    losses = z.logsumexp(dim=1) - z.gather(1, torch.from_numpy(y_true)[:, None]).squeeze(1)
    y_pred = z.argmax(dim=1)
    return Evaluation(losses.mean().item(), accuracy(y_true, y_pred), confusion_matrix(y_true, y_pred, z.shape[1]))
