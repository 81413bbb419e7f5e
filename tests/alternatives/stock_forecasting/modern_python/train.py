"""Training until nothing gets better, decided by all processes together."""

from __future__ import annotations

import io
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from torch import nn

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from torch.utils.data import DataLoader


@dataclass(frozen=True)
class TrainConfig:
    epochs: int = 60  # at most
    lr: float = 0.003
    optimizer: str = "adamw"  # or "sgd"
    weight_decay: float = 0.0
    loss: str = "huber"  # or "mse"
    max_grad_norm: float | None = 1.0  # None: gradients are not clipped
    patience: int | None = 8  # epochs without a better validation loss before the end; None: all epochs are trained
    seed: int = 0


@dataclass
class History:
    train_loss: list[float] = field(default_factory=list)  # mean over the samples, as they were trained on
    val_loss: list[float] = field(default_factory=list)  # mean over the samples, after the epoch
    seconds: list[float] = field(default_factory=list)  # of training and validation together
    best_epoch: int = 0  # the one whose weights were kept, from 1 on


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


@dataclass(slots=True)
class Mean:
    total: float = 0.0
    count: int = 0

    def add(self, losses: torch.Tensor) -> None:
        self.total += losses.double().sum().item()
        self.count += losses.numel()

    def __float__(self) -> float:
        return self.total / self.count


@dataclass(slots=True)
class Best:
    """The lowest loss so far, its epoch and its weights."""

    loss: float = float("inf")
    epoch: int = 0
    weights: bytes = b""

    def offer(self, loss: float, epoch: int, model: nn.Module) -> None:
        if loss < self.loss:
            torch.save(model.state_dict(), buffer := io.BytesIO())
            self.loss, self.epoch, self.weights = loss, epoch, buffer.getvalue()

    def restore(self, model: nn.Module) -> None:
        if self.weights:
            model.load_state_dict(torch.load(io.BytesIO(self.weights), weights_only=True))


def train_epoch(
    model: nn.Module,
    loader: DataLoader,
    optimizer: torch.optim.Optimizer,
    loss_of: nn.Module,
    accelerator: Accelerator,
    config: TrainConfig,
) -> float:
    model.train()
    mean = Mean()
    for x, y in loader:
        with accelerator.accumulate(model):
            accelerator.backward((losses := loss_of(model(x), y)).mean())
            match config.max_grad_norm:
                case float() | int() as limit if accelerator.sync_gradients:
                    accelerator.clip_grad_norm_(model.parameters(), limit)
            optimizer.step()
            optimizer.zero_grad()
        mean.add(accelerator.gather_for_metrics(losses.detach()))
    return float(mean)


def validate(model: nn.Module, loader: DataLoader, loss_of: nn.Module, accelerator: Accelerator) -> float:
    model.eval()
    mean = Mean()
    with torch.inference_mode():
        for x, y in loader:
            forecast, truth = accelerator.gather_for_metrics((model(x), y))
            mean.add(loss_of(forecast, truth))
    return float(mean)


def train(
    model: nn.Module, train_loader: DataLoader, val_loader: DataLoader, accelerator: Accelerator, config: TrainConfig
) -> History:
    set_seed(config.seed, device_specific=True)
    if order := train_loader.generator:
        order.manual_seed(config.seed)
    bare = model
    model, train_loader, val_loader = accelerator.prepare(model, train_loader, val_loader)
    optimizer = accelerator.prepare(make_optimizer(model, config))
    loss_of, history, best, epoch = make_loss(config), History(), Best(), 0
    while epoch < config.epochs:
        epoch, start = epoch + 1, time.perf_counter()
        history.train_loss += [train_epoch(model, train_loader, optimizer, loss_of, accelerator, config)]
        history.val_loss += [loss := validate(model, val_loader, loss_of, accelerator)]
        history.seconds += [time.perf_counter() - start]
        best.offer(loss, epoch, bare)
        match config.patience:
            case int(patience) if epoch - best.epoch >= patience:
                accelerator.set_trigger()
        if accelerator.check_trigger():
            break
    best.restore(bare)
    history.best_epoch = best.epoch
    return history


def plot_training(history: History) -> Figure:
    figure, axis = plt.subplots(figsize=(6, 4), layout="constrained")
    epochs = range(1, len(history.val_loss) + 1)
    axis.plot(epochs, history.train_loss, marker=".", label="training")
    axis.plot(epochs, history.val_loss, marker=".", label="validation")
    axis.axvline(history.best_epoch, color="grey", linestyle=":", label="kept")
    axis.set(title="Loss of the scaled log return", xlabel="epoch", ylabel="loss")
    axis.legend()
    return figure
