"""A Trainer, a Keeper of the best weights, and Accelerate's trigger to stop."""

from __future__ import annotations

import io
import math
import time
from dataclasses import dataclass, field

import matplotlib.pyplot as plt
import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.utils.data import DataLoader


@dataclass(frozen=True)
class TrainConfig:
    epochs: int = 60
    lr: float = 0.003
    optimizer: str = "adamw"
    weight_decay: float = 0.0
    loss: str = "huber"
    max_grad_norm: float | None = 1.0
    patience: int | None = 8
    seed: int = 0


@dataclass
class History:
    train_loss: list[float] = field(default_factory=list)
    val_loss: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    best_epoch: int = 0


def make_optimizer(model: nn.Module, config: TrainConfig) -> torch.optim.Optimizer:
    if config.optimizer == "adamw":
        return torch.optim.AdamW(model.parameters(), config.lr, weight_decay=config.weight_decay)
    if config.optimizer == "sgd":
        return torch.optim.SGD(model.parameters(), config.lr, weight_decay=config.weight_decay)
    raise ValueError(f"expected an optimizer out of adamw, sgd; found {config.optimizer!r}.")


def make_loss(config: TrainConfig) -> nn.Module:
    losses = {"huber": nn.HuberLoss, "mse": nn.MSELoss}
    if config.loss not in losses:
        raise ValueError(f"expected a loss out of {', '.join(losses)}; found {config.loss!r}.")
    return losses[config.loss](reduction="none")


@dataclass
class Keeper:
    """The best weights, written to memory."""

    model: nn.Module
    lowest: float = math.inf
    epoch: int = 0
    memory: bytes = b""

    def offer(self, epoch: int, loss: float) -> bool:
        """Whether this loss is the lowest so far."""
        if not loss < self.lowest:
            return False
        buffer = io.BytesIO()
        torch.save(self.model.state_dict(), buffer)
        self.lowest, self.epoch, self.memory = loss, epoch, buffer.getvalue()
        return True

    def restore(self) -> None:
        if self.memory:
            self.model.load_state_dict(torch.load(io.BytesIO(self.memory), weights_only=True))


class Trainer:
    def __init__(self, model: nn.Module, loaders: list[DataLoader], accelerator: Accelerator, config: TrainConfig) -> None:
        self.seed(loaders[0], config.seed)
        self.accelerator, self.config = accelerator, config
        self.loss_of = make_loss(config)
        self.keeper = Keeper(model)
        self.history = History()
        prepared = accelerator.prepare(model, make_optimizer(model, config), *loaders)
        self.model, self.optimizer, self.train_loader, self.val_loader = prepared

    @staticmethod
    def seed(loader: DataLoader, seed: int) -> None:
        set_seed(seed)
        for owner in (loader, loader.sampler):
            generator = getattr(owner, "generator", None)
            if generator is not None:
                generator.manual_seed(seed)

    def mean(self, parts: list[Tensor]) -> float:
        return float(torch.cat(parts).mean())

    def train_epoch(self) -> float:
        self.model.train()
        parts = []
        for x, y in self.train_loader:
            with self.accelerator.accumulate(self.model):
                losses = self.loss_of(self.model(x), y)
                self.accelerator.backward(losses.mean())
                if self.accelerator.sync_gradients and self.config.max_grad_norm is not None:
                    self.accelerator.clip_grad_norm_(self.model.parameters(), self.config.max_grad_norm)
                self.optimizer.step()
                self.optimizer.zero_grad()  # at the head it would wipe out what has been accumulated
            parts.append(self.accelerator.gather_for_metrics(losses.detach()))
        return self.mean(parts)

    def validate(self) -> float:
        self.model.eval()
        with torch.no_grad():
            return self.mean([self.accelerator.gather_for_metrics(self.loss_of(self.model(x), y)) for x, y in self.val_loader])

    def run(self) -> History:
        patience = self.config.patience
        waited = 0
        for epoch in range(1, self.config.epochs + 1):
            begin = time.monotonic()
            train_loss, val_loss = self.train_epoch(), self.validate()
            self.history.train_loss.append(train_loss)
            self.history.val_loss.append(val_loss)
            self.history.seconds.append(time.monotonic() - begin)
            waited = 0 if self.keeper.offer(epoch, val_loss) else waited + 1
            if patience is not None and waited >= patience:
                self.accelerator.set_trigger()
            if self.accelerator.check_trigger():
                break
        self.keeper.restore()
        self.history.best_epoch = self.keeper.epoch
        return self.history


def train(
    model: nn.Module, train_loader: DataLoader, val_loader: DataLoader, accelerator: Accelerator, config: TrainConfig
) -> History:
    return Trainer(model, [train_loader, val_loader], accelerator, config).run()


def plot_training(history: History) -> Figure:
    figure, axis = plt.subplots(figsize=(6, 4), layout="constrained")
    epochs = range(1, len(history.val_loss) + 1)
    axis.plot(epochs, history.train_loss, marker=".", label="training")
    axis.plot(epochs, history.val_loss, marker=".", label="validation")
    axis.axvline(history.best_epoch, color="grey", linestyle=":", label="kept")
    axis.set(title="Loss of the scaled log return", xlabel="epoch", ylabel="loss")
    axis.legend()
    return figure
