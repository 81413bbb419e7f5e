"""Task 3: a loop that watches itself."""

import copy
import logging
import math
import time
from dataclasses import dataclass, field

import matplotlib.pyplot as plt
import torch
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list, set_seed
from matplotlib.figure import Figure
from torch import nn
from torch.utils.data import DataLoader
from tqdm import tqdm

log = logging.getLogger(__name__)


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


def mean_of(batches: list[torch.Tensor], what: str) -> float:
    if not batches:
        raise ValueError(f"{what}: the loader has no batch.")
    value = torch.cat(batches).to("cpu", torch.float64).mean().item()
    if not math.isfinite(value):
        log.info("%s: the loss is %s", what, value)
    return value


def train_epoch(
    model: nn.Module,
    loader: DataLoader,
    optimizer: torch.optim.Optimizer,
    loss_of: nn.Module,
    accelerator: Accelerator,
    config: TrainConfig,
) -> float:
    model.train()
    met = []
    for inputs, targets in loader:
        with accelerator.accumulate(model):
            outputs = model(inputs)
            if outputs.shape != targets.shape:
                raise ValueError(f"expected forecasts {tuple(targets.shape)}, found {tuple(outputs.shape)}.")
            losses = loss_of(outputs, targets)
            accelerator.backward(losses.mean())
            step_is_complete = accelerator.sync_gradients
            if step_is_complete and config.max_grad_norm is not None:
                accelerator.clip_grad_norm_(model.parameters(), config.max_grad_norm)
            optimizer.step()
            if step_is_complete:
                model.zero_grad()
        met.append(accelerator.gather_for_metrics(losses.detach()))
    return mean_of(met, "training")


def validate(model: nn.Module, loader: DataLoader, loss_of: nn.Module, accelerator: Accelerator) -> float:
    model.eval()
    met = []
    for inputs, targets in loader:
        with torch.no_grad():
            losses = loss_of(model(inputs), targets)
        met.append(accelerator.gather_for_metrics(losses))
    return mean_of(met, "validation")


def train(
    model: nn.Module, train_loader: DataLoader, val_loader: DataLoader, accelerator: Accelerator, config: TrainConfig
) -> History:
    order = train_loader.generator
    if config.patience is not None and config.patience < 1:
        raise ValueError(f"patience: expected at least 1 or None, found {config.patience}.")
    loss_of = make_loss(config)
    keeper = copy.deepcopy(model)  # holds the best weights
    set_seed(config.seed, device_specific=True)
    if isinstance(order, torch.Generator):
        order.manual_seed(config.seed)
    ready, optimizer, learn, watch = accelerator.prepare(model, make_optimizer(model, config), train_loader, val_loader)
    plain = accelerator.unwrap_model(ready)
    history, lowest, unlucky = History(), math.inf, 0
    with tqdm(range(1, config.epochs + 1), desc="epochs", leave=False, disable=not accelerator.is_main_process) as bar:
        for epoch in bar:
            begin = time.perf_counter()
            history.train_loss.append(train_epoch(ready, learn, optimizer, loss_of, accelerator, config))
            loss = validate(ready, watch, loss_of, accelerator)
            history.val_loss.append(loss)
            history.seconds.append(time.perf_counter() - begin)
            bar.set_postfix(loss=f"{loss:.4f}")

            is_new_lowest = loss < lowest
            unlucky = 0 if is_new_lowest else unlucky + 1
            if is_new_lowest or history.best_epoch == 0:
                lowest = loss if is_new_lowest else math.inf
                history.best_epoch = epoch
                keeper.load_state_dict(plain.state_dict())
            stop = config.patience is not None and unlucky == config.patience
            (stop,) = broadcast_object_list([stop], from_process=0)  # the main process decides for all
            if stop:
                log.info("no better epoch than %d in %d, training ends", history.best_epoch, config.patience)
                break
    if history.best_epoch:
        plain.load_state_dict(keeper.state_dict())
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
