"""Task 4: how good is it, and at what?"""

from dataclasses import dataclass

import numpy as np
import torch
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


class Answers:
    """Equally many true and predicted classes."""

    def __init__(self, y_true: object, y_pred: object) -> None:
        self.true, self.predicted = as_labels(y_true), as_labels(y_pred)
        if self.true.shape != self.predicted.shape:
            raise ValueError(f"expected equally many, found {self.true.size} and {self.predicted.size}")

    def __len__(self) -> int:
        return len(self.true)

    def one_hot(self, classes: int) -> tuple[np.ndarray, np.ndarray]:
        every = np.arange(classes)
        return self.true[:, None] == every, self.predicted[:, None] == every


def accuracy(y_true: object, y_pred: object) -> float:
    answers = Answers(y_true, y_pred)
    if not len(answers):
        raise ValueError("expected at least one image, found none")
    return 1.0 - float(np.mean(answers.true != answers.predicted))


def confusion_matrix(y_true: object, y_pred: object, num_classes: int) -> np.ndarray:
    true, predicted = Answers(y_true, y_pred).one_hot(num_classes)
    if not (true.any(axis=1).all() and predicted.any(axis=1).all()):
        raise ValueError(f"expected classes from 0 to {num_classes - 1}, found another one")
    return true.astype(np.int64).T @ predicted.astype(np.int64)


def per_class_accuracy(cm: np.ndarray) -> np.ndarray:
    cm = np.array(cm, dtype=np.float64)
    parts = np.full(len(cm), np.nan)
    seen = cm.sum(axis=1) > 0
    parts[seen] = cm.diagonal()[seen] / cm[seen].sum(axis=1)
    return parts


class Resting:
    """The model in eval mode for a while; each of its modules finds its mode again."""

    def __init__(self, model: nn.Module) -> None:
        self.model = model

    def __enter__(self) -> nn.Module:
        self.modes = {module: module.training for module in self.model.modules()}
        return self.model.eval()

    def __exit__(self, *error: object) -> None:
        for module, mode in self.modes.items():
            module.training = mode


def predict(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> tuple[np.ndarray, np.ndarray]:
    loader = accelerator.prepare(loader)
    model.to(accelerator.device)
    table = []
    with Resting(model), torch.no_grad():
        for images, labels in loader:
            with accelerator.autocast():
                logits = model(images)
            rows = torch.cat([labels[:, None].double(), logits.double()], dim=1)  # (batch, 1 + classes)
            table.append(accelerator.gather_for_metrics(rows).cpu())
    y_true, logits = torch.cat(table).tensor_split([1], dim=1)
    return y_true[:, 0].numpy().astype(np.int64), logits.numpy().astype(np.float32)


def evaluate(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> Evaluation:
    y_true, logits = predict(model, loader, accelerator)
    predicted = np.argmax(logits, axis=1)
    loss = nn.CrossEntropyLoss()(torch.from_numpy(logits), torch.from_numpy(y_true))
    return Evaluation(loss.item(), accuracy(y_true, predicted), confusion_matrix(y_true, predicted, logits.shape[1]))
