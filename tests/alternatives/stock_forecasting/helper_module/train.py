"""Task 3: the loop."""

import time
from dataclasses import dataclass, field

import matplotlib.pyplot as plt
import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from helpers import Keeper, Sums
from matplotlib.figure import Figure
from torch import nn
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


def train_epoch(
    model: nn.Module,
    loader: DataLoader,
    optimizer: torch.optim.Optimizer,
    loss_of: nn.Module,
    accelerator: Accelerator,
    config: TrainConfig,
) -> float:
    model.train(True)
    seen = Sums(accelerator)
    for x, y in loader:
        with accelerator.accumulate(model):
            losses = loss_of(model(x), y)
            accelerator.backward(losses.sum() / len(losses))
            if accelerator.sync_gradients and config.max_grad_norm is not None:
                accelerator.clip_grad_norm_(model.parameters(), config.max_grad_norm)
            optimizer.step()
            optimizer.zero_grad()
        seen += losses
    return seen.mean()


def validate(model: nn.Module, loader: DataLoader, loss_of: nn.Module, accelerator: Accelerator) -> float:
    model.train(False)
    seen = Sums(accelerator)
    with torch.no_grad():
        for x, y in loader:
            seen += loss_of(model(x), y)
    return seen.mean()


def train(
    model: nn.Module, train_loader: DataLoader, val_loader: DataLoader, accelerator: Accelerator, config: TrainConfig
) -> History:
    set_seed(config.seed, device_specific=True)
    order = train_loader.generator
    if order is not None:
        order.manual_seed(config.seed)
    prepared = accelerator.prepare(model, make_optimizer(model, config), train_loader, val_loader)
    network, optimizer, train_batches, val_batches = prepared
    loss_of, history, keeper = make_loss(config), History(), Keeper(model)
    for epoch in range(config.epochs):
        start = time.time()
        history.train_loss.append(train_epoch(network, train_batches, optimizer, loss_of, accelerator, config))
        history.val_loss.append(validate(network, val_batches, loss_of, accelerator))
        history.seconds.append(time.time() - start)
        keeper.see(epoch + 1, history.val_loss[-1])
        if config.patience is not None and epoch + 1 - keeper.epoch == config.patience:
            break
    keeper.load()
    history.best_epoch = keeper.epoch
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
