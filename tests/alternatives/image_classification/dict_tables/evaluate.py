"""Task 4: measures."""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

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

# What must not be: (y_true, y_pred, classes) -> bool
TROUBLES = {
    "not equally many labels": lambda t, p, n: len(t) != len(p),
    "no labels at all": lambda t, p, n: len(t) == 0,
    "a class out of range": lambda t, p, n: bool(np.any((np.r_[t, p] < 0) | (np.r_[t, p] >= n))),
}


def checked(y_true, y_pred, troubles, n=None):
    t, p = as_labels(y_true), as_labels(y_pred)
    for trouble in troubles:
        if TROUBLES[trouble](t, p, n):
            raise ValueError(f"{trouble}: {len(t)} true, {len(p)} predicted" + (f", {n} classes" if n is not None else ""))
    return t, p


def accuracy(y_true, y_pred):
    t, p = checked(y_true, y_pred, ["not equally many labels", "no labels at all"])
    return (torch.from_numpy(t) == torch.from_numpy(p)).double().mean().item()


def confusion_matrix(y_true, y_pred, num_classes):
    t, p = checked(y_true, y_pred, ["not equally many labels", "a class out of range"], num_classes)
    matrix = torch.zeros(num_classes, num_classes, dtype=torch.int64)
    ones = torch.ones(len(t), dtype=torch.int64)
    return matrix.index_put_((torch.from_numpy(t), torch.from_numpy(p)), ones, accumulate=True).numpy()


def per_class_accuracy(cm):
    rows = {c: np.asarray(row, dtype=np.float64) for c, row in enumerate(cm)}
    part = {True: lambda c, row: row[c] / row.sum(), False: lambda c, row: np.nan}
    return np.fromiter((part[bool(row.sum() > 0)](c, row) for c, row in rows.items()), dtype=np.float64, count=len(rows))


MODES = {True: lambda model: model.train(), False: lambda model: model.eval()}


def predict(model, loader, accelerator):
    loader = accelerator.prepare(loader)
    model.to(accelerator.device)
    mode = model.training
    collected = {"y": [], "z": []}
    MODES[False](model)
    with torch.no_grad():
        for x, y in loader:
            with accelerator.autocast():
                z = model(x)
            for name, values in accelerator.gather_for_metrics({"y": y.long(), "z": z.float()}).items():
                collected[name].append(values.cpu())
    MODES[mode](model)
    return tuple(torch.cat(values).numpy() for values in collected.values())


MEASURES = {
    "loss": lambda y, z: F.cross_entropy(torch.from_numpy(z), torch.from_numpy(y), reduction="sum").item() / len(y),
    "accuracy": lambda y, z: accuracy(y, z.argmax(axis=1)),
    "confusion": lambda y, z: confusion_matrix(y, z.argmax(axis=1), z.shape[1]),
}


def evaluate(model, loader, accelerator):
    answers = predict(model, loader, accelerator)
    return Evaluation(**{name: measure(*answers) for name, measure in MEASURES.items()})
