"""Measures, as products of one-hot matrices."""

from dataclasses import dataclass

import numpy as np
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


def both(y_true: object, y_pred: object) -> torch.Tensor:
    """int64 (2, n)."""
    rows = [torch.from_numpy(as_labels(values)) for values in (y_true, y_pred)]
    if rows[0].shape != rows[1].shape:
        raise ValueError(f"not equally many: {[len(row) for row in rows]}")
    return torch.stack(rows)


def accuracy(y_true: object, y_pred: object) -> float:
    pairs = both(y_true, y_pred)
    if pairs.shape[1] == 0:
        raise ValueError("nothing to compare")
    return 1.0 - torch.diff(pairs, dim=0).bool().double().mean().item()


def confusion_matrix(y_true: object, y_pred: object, num_classes: int) -> np.ndarray:
    pairs = both(y_true, y_pred)
    if pairs.numel() and not torch.equal(pairs, pairs.clamp(0, num_classes - 1)):
        raise ValueError(f"a class is not in 0 ... {num_classes - 1}")
    true, pred = F.one_hot(pairs, num_classes)  # (n, classes) each
    return torch.einsum("nt,np->tp", true, pred).numpy()


def per_class_accuracy(cm: np.ndarray) -> np.ndarray:
    cm = torch.tensor(np.asarray(cm), dtype=torch.float64)
    return torch.einsum("cc,c->c", cm, 1 / cm.sum(dim=1)).numpy()  # 0 times infinity is NaN


def predict(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> tuple[np.ndarray, np.ndarray]:
    loader = accelerator.prepare(loader)
    model.to(accelerator.device)
    was = model.training
    model.eval()

    @torch.inference_mode()
    def answer(images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Logits and, behind them, the label: float64 (batch, classes + 1), gathered in one go."""
        with accelerator.autocast():
            logits = model(images)
        return accelerator.gather_for_metrics(torch.hstack([logits.double(), labels[:, None].double()]))

    answers = torch.vstack([answer(images, labels) for images, labels in loader]).cpu()
    model.train(was)
    return answers[:, -1].long().numpy(), answers[:, :-1].float().numpy()


def evaluate(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> Evaluation:
    y_true, logits = predict(model, loader, accelerator)
    labels, z = torch.from_numpy(y_true), torch.from_numpy(logits)
    loss = F.nll_loss(F.log_softmax(z.double(), dim=-1), labels)
    confusion = confusion_matrix(labels, z.argmax(dim=-1), z.shape[-1])
    return Evaluation(loss.item(), accuracy(labels, z.argmax(dim=-1)), confusion)
