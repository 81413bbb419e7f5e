"""Accumulation by hand with no_sync; sums and counts, added up over the processes."""

import contextlib
import math
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
    if config.optimizer == "adamw":
        return torch.optim.AdamW(model.parameters(), config.lr, weight_decay=config.weight_decay)
    if config.optimizer == "sgd":
        return torch.optim.SGD(model.parameters(), config.lr, weight_decay=config.weight_decay)
    raise ValueError(f"expected an optimizer out of adamw, sgd; found {config.optimizer!r}.")


def make_loss(config):
    losses = {"huber": nn.HuberLoss, "mse": nn.MSELoss}
    if config.loss not in losses:
        raise ValueError(f"expected a loss out of {', '.join(losses)}; found {config.loss!r}.")
    return losses[config.loss](reduction="none")


class Mean:
    """A sum and a count; `result` adds up those of all processes."""

    def __init__(self, accelerator):
        self.accelerator = accelerator
        self.sum, self.count = 0.0, 0

    def add(self, losses):
        self.sum += losses.detach().double().sum().item()
        self.count += len(losses)

    def result(self):
        own = torch.tensor([self.sum, float(self.count)], dtype=torch.float64, device=self.accelerator.device)
        both = self.accelerator.reduce(own, reduction="sum")
        return (both[0] / both[1]).item()


class EarlyStopping:
    """Keeps a copy of the best weights and counts the epochs since."""

    def __init__(self, model, patience):
        self.model, self.patience = model, patience
        self.lowest, self.best_epoch, self.waited, self.weights = math.inf, 0, 0, None

    def look(self, epoch, loss):
        if loss < self.lowest or self.weights is None:
            if loss < self.lowest:
                self.lowest = loss
            self.best_epoch, self.waited = epoch, 0
            self.weights = {name: tensor.detach().clone() for name, tensor in self.model.state_dict().items()}
        else:
            self.waited += 1

    def is_over(self):
        return self.patience is not None and self.waited >= self.patience

    def put_back(self):
        if self.weights is not None:
            self.model.load_state_dict(self.weights)


def samples_of_batch(loader, y, is_last, accelerator):
    """How many of this process's rows are no repeats, and how many all processes have of those."""
    all_rows = len(y) * accelerator.num_processes
    left_over = loader.remainder if is_last else 0
    if accelerator.num_processes == 1 or left_over <= 0:
        return len(y), all_rows
    own = left_over - accelerator.process_index * len(y)
    return min(max(own, 0), len(y)), left_over


def train_epoch(model, loader, optimizer, loss_of, accelerator, config):
    model.train()
    mean = Mean(accelerator)
    n_batches, k = len(loader), accelerator.gradient_accumulation_steps
    optimizer.zero_grad()
    for i, (x, y) in enumerate(loader):
        is_last = i + 1 == n_batches
        steps_now = is_last or (i + 1) % k == 0
        in_this_step = min(k, n_batches - i // k * k)  # the last step may have fewer batches
        own, of_all = samples_of_batch(loader, y, is_last, accelerator)
        with contextlib.nullcontext() if steps_now else accelerator.no_sync(model):
            losses = loss_of(model(x), y)[:own]
            loss = losses.sum() * accelerator.num_processes / of_all
            accelerator.backward(loss * k / in_this_step)  # backward divides by k
        mean.add(losses)
        if steps_now:
            if config.max_grad_norm is not None:
                accelerator.clip_grad_norm_(model.parameters(), config.max_grad_norm)
            optimizer.step()
            optimizer.zero_grad()
    return mean.result()


def validate(model, loader, loss_of, accelerator):
    model.eval()
    mean = Mean(accelerator)
    n_batches = len(loader)
    for i, (x, y) in enumerate(loader):
        own, _ = samples_of_batch(loader, y, i + 1 == n_batches, accelerator)
        with torch.no_grad():
            mean.add(loss_of(model(x), y)[:own])
    return mean.result()


def train(model, train_loader, val_loader, accelerator, config):
    set_seed(config.seed)
    if train_loader.generator is not None:
        train_loader.generator.manual_seed(config.seed)
    loss_of = make_loss(config)
    optimizer = make_optimizer(model, config)
    model, optimizer, train_loader, val_loader = accelerator.prepare(model, optimizer, train_loader, val_loader)
    stopping = EarlyStopping(accelerator.unwrap_model(model), config.patience)
    history = History()
    for epoch in range(1, config.epochs + 1):
        begin = time.time()
        history.train_loss.append(train_epoch(model, train_loader, optimizer, loss_of, accelerator, config))
        history.val_loss.append(validate(model, val_loader, loss_of, accelerator))
        history.seconds.append(time.time() - begin)
        stopping.look(epoch, history.val_loss[-1])
        if stopping.is_over():
            break
    stopping.put_back()
    history.best_epoch = stopping.best_epoch
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
