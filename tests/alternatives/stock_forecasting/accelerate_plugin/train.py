"""Task 3: the loop with `no_sync`, sums that are reduced, and a trigger that stops all processes."""

import time
from contextlib import nullcontext
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


def real_samples(accelerator: Accelerator, size: int) -> int:
    """How many of this process's last `size` samples are no repeats; these come behind all others."""
    state = accelerator.gradient_state
    if not state.end_of_dataloader or state.remainder <= 0:
        return size
    return min(max(state.remainder - accelerator.process_index * size, 0), size)


def mean_of_all(accelerator: Accelerator, total: float, count: int) -> float:
    sums = accelerator.reduce(torch.tensor([total, count], device=accelerator.device), reduction="sum")
    return (sums[0] / sums[1]).item()


def train_epoch(
    model: nn.Module,
    loader: DataLoader,
    optimizer: torch.optim.Optimizer,
    loss_of: nn.Module,
    accelerator: Accelerator,
    config: TrainConfig,
) -> float:
    model.train()
    total, count = 0.0, 0
    for number, (X, y) in enumerate(loader, start=1):
        complete = number % accelerator.gradient_accumulation_steps == 0 or accelerator.gradient_state.end_of_dataloader
        with nullcontext() if complete else accelerator.no_sync(model):
            with accelerator.autocast():
                losses = loss_of(model(X), y)
            accelerator.backward(losses.mean())  # divides by gradient_accumulation_steps
        if complete:
            if config.max_grad_norm is not None:
                accelerator.clip_grad_norm_(model.parameters(), config.max_grad_norm)
            optimizer.step()
            optimizer.zero_grad()
        real = real_samples(accelerator, len(y))
        total, count = total + losses[:real].sum().item(), count + real
    return mean_of_all(accelerator, total, count)


@torch.inference_mode()
def validate(model: nn.Module, loader: DataLoader, loss_of: nn.Module, accelerator: Accelerator) -> float:
    model.eval()
    total, count = 0.0, 0
    for X, y in loader:
        with accelerator.autocast():
            losses = loss_of(model(X), y)
        real = real_samples(accelerator, len(y))
        total, count = total + losses[:real].sum().item(), count + real
    return mean_of_all(accelerator, total, count)


def longest(accelerator: Accelerator, seconds: float) -> float:
    return accelerator.gather(torch.tensor([seconds], device=accelerator.device)).max().item()


def train(
    model: nn.Module, train_loader: DataLoader, val_loader: DataLoader, accelerator: Accelerator, config: TrainConfig
) -> History:
    order = train_loader.generator
    set_seed(config.seed, device_specific=True)
    if order is not None:
        order = order.manual_seed(config.seed)
    loss_of = make_loss(config)
    ready, optimizer, train_loader, val_loader = accelerator.prepare(
        model, make_optimizer(model, config), train_loader, val_loader
    )
    history, lowest, best_weights = History(), float("inf"), None
    for epoch in range(1, config.epochs + 1):
        begin = time.perf_counter()
        train_loss = train_epoch(ready, train_loader, optimizer, loss_of, accelerator, config)
        val_loss = validate(ready, val_loader, loss_of, accelerator)
        history.train_loss.append(train_loss)
        history.val_loss.append(val_loss)
        history.seconds.append(longest(accelerator, time.perf_counter() - begin))
        if val_loss < lowest or best_weights is None:
            lowest = val_loss if val_loss < lowest else lowest
            history.best_epoch = epoch
            best_weights = {name: value.clone() for name, value in accelerator.get_state_dict(ready).items()}
        if config.patience is not None and epoch - history.best_epoch >= config.patience:
            accelerator.set_trigger()
        if accelerator.check_trigger():  # set by any process, seen by all
            break
    if best_weights is not None:
        accelerator.unwrap_model(ready).load_state_dict(best_weights)
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
