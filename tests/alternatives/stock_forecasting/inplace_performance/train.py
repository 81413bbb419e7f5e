"""A loop that waits for the device once an epoch."""

import time
from dataclasses import dataclass, field

import matplotlib.pyplot as plt
import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from matplotlib.figure import Figure
from torch import nn
from torch.utils.data import DataLoader, RandomSampler


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


def own(n: int, accelerator: Accelerator) -> int:
    """How many of this process's n samples are no repeats that fill the last batch."""
    state = accelerator.gradient_state
    if state.end_of_dataloader and state.remainder > 0:
        return min(max(state.remainder - n * accelerator.process_index, 0), n)
    return n


def train_epoch(
    model: nn.Module,
    loader: DataLoader,
    optimizer: torch.optim.Optimizer,
    loss_of: nn.Module,
    accelerator: Accelerator,
    config: TrainConfig,
) -> float:
    model.train()
    seen = torch.zeros(2, device=accelerator.device)  # sum, number
    for x, y in loader:
        with accelerator.accumulate(model):
            losses = loss_of(model(x), y)
            accelerator.backward(losses.mean())
            if config.max_grad_norm is not None and accelerator.sync_gradients:
                accelerator.clip_grad_norm_(model.parameters(), config.max_grad_norm)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        n = own(len(y), accelerator)
        seen[0] += losses.detach()[:n].sum()
        seen[1] += n
    total, count = accelerator.reduce(seen, reduction="sum").tolist()
    return total / count


@torch.inference_mode()
def validate(model: nn.Module, loader: DataLoader, loss_of: nn.Module, accelerator: Accelerator) -> float:
    model.eval()
    seen = torch.zeros(2, device=accelerator.device)
    for x, y in loader:
        n = own(len(y), accelerator)
        seen[0] += loss_of(model(x), y)[:n].sum()
        seen[1] += n
    total, count = accelerator.reduce(seen, reduction="sum").tolist()
    return total / count


def train(
    model: nn.Module, train_loader: DataLoader, val_loader: DataLoader, accelerator: Accelerator, config: TrainConfig
) -> History:
    order = train_loader.generator
    set_seed(config.seed, device_specific=True)
    sampler = train_loader.sampler
    lent = order is None and isinstance(sampler, RandomSampler) and sampler.generator is None
    if lent:  # the same order on any number of processes
        order = sampler.generator = torch.Generator()
    if order is not None:
        order.manual_seed(config.seed)
    network, optimizer, batches, held_out = accelerator.prepare(
        model, make_optimizer(model, config), train_loader, val_loader
    )
    loss_of, history = make_loss(config), History()
    live = list(model.state_dict().values())
    best = [torch.empty_like(tensor) for tensor in live]
    lowest, tired = float("inf"), 0
    for epoch in range(config.epochs):
        start = time.perf_counter()
        history.train_loss.append(train_epoch(network, batches, optimizer, loss_of, accelerator, config))
        loss = validate(network, held_out, loss_of, accelerator)
        history.val_loss.append(loss)
        history.seconds.append(time.perf_counter() - start)
        tired += 1
        if loss < lowest:
            lowest, tired, history.best_epoch = loss, 0, epoch + 1
            torch._foreach_copy_(best, live)
        if config.patience is not None and tired >= config.patience:
            break
    if history.best_epoch:
        torch._foreach_copy_(live, best)
    if lent:
        sampler.generator = None
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
