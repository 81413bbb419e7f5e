"""Training with early stopping, on any number of processes."""

import math
import time
from dataclasses import dataclass, field

import matplotlib.pyplot as plt
import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
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
    model.train()
    seen = []
    for x, y in loader:
        with accelerator.accumulate(model):
            losses = loss_of(model(x), y)
            accelerator.backward(losses.mean())
            if accelerator.sync_gradients and config.max_grad_norm is not None:
                accelerator.clip_grad_norm_(model.parameters(), config.max_grad_norm)
            optimizer.step()
            optimizer.zero_grad()
        seen.append(accelerator.gather_for_metrics(losses.detach()))
    return torch.cat(seen).mean().item()


@torch.no_grad()
def validate(model: nn.Module, loader: DataLoader, loss_of: nn.Module, accelerator: Accelerator) -> float:
    model.eval()
    return torch.cat([accelerator.gather_for_metrics(loss_of(model(x), y)) for x, y in loader]).mean().item()


def train(
    model: nn.Module, train_loader: DataLoader, val_loader: DataLoader, accelerator: Accelerator, config: TrainConfig
) -> History:
    order = train_loader.generator
    set_seed(config.seed, device_specific=True)
    if order is not None:
        order.manual_seed(config.seed)
    model, optimizer, train_loader, val_loader = accelerator.prepare(
        model, make_optimizer(model, config), train_loader, val_loader
    )
    plain, loss_of, history = accelerator.unwrap_model(model), make_loss(config), History()
    lowest, kept = math.inf, None
    for epoch in range(1, config.epochs + 1):
        begin = time.perf_counter()
        history.train_loss.append(train_epoch(model, train_loader, optimizer, loss_of, accelerator, config))
        history.val_loss.append(validate(model, val_loader, loss_of, accelerator))
        history.seconds.append(time.perf_counter() - begin)
        if history.val_loss[-1] < lowest:
            lowest, history.best_epoch = history.val_loss[-1], epoch
            kept = {name: tensor.clone() for name, tensor in plain.state_dict().items()}
        if config.patience is not None and epoch - history.best_epoch >= config.patience:
            break
    if kept:
        plain.load_state_dict(kept)
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
