"""One function; losses of all samples are gathered and averaged."""

import copy
import time
from dataclasses import dataclass, field

import matplotlib.pyplot as plt
import torch
from accelerate.utils import set_seed
from torch import nn


@dataclass(frozen=True)
class TrainConfig:
    epochs: int = 60
    lr: float = 0.003
    optimizer: str = "adamw"
    weight_decay: float = 0.0
    loss: str = "huber"
    max_grad_norm: float | None = 1.0
    patience: int | None = 8
    seed: int = 0


@dataclass
class History:
    train_loss: list[float] = field(default_factory=list)
    val_loss: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    best_epoch: int = 0


def make_optimizer(model, config):
    kinds = {"adamw": torch.optim.AdamW, "sgd": torch.optim.SGD}
    if config.optimizer not in kinds:
        raise ValueError(f"expected an optimizer out of adamw, sgd; found {config.optimizer!r}.")
    return kinds[config.optimizer](model.parameters(), config.lr, weight_decay=config.weight_decay)


def make_loss(config):
    losses = {"huber": nn.HuberLoss, "mse": nn.MSELoss}
    if config.loss not in losses:
        raise ValueError(f"expected a loss out of {', '.join(losses)}; found {config.loss!r}.")
    return losses[config.loss](reduction="none")


def train(model, train_loader, val_loader, accelerator, config):
    set_seed(config.seed)
    if (order := train_loader.generator) is not None:
        order.manual_seed(config.seed)
    loss_of, history, kept = make_loss(config), History(), None
    model, optimizer, train_loader, val_loader = accelerator.prepare(
        model, make_optimizer(model, config), train_loader, val_loader
    )

    def mean(losses):
        return torch.cat(losses).double().mean().item()

    def step(x, y):
        with accelerator.accumulate(model):
            losses = loss_of(model(x), y)
            accelerator.backward(losses.mean())
            if accelerator.sync_gradients and config.max_grad_norm is not None:
                accelerator.clip_grad_norm_(model.parameters(), config.max_grad_norm)
            optimizer.step()
            optimizer.zero_grad()
        return accelerator.gather_for_metrics(losses.detach())

    @torch.inference_mode()
    def look(x, y):
        return accelerator.gather_for_metrics(loss_of(model(x), y))

    while len(history.val_loss) < config.epochs:
        begin = time.perf_counter()
        model.train()
        history.train_loss.append(mean([step(x, y) for x, y in train_loader]))
        model.eval()
        history.val_loss.append(mean([look(x, y) for x, y in val_loader]))
        history.seconds.append(time.perf_counter() - begin)
        if min(history.val_loss) not in history.val_loss[:-1]:
            history.best_epoch = len(history.val_loss)
            kept = copy.deepcopy(accelerator.unwrap_model(model).state_dict())
        if config.patience is not None and len(history.val_loss) - history.best_epoch >= config.patience:
            break
    if kept is not None:
        accelerator.unwrap_model(model).load_state_dict(kept)
    return history


def plot_training(history):
    figure, axis = plt.subplots(figsize=(6, 4), layout="constrained")
    epochs = range(1, len(history.val_loss) + 1)
    axis.plot(epochs, history.train_loss, marker=".", label="training")
    axis.plot(epochs, history.val_loss, marker=".", label="validation")
    axis.axvline(history.best_epoch, color="grey", linestyle=":", label="kept")
    axis.set(title="Loss of the scaled log return", xlabel="epoch", ylabel="loss")
    axis.legend()
    return figure
