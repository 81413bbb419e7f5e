"""Task 3: the loop."""

import io
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


def one_pass(model, loader, loss_of, accelerator, learn=None) -> float:
    """Mean loss of all samples; `learn` is called with each batch's losses, inside of `accumulate`."""
    seen = []
    for X, y in loader:
        if learn is None:
            losses = loss_of(model(X), y)
        else:
            with accelerator.accumulate(model):
                losses = loss_of(model(X), y)
                learn(losses)
        seen += accelerator.gather_for_metrics(losses.detach()).tolist()
    return float(np.average(seen))


def train_epoch(
    model: nn.Module,
    loader: DataLoader,
    optimizer: torch.optim.Optimizer,
    loss_of: nn.Module,
    accelerator: Accelerator,
    config: TrainConfig,
) -> float:
    def learn(losses: torch.Tensor) -> None:
        accelerator.backward(losses.mean())
        if accelerator.sync_gradients:
            if config.max_grad_norm is not None:
                accelerator.clip_grad_norm_(parameters=model.parameters(), max_norm=config.max_grad_norm)
            optimizer.step()
            optimizer.zero_grad()

    return one_pass(model.train(), loader, loss_of, accelerator, learn)


def validate(model: nn.Module, loader: DataLoader, loss_of: nn.Module, accelerator: Accelerator) -> float:
    with torch.no_grad():
        return one_pass(model.eval(), loader, loss_of, accelerator)


def train(
    model: nn.Module, train_loader: DataLoader, val_loader: DataLoader, accelerator: Accelerator, config: TrainConfig
) -> History:
    order = train_loader.generator
    set_seed(config.seed, device_specific=True)
    for generator in {order, getattr(train_loader.sampler, "generator", None)} - {None}:
        generator.manual_seed(config.seed)
    loss_of = make_loss(config)
    network, optimizer, learning, watching = accelerator.prepare(
        model, make_optimizer(model, config), train_loader, val_loader
    )
    history, best_weights = History(), io.BytesIO()
    stop_after = config.epochs if config.patience is None else config.patience
    for epoch in range(config.epochs):
        began = time.perf_counter()
        history.train_loss.append(train_epoch(network, learning, optimizer, loss_of, accelerator, config))
        history.val_loss.append(validate(network, watching, loss_of, accelerator))
        history.seconds.append(time.perf_counter() - began)
        best = int(np.argmin(np.nan_to_num(history.val_loss, nan=np.inf)))
        if best == epoch:
            best_weights = io.BytesIO()
            torch.save(accelerator.unwrap_model(network).state_dict(), best_weights)
            history.best_epoch = epoch + 1
        if epoch - best >= stop_after:
            break
    if history.best_epoch:
        best_weights.seek(0)
        weights = torch.load(best_weights, map_location="cpu", weights_only=True)
        accelerator.unwrap_model(network).load_state_dict(weights)
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
