"""The loop: epochs, early stopping, the best weights."""

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
    """The gradients of all but the last batch of a window stay on their process."""
    model.train()
    k = accelerator.gradient_accumulation_steps
    total, count = 0.0, 0
    for number, (x, y) in enumerate(loader, start=1):
        complete = number % k == 0 or number == len(loader)
        if complete:
            losses = loss_of(model(x), y)
            accelerator.backward(losses.mean())
            if config.max_grad_norm is not None:
                accelerator.clip_grad_norm_(model.parameters(), config.max_grad_norm)
            optimizer.step()
            optimizer.zero_grad()
        else:
            with accelerator.no_sync(model):
                losses = loss_of(model(x), y)
                accelerator.backward(losses.mean())
        everyone = accelerator.gather_for_metrics(losses.detach())
        total, count = total + everyone.sum().item(), count + len(everyone)
    return total / count


def validate(model: nn.Module, loader: DataLoader, loss_of: nn.Module, accelerator: Accelerator) -> float:
    model.eval()
    outputs, targets = [], []
    with torch.no_grad():
        for x, y in loader:
            output, target = accelerator.gather_for_metrics((model(x), y))
            outputs.append(output)
            targets.append(target)
    return loss_of(torch.cat(outputs), torch.cat(targets)).mean().item()


def train(
    model: nn.Module, train_loader: DataLoader, val_loader: DataLoader, accelerator: Accelerator, config: TrainConfig
) -> History:
    set_seed(config.seed, device_specific=True)
    order = train_loader.generator
    if isinstance(order, torch.Generator):
        order.manual_seed(config.seed)
    network = accelerator.prepare_model(model)
    optimizer = accelerator.prepare_optimizer(make_optimizer(network, config))
    batches, held_out = accelerator.prepare_data_loader(train_loader), accelerator.prepare_data_loader(val_loader)
    loss_of, history, kept = make_loss(config), History(), []
    for epoch in range(1, config.epochs + 1):
        start = time.perf_counter()
        history.train_loss.append(train_epoch(network, batches, optimizer, loss_of, accelerator, config))
        history.val_loss.append(validate(network, held_out, loss_of, accelerator))
        history.seconds.append(time.perf_counter() - start)
        lowest = min((loss for loss in history.val_loss if not math.isnan(loss)), default=math.inf)
        if lowest < math.inf and history.val_loss.index(lowest) + 1 == epoch:
            history.best_epoch = epoch
            kept = [tensor.detach().clone() for tensor in model.state_dict().values()]
        if epoch - history.best_epoch == config.patience:
            break
    with torch.no_grad():
        for tensor, best in zip(model.state_dict().values(), kept):
            tensor.copy_(best)
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
