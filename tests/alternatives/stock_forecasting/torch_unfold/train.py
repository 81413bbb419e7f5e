"""Task 3: the loop."""

import random
import time
from dataclasses import dataclass, field
from itertools import chain

import matplotlib.pyplot as plt
import numpy as np
import torch
from accelerate import Accelerator
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
    total = torch.zeros((), device=accelerator.device)
    count = 0
    for X, y in loader:
        with accelerator.accumulate(model):
            losses = loss_of(model(X), y)
            accelerator.backward(torch.mean(losses, dim=0))
            if accelerator.sync_gradients and config.max_grad_norm is not None:
                accelerator.unscale_gradients(optimizer)
                torch.nn.utils.clip_grad_norm_(model.parameters(), config.max_grad_norm)
            optimizer.step()
            optimizer.zero_grad()
        (everyones,) = accelerator.gather_for_metrics((losses.detach(),))
        total += everyones.sum()
        count += everyones.numel()
    return total.div(count).item()


def validate(model: nn.Module, loader: DataLoader, loss_of: nn.Module, accelerator: Accelerator) -> float:
    model.eval()
    everyones = []
    with torch.inference_mode():
        for X, y in loader:
            batch = accelerator.gather_for_metrics({"loss": loss_of(model(X), y)})
            everyones.append(batch["loss"])
        return torch.hstack(everyones).mean().item()


def train(
    model: nn.Module, train_loader: DataLoader, val_loader: DataLoader, accelerator: Accelerator, config: TrainConfig
) -> History:
    order = train_loader.generator
    own_seed = config.seed + accelerator.process_index
    random.seed(own_seed)
    np.random.seed(own_seed)
    torch.manual_seed(own_seed)
    if order is not None:
        order.manual_seed(config.seed)  # the same on all processes
    loss_of = make_loss(config)
    net, opt, train_loader, val_loader = accelerator.prepare(
        model, make_optimizer(model, config), train_loader, val_loader
    )
    tensors = [tensor.detach() for tensor in chain(model.parameters(), model.buffers())]
    best = [tensor.clone() for tensor in tensors]
    history = History()
    lowest, since = torch.inf, 0
    for epoch in range(config.epochs):
        start = time.perf_counter()
        history.train_loss += [train_epoch(net, train_loader, opt, loss_of, accelerator, config)]
        history.val_loss += [validate(net, val_loader, loss_of, accelerator)]
        history.seconds += [time.perf_counter() - start]
        since += 1
        if history.val_loss[-1] < lowest:
            lowest, since = history.val_loss[-1], 0
        if since == 0 or epoch == 0:
            history.best_epoch = epoch + 1
            torch._foreach_copy_(best, tensors)
        if config.patience is not None and since >= config.patience:
            break
    with torch.no_grad():
        for tensor, kept in zip(tensors, best):
            tensor.copy_(kept)
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
