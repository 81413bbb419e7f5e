"""Task 3: the loop, out of small parts."""

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


@dataclass
class Mean:
    """Of the samples of all processes."""

    accelerator: Accelerator
    total: float = 0.0
    count: int = 0

    def add(self, losses: torch.Tensor) -> None:
        everywhere = self.accelerator.gather_for_metrics(losses.detach())
        self.total += everywhere.double().sum().item()
        self.count += len(everywhere)

    @property
    def value(self) -> float:
        return self.total / self.count


@dataclass
class Champion:
    """The best epoch so far, and how long ago it was."""

    model: nn.Module
    patience: int | None
    loss: float = float("inf")
    epoch: int = 0
    weights: dict | None = None
    waiting: int = 0

    def challenge(self, epoch: int, loss: float) -> None:
        self.waiting += 1
        if loss < self.loss:
            self.loss, self.waiting = loss, 0
        if self.waiting == 0 or self.weights is None:
            self.epoch = epoch
            self.weights = {key: value.detach().cpu().clone() for key, value in self.model.state_dict().items()}

    @property
    def is_tired(self) -> bool:
        return self.patience is not None and self.waiting >= self.patience

    def restore(self) -> None:
        if self.weights is not None:
            self.model.load_state_dict(self.weights)


def train_epoch(
    model: nn.Module,
    loader: DataLoader,
    optimizer: torch.optim.Optimizer,
    loss_of: nn.Module,
    accelerator: Accelerator,
    config: TrainConfig,
) -> float:
    mean = Mean(accelerator)
    model.train()
    for X, y in loader:
        with accelerator.accumulate(model):
            losses = loss_of(model(X), y)
            accelerator.backward(torch.mean(losses))
            complete = accelerator.sync_gradients
            if complete and config.max_grad_norm is not None:
                accelerator.clip_grad_norm_(list(model.parameters()), config.max_grad_norm)
            optimizer.step()
            optimizer.zero_grad()
        mean.add(losses)
    return mean.value


def validate(model: nn.Module, loader: DataLoader, loss_of: nn.Module, accelerator: Accelerator) -> float:
    mean = Mean(accelerator)
    model.eval()
    with torch.no_grad():
        for X, y in loader:
            mean.add(loss_of(model(X), y))
    return mean.value


@dataclass
class Stopwatch:
    begin: float = field(default_factory=time.perf_counter)

    def read(self) -> float:
        return time.perf_counter() - self.begin


def train(
    model: nn.Module, train_loader: DataLoader, val_loader: DataLoader, accelerator: Accelerator, config: TrainConfig
) -> History:
    order = train_loader.generator
    if order is not None:
        order.manual_seed(config.seed)
    set_seed(config.seed, device_specific=True)
    loss_of, optimizer = make_loss(config), make_optimizer(model, config)
    train_loader, val_loader = accelerator.prepare(train_loader, val_loader)
    network, optimizer = accelerator.prepare(model, optimizer)
    champion, history = Champion(accelerator.unwrap_model(network), config.patience), History()
    for epoch in range(config.epochs):
        watch = Stopwatch()
        history.train_loss.append(train_epoch(network, train_loader, optimizer, loss_of, accelerator, config))
        history.val_loss.append(validate(network, val_loader, loss_of, accelerator))
        champion.challenge(epoch + 1, history.val_loss[-1])
        history.seconds.append(watch.read())
        if champion.is_tired:
            break
    champion.restore()
    history.best_epoch = champion.epoch
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
