"""The loop; its modes and its endings stand in tables."""

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


def mean_of(gathered: list[torch.Tensor], loader: DataLoader) -> float:
    """Over the samples: what all processes had, in the loader's order, without the repeats at its end."""
    return torch.cat(gathered)[: len(loader.dataset)].mean().item()


def train_epoch(
    model: nn.Module,
    loader: DataLoader,
    optimizer: torch.optim.Optimizer,
    loss_of: nn.Module,
    accelerator: Accelerator,
    config: TrainConfig,
) -> float:
    clip = {
        True: lambda: accelerator.clip_grad_norm_(model.parameters(), config.max_grad_norm),
        False: lambda: None,
    }
    gathered = []
    model.train()
    for x, y in loader:
        with accelerator.accumulate(model):
            losses = loss_of(model(x), y)
            accelerator.backward(losses.mean())
            clip[accelerator.sync_gradients and config.max_grad_norm is not None]()
            optimizer.step()
            optimizer.zero_grad()
        gathered.append(accelerator.gather(losses.detach()))
    return mean_of(gathered, loader)


def validate(model: nn.Module, loader: DataLoader, loss_of: nn.Module, accelerator: Accelerator) -> float:
    model.eval()
    with torch.no_grad():
        return mean_of([accelerator.gather(loss_of(model(x), y)) for x, y in loader], loader)


def train(
    model: nn.Module, train_loader: DataLoader, val_loader: DataLoader, accelerator: Accelerator, config: TrainConfig
) -> History:
    set_seed(config.seed, device_specific=True)
    order = train_loader.generator
    {True: lambda: None, False: lambda: order.manual_seed(config.seed)}[order is None]()
    parts = {"model": model, "optimizer": make_optimizer(model, config), "train": train_loader, "val": val_loader}
    parts = dict(zip(parts, accelerator.prepare(*parts.values())))
    loss_of, history, weights = make_loss(config), History(), {}
    run = {
        "train_loss": lambda: train_epoch(
            parts["model"], parts["train"], parts["optimizer"], loss_of, accelerator, config
        ),
        "val_loss": lambda: validate(parts["model"], parts["val"], loss_of, accelerator),
    }
    for epoch in range(1, config.epochs + 1):
        start = time.perf_counter()
        for name, part in run.items():
            getattr(history, name).append(part())
        history.seconds.append(time.perf_counter() - start)
        ranked = sorted(range(epoch), key=lambda i: (history.val_loss[i] != history.val_loss[i], history.val_loss[i], i))
        history.best_epoch = ranked[0] + 1
        if history.best_epoch == epoch:
            weights = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        if config.patience is not None and epoch >= history.best_epoch + config.patience:
            break
    model.load_state_dict(weights or model.state_dict())
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
