"""Counting by bincount; answers without a graph by inference_mode."""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F


@dataclass(frozen=True)
class Evaluation:
    loss: float
    accuracy: float
    confusion: np.ndarray


def as_labels(values):
    a = np.asarray(values.detach().cpu() if isinstance(values, torch.Tensor) else values)
    if a.ndim != 1 or (a.size and not (np.isfinite(a).all() and (a == a.astype("int64")).all())):
        raise ValueError(f"whole numbers in one row, please, not {a.dtype} {a.shape}")
    return a.astype("int64")


def pair(y_true, y_pred):
    t, p = as_labels(y_true), as_labels(y_pred)
    if t.size != p.size:
        raise ValueError(f"{t.size} labels, {p.size} predictions")
    return t, p


def accuracy(y_true, y_pred):
    t, p = pair(y_true, y_pred)
    if not t.size:
        raise ValueError("nothing to compare")
    return np.count_nonzero(t == p) / t.size


def confusion_matrix(y_true, y_pred, num_classes):
    t, p = pair(y_true, y_pred)
    if any(((a < 0) | (a >= num_classes)).any() for a in (t, p)):
        raise ValueError(f"classes go from 0 to {num_classes - 1}")
    counts = torch.bincount(torch.from_numpy(t * num_classes + p), minlength=num_classes**2)
    return counts.reshape(num_classes, num_classes)


def per_class_accuracy(cm):
    cm = torch.as_tensor(cm).double()
    return cm.diagonal() / cm.sum(1)  # 0 / 0 is NaN, silently


@torch.inference_mode()
def predict(model, loader, accelerator):
    loader, was = accelerator.prepare(loader), model.training
    model.to(accelerator.device).eval()
    with accelerator.autocast():
        pairs = [accelerator.gather_for_metrics((y, model(x).float())) for x, y in loader]
    model.train(was)
    y, z = (torch.cat(part).cpu().numpy() for part in zip(*pairs, strict=True))
    return y, z


def evaluate(model, loader, accelerator):
    y, z = predict(model, loader, accelerator)
    loss = float(F.cross_entropy(torch.tensor(z), torch.tensor(y)))
    return Evaluation(loss, accuracy(y, z.argmax(1)), confusion_matrix(y, z.argmax(1), z.shape[1]))
