"""Task 4: predictions, and what they are worth."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property

import matplotlib.pyplot as plt
import numpy as np
import torch
from accelerate import Accelerator
from matplotlib.figure import Figure
from torch import nn
from torch.utils.data import DataLoader


class Comparison:
    """Two vectors of the same length, position by position."""

    def __init__(self, y_true: object, y_pred: object) -> None:
        self.true, self.pred = self.vector(y_true), self.vector(y_pred)
        if not 0 < len(self.true) == len(self.pred):
            raise ValueError(f"{len(self.true)} true values, {len(self.pred)} predicted ones.")

    @staticmethod
    def vector(values: object) -> np.ndarray:
        if torch.is_tensor(values):
            values = values.detach().float().cpu()
        return np.ravel(np.asarray(values, dtype="float64"))

    @cached_property
    def error(self) -> np.ndarray:
        return self.pred - self.true

    @property
    def rmse(self) -> float:
        return float(np.sqrt(np.square(self.error).mean()))

    @property
    def mae(self) -> float:
        return float(np.abs(self.error).mean())

    @property
    def r2(self) -> float:
        spread = self.true.var()
        return float(1 - np.square(self.error).mean() / spread) if spread else float("nan")

    def in_dollars(self) -> "Comparison":
        return Comparison(np.expm1(self.true), np.expm1(self.pred))


@dataclass
class Scores:
    rmse_log: float
    rmse: float
    mae: float
    r2: float

    @classmethod
    def of(cls, logs: Comparison) -> "Scores":
        dollars = logs.in_dollars()
        return cls(rmse_log=logs.rmse, rmse=dollars.rmse, mae=dollars.mae, r2=logs.r2)


@contextmanager
def answering(model: nn.Module) -> Iterator[nn.Module]:
    """Eval mode without gradients; every part of the model goes back to its own mode."""
    modes = {part: part.training for part in model.modules()}
    model.eval()
    try:
        with torch.no_grad():
            yield model
    finally:
        for part, mode in modes.items():
            part.training = mode


@dataclass
class Predictor:
    model: nn.Module
    loader: DataLoader
    accelerator: Accelerator

    def pairs(self) -> tuple[np.ndarray, np.ndarray]:
        self.model.to(self.accelerator.device)
        with answering(self.model) as model:
            batches = [self.accelerator.gather_for_metrics([model(x), y]) for x, y in self.accelerator.prepare(self.loader)]
        predictions, targets = (torch.cat(part).float().cpu().numpy() for part in zip(*batches))
        return predictions, targets


def rmse(y_true: object, y_pred: object) -> float:
    return Comparison(y_true, y_pred).rmse


def predict(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> np.ndarray:
    return Predictor(model, loader, accelerator).pairs()[0]


def evaluate(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> dict[str, float]:
    predictions, targets = Predictor(model, loader, accelerator).pairs()
    return asdict(Scores.of(Comparison(targets, predictions)))


def plot_predictions(y_true: object, y_pred: object) -> Figure:
    prices = Comparison(y_true, y_pred)
    figure, axis = plt.subplots(figsize=(6, 6))
    axis.scatter(prices.true, prices.pred, s=8, alpha=0.6, label="house")
    ends = np.array([min(prices.true.min(), prices.pred.min()), max(prices.true.max(), prices.pred.max())])
    axis.plot(ends, ends, color="grey", label="exact")
    axis.set(xscale="log", yscale="log", title="Predictions", xlabel="actual price in $", ylabel="predicted price in $")
    axis.legend()
    return figure
