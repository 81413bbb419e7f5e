"""Task 3: training with early stopping; losses are added up as sums and counts."""

import copy
import math
import time
from dataclasses import dataclass, field

import matplotlib.pyplot as plt
import numpy as np
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
    model.train(True)
    total, count = np.float64(0), 0
    for windows, targets in loader:
        with accelerator.accumulate(model):
            losses = loss_of(model(windows), targets)
            accelerator.backward(losses.sum() / losses.numel())
            if config.max_grad_norm is not None and accelerator.sync_gradients:
                accelerator.clip_grad_norm_(model.parameters(), max_norm=config.max_grad_norm)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        every = accelerator.gather_for_metrics(losses.detach()).cpu().numpy()
        total, count = total + every.sum(dtype="float64"), count + every.size
    return float(total / count)


def validate(model: nn.Module, loader: DataLoader, loss_of: nn.Module, accelerator: Accelerator) -> float:
    model.train(False)
    total, count = np.float64(0), 0
    with torch.inference_mode():
        for windows, targets in loader:
            every = accelerator.gather_for_metrics(loss_of(model(windows), targets)).cpu().numpy()
            total, count = total + every.sum(dtype="float64"), count + every.size
    return float(total / count)


def train(
    model: nn.Module, train_loader: DataLoader, val_loader: DataLoader, accelerator: Accelerator, config: TrainConfig
) -> History:
    order = train_loader.generator
    set_seed(config.seed, device_specific=True)
    if order is not None:
        order.manual_seed(config.seed)
    optimizer, loss_of = make_optimizer(model, config), make_loss(config)
    ready, optimizer, batches, held_out = accelerator.prepare(model, optimizer, train_loader, val_loader)
    inner = accelerator.unwrap_model(ready)
    history = History()
    lowest, best_state, waited = math.inf, None, 0
    while len(history.val_loss) < config.epochs:
        clock = time.monotonic()
        history.train_loss.append(train_epoch(ready, batches, optimizer, loss_of, accelerator, config))
        loss = validate(ready, held_out, loss_of, accelerator)
        history.val_loss.append(loss)
        history.seconds.append(time.monotonic() - clock)
        waited = 0 if loss < lowest else waited + 1
        if waited == 0 or best_state is None:
            lowest, history.best_epoch = min(lowest, loss), len(history.val_loss)
            best_state = copy.deepcopy(inner.state_dict())
        if waited == config.patience:
            break
    if best_state:
        inner.load_state_dict(best_state)
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
