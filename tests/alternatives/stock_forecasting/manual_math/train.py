"""The loop, with its means and its clipping by hand."""

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


def real_ones(n: int, accelerator: Accelerator) -> tuple[torch.Tensor, int]:
    """Which of this process's n samples are no repeats (1, else 0), and how many such all processes have in this batch."""
    state = accelerator.gradient_state
    total = n * accelerator.num_processes
    if state.end_of_dataloader and state.remainder > 0:
        total = state.remainder
    place = accelerator.process_index * n + torch.arange(n, device=accelerator.device)
    return (place < total).float(), total


def clip(parameters: list[nn.Parameter], longest: float) -> None:
    gradients = [p.grad for p in parameters if p.grad is not None]
    norm = math.sqrt(sum(float((g.double() ** 2).sum()) for g in gradients))
    if norm > longest:
        for g in gradients:
            g *= longest / norm


def train_epoch(
    model: nn.Module,
    loader: DataLoader,
    optimizer: torch.optim.Optimizer,
    loss_of: nn.Module,
    accelerator: Accelerator,
    config: TrainConfig,
) -> float:
    model.train()
    total, count = torch.zeros((), device=accelerator.device), 0
    for x, y in loader:
        with accelerator.accumulate(model):
            losses = loss_of(model(x), y)
            real, n = real_ones(len(y), accelerator)
            # the processes' gradients are averaged: times their number, the sum over all samples is divided by n
            accelerator.backward((losses * real).sum() * accelerator.num_processes / n)
            if accelerator.sync_gradients and config.max_grad_norm is not None:
                clip(list(model.parameters()), config.max_grad_norm)
            optimizer.step()
            optimizer.zero_grad()
        total += (losses.detach() * real).sum()
        count += n
    return accelerator.reduce(total, reduction="sum").item() / count


def validate(model: nn.Module, loader: DataLoader, loss_of: nn.Module, accelerator: Accelerator) -> float:
    model.eval()
    total, count = torch.zeros((), device=accelerator.device), 0
    with torch.no_grad():
        for x, y in loader:
            real, n = real_ones(len(y), accelerator)
            total += (loss_of(model(x), y) * real).sum()
            count += n
    return accelerator.reduce(total, reduction="sum").item() / count


def train(
    model: nn.Module, train_loader: DataLoader, val_loader: DataLoader, accelerator: Accelerator, config: TrainConfig
) -> History:
    order = train_loader.generator
    set_seed(config.seed, device_specific=True)
    if order is not None:
        order.manual_seed(config.seed)
    optimizer = make_optimizer(model, config)
    prepared, optimizer, train_loader, val_loader = accelerator.prepare(model, optimizer, train_loader, val_loader)
    loss_of = make_loss(config)
    history = History()
    best = {}
    lowest = math.inf
    since = 0
    epoch = 0
    while epoch < config.epochs and (config.patience is None or since < config.patience):
        epoch += 1
        begin = time.perf_counter()
        train_loss = train_epoch(prepared, train_loader, optimizer, loss_of, accelerator, config)
        val_loss = validate(prepared, val_loader, loss_of, accelerator)
        history.seconds.append(time.perf_counter() - begin)
        history.train_loss.append(train_loss)
        history.val_loss.append(val_loss)
        since += 1
        if val_loss < lowest:
            lowest, since, history.best_epoch = val_loss, 0, epoch
            for name, tensor in model.state_dict().items():
                best[name] = torch.empty_like(tensor).copy_(tensor)
    if best:
        model.load_state_dict(best)
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
