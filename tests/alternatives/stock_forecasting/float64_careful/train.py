"""Task 3: the loop; losses are averaged in float64."""

import math
import time
from dataclasses import dataclass, field

import matplotlib.pyplot as plt
import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from helpers import exact_mean
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
    met: list[float] = []
    for X, y in loader:
        with accelerator.accumulate(model):
            sample_losses = loss_of(model(X), y)
            accelerator.backward(sample_losses.mean(dtype=torch.float32))
            if accelerator.sync_gradients and config.max_grad_norm is not None:
                accelerator.clip_grad_norm_(model.parameters(), config.max_grad_norm, norm_type=2)
            optimizer.step()
            optimizer.zero_grad()
            met.extend(accelerator.gather_for_metrics(sample_losses.detach().clone()).cpu().tolist())
    return exact_mean(met)


def validate(model: nn.Module, loader: DataLoader, loss_of: nn.Module, accelerator: Accelerator) -> float:
    model.eval()
    met: list[float] = []
    with torch.set_grad_enabled(False):
        for X, y in loader:
            forecast, truth = accelerator.gather_for_metrics((model(X), y))
            met.extend(loss_of(forecast.cpu().double(), truth.cpu().double()).tolist())
    return exact_mean(met)


def snapshot(model: nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor.detach().to("cpu", copy=True) for name, tensor in model.state_dict().items()}


@torch.no_grad()
def bring_back(model: nn.Module, kept: dict[str, torch.Tensor]) -> None:
    for name, tensor in model.state_dict().items():
        tensor.copy_(kept[name])


def train(
    model: nn.Module, train_loader: DataLoader, val_loader: DataLoader, accelerator: Accelerator, config: TrainConfig
) -> History:
    order = train_loader.generator
    set_seed(config.seed, device_specific=True)
    if order is not None:
        order.manual_seed(config.seed)
    loss_of = make_loss(config)
    ready = accelerator.prepare_model(model)
    optimizer = accelerator.prepare_optimizer(make_optimizer(ready, config))
    train_batches = accelerator.prepare_data_loader(train_loader)
    val_batches = accelerator.prepare_data_loader(val_loader)
    own = accelerator.unwrap_model(ready)
    losses, errors, seconds, best, kept = [], [], [], 0, {}
    for epoch in range(1, config.epochs + 1):
        begin = time.perf_counter_ns()
        losses.append(train_epoch(ready, train_batches, optimizer, loss_of, accelerator, config))
        errors.append(validate(ready, val_batches, loss_of, accelerator))
        seconds.append((time.perf_counter_ns() - begin) * 1e-9)
        before = errors[best - 1] if best else math.inf
        if not best or errors[-1] < before or (math.isnan(before) and not math.isnan(errors[-1])):
            best, kept = epoch, snapshot(own)
        if config.patience is not None and epoch >= best + config.patience:
            break
    if kept:
        bring_back(own, kept)
    return History(train_loss=losses, val_loss=errors, seconds=seconds, best_epoch=best)


def plot_training(history: History) -> Figure:
    figure, axis = plt.subplots(figsize=(6, 4), layout="constrained")
    epochs = range(1, len(history.val_loss) + 1)
    axis.plot(epochs, history.train_loss, marker=".", label="training")
    axis.plot(epochs, history.val_loss, marker=".", label="validation")
    axis.axvline(history.best_epoch, color="grey", linestyle=":", label="kept")
    axis.set(title="Loss of the scaled log return", xlabel="epoch", ylabel="loss")
    axis.legend()
    return figure
