"""A loop out of generators, which all processes run in step."""

import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from math import fsum

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


def mean_of(batches: Iterator[torch.Tensor]) -> float:
    every = [loss for batch in batches for loss in batch.tolist()]
    return fsum(every) / len(every)


def train_epoch(
    model: nn.Module,
    loader: DataLoader,
    optimizer: torch.optim.Optimizer,
    loss_of: nn.Module,
    accelerator: Accelerator,
    config: TrainConfig,
) -> float:
    def steps() -> Iterator[torch.Tensor]:
        model.train()
        for x, y in loader:
            with accelerator.accumulate(model):
                losses = loss_of(model(x), y)
                accelerator.backward(torch.mean(losses))
                if config.max_grad_norm is not None and accelerator.sync_gradients:
                    accelerator.clip_grad_norm_(model.parameters(), max_norm=config.max_grad_norm)
                optimizer.step()
                optimizer.zero_grad(set_to_none=True)
            yield accelerator.gather_for_metrics(losses.detach())

    return mean_of(steps())


def validate(model: nn.Module, loader: DataLoader, loss_of: nn.Module, accelerator: Accelerator) -> float:
    def answers() -> Iterator[torch.Tensor]:
        for x, y in loader:
            with torch.no_grad():
                losses = loss_of(model(x), y)
            yield accelerator.gather_for_metrics(losses)

    model.eval()
    return mean_of(answers())


def keeper(model: nn.Module) -> tuple[Callable[[], None], Callable[[], None]]:
    """Two functions: remember the weights, and bring the remembered ones back."""
    memory = None

    def remember() -> None:
        nonlocal memory
        memory = deepcopy(model.state_dict())

    def restore() -> None:
        if memory is not None:
            model.load_state_dict(memory)

    return remember, restore


def patience_of(limit: int | None) -> Callable[[float], tuple[bool, bool]]:
    """A function that tells of each loss whether it is a new lowest one, and whether it is time to end."""
    lowest, tired = float("inf"), 0

    def judge(loss: float) -> tuple[bool, bool]:
        nonlocal lowest, tired
        better = loss < lowest
        lowest, tired = (loss, 0) if better else (lowest, tired + 1)
        return better, limit is not None and tired >= limit

    return judge


def train(
    model: nn.Module, train_loader: DataLoader, val_loader: DataLoader, accelerator: Accelerator, config: TrainConfig
) -> History:
    set_seed(config.seed, device_specific=True)
    if (order := train_loader.generator) is not None:
        order.manual_seed(config.seed)
    loss_of, optimizer = make_loss(config), make_optimizer(model, config)
    remember, restore = keeper(model)
    prepared, optimizer, *loaders = accelerator.prepare(model, optimizer, train_loader, val_loader)

    def epochs() -> Iterator[tuple[float, float, float]]:
        for _ in range(config.epochs):
            start = time.monotonic()
            trained = train_epoch(prepared, loaders[0], optimizer, loss_of, accelerator, config)
            validated = validate(prepared, loaders[1], loss_of, accelerator)
            yield trained, validated, time.monotonic() - start

    history, judge = History(), patience_of(config.patience)
    for number, (trained, validated, seconds) in enumerate(epochs(), start=1):
        history.train_loss.append(trained)
        history.val_loss.append(validated)
        history.seconds.append(seconds)
        better, enough = judge(validated)
        if better:
            history.best_epoch = number
            remember()
        if enough:
            break
    restore()
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
