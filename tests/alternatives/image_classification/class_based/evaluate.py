"""Measures."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F
from accelerate import Accelerator
from helpers import answering
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


@dataclass(frozen=True)
class Pairs:
    """True and predicted classes, equally many."""

    true: np.ndarray
    pred: np.ndarray

    @classmethod
    def of(cls, y_true: object, y_pred: object) -> "Pairs":
        pairs = cls(as_labels(y_true), as_labels(y_pred))
        if len(pairs.true) != len(pairs.pred):
            raise ValueError(f"{len(pairs.true)} true classes do not pair with {len(pairs.pred)} predicted ones")
        return pairs

    def counts(self) -> Counter:
        return Counter(zip(self.true.tolist(), self.pred.tolist(), strict=True))


def accuracy(y_true: object, y_pred: object) -> float:
    counts = Pairs.of(y_true, y_pred).counts()
    if not counts:
        raise ValueError("no predictions at all")
    return sum(n for (true, pred), n in counts.items() if true == pred) / counts.total()


def confusion_matrix(y_true: object, y_pred: object, num_classes: int) -> np.ndarray:
    matrix = np.zeros((num_classes, num_classes), dtype="int64")
    for pair, n in Pairs.of(y_true, y_pred).counts().items():
        if not all(c in range(num_classes) for c in pair):
            raise ValueError(f"{pair} holds a class outside 0 ... {num_classes - 1}")
        matrix[pair] = n
    return matrix


def per_class_accuracy(cm: np.ndarray) -> np.ndarray:
    return np.array([row[c] / row.sum() if row.sum() else np.nan for c, row in enumerate(np.asarray(cm))], dtype=float)


@dataclass
class Answers:
    labels: list[torch.Tensor] = field(default_factory=list)
    logits: list[torch.Tensor] = field(default_factory=list)

    def add(self, labels: torch.Tensor, logits: torch.Tensor) -> None:
        self.labels.append(labels.cpu().long())
        self.logits.append(logits.cpu())


def predict(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> tuple[np.ndarray, np.ndarray]:
    loader = accelerator.prepare_data_loader(loader)
    answers = Answers()
    with answering(model.to(accelerator.device)) as quiet:
        for images, labels in loader:
            with accelerator.autocast():
                logits = quiet(images)
            answers.add(*accelerator.gather_for_metrics((labels, logits.float())))
    return torch.cat(answers.labels).numpy(), torch.cat(answers.logits).numpy()


def evaluate(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> Evaluation:
    y_true, logits = predict(model, loader, accelerator)
    losses = F.cross_entropy(torch.as_tensor(logits), torch.as_tensor(y_true), reduction="none")
    y_pred = logits.argmax(axis=-1)
    return Evaluation(
        loss=losses.double().mean().item(),
        accuracy=accuracy(y_true, y_pred),
        confusion=confusion_matrix(y_true, y_pred, logits.shape[-1]),
    )
