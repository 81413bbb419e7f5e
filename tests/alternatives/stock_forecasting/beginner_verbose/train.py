"""Task 3: the training loop."""

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
    model.train()
    all_losses = []
    for batch in loader:
        x = batch[0]
        y = batch[1]
        with accelerator.accumulate(model):
            prediction = model(x)
            loss_of_each_sample = loss_of(prediction, y)
            loss = torch.mean(loss_of_each_sample)
            accelerator.backward(loss)
            if accelerator.sync_gradients:
                if config.max_grad_norm is not None:
                    accelerator.clip_grad_norm_(model.parameters(), config.max_grad_norm)
            optimizer.step()
            optimizer.zero_grad()
        gathered = accelerator.gather_for_metrics(loss_of_each_sample.detach())
        for value in gathered:
            all_losses.append(value.item())
    mean_loss = sum(all_losses) / len(all_losses)
    return mean_loss


def validate(model: nn.Module, loader: DataLoader, loss_of: nn.Module, accelerator: Accelerator) -> float:
    model.eval()
    all_losses = []
    for batch in loader:
        x = batch[0]
        y = batch[1]
        with torch.no_grad():
            prediction = model(x)
            loss_of_each_sample = loss_of(prediction, y)
        gathered = accelerator.gather_for_metrics(loss_of_each_sample)
        for value in gathered:
            all_losses.append(value.item())
    mean_loss = sum(all_losses) / len(all_losses)
    return mean_loss


def train(
    model: nn.Module, train_loader: DataLoader, val_loader: DataLoader, accelerator: Accelerator, config: TrainConfig
) -> History:
    order = train_loader.generator
    # make everything that is random depend on the seed
    set_seed(config.seed, device_specific=True)
    if order is not None:
        order.manual_seed(config.seed)

    optimizer = make_optimizer(model, config)
    loss_of = make_loss(config)
    prepared_model = accelerator.prepare(model)
    prepared_optimizer = accelerator.prepare(optimizer)
    prepared_train_loader = accelerator.prepare(train_loader)
    prepared_val_loader = accelerator.prepare(val_loader)

    history = History()
    best_loss = None
    best_weights = {}
    epochs_without_better = 0
    for epoch in range(1, config.epochs + 1):
        start_time = time.time()
        train_loss = train_epoch(
            prepared_model, prepared_train_loader, prepared_optimizer, loss_of, accelerator, config
        )
        val_loss = validate(prepared_model, prepared_val_loader, loss_of, accelerator)
        end_time = time.time()
        history.train_loss.append(train_loss)
        history.val_loss.append(val_loss)
        history.seconds.append(end_time - start_time)

        is_better = best_loss is None or val_loss < best_loss
        if not is_better and math.isnan(best_loss):
            is_better = not math.isnan(val_loss)
        if is_better:
            best_loss = val_loss
            history.best_epoch = epoch
            best_weights = {}
            weights_now = model.state_dict()
            for name in weights_now:
                best_weights[name] = weights_now[name].clone()
            epochs_without_better = 0
        else:
            epochs_without_better = epochs_without_better + 1

        if config.patience is not None:
            if epochs_without_better >= config.patience:
                break

    if len(best_weights) > 0:
        model.load_state_dict(best_weights)
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
