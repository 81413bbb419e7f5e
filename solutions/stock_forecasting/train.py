"""Task 3 · Training that knows when to stop, and does the same on any number of processes.

A network on returns learns little before it learns noise. So the loop watches a validation part, stops when that no longer
gets better, and gives back the best weights it has had.
"""

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
    """Everything that `train` is told besides model and data. Given."""

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
    """What `train` met on its way: one Python float an epoch in each list, over the samples of all processes. Given."""

    train_loss: list[float] = field(default_factory=list)  # mean over the samples, as they were trained on
    val_loss: list[float] = field(default_factory=list)  # mean over the samples, after the epoch
    seconds: list[float] = field(default_factory=list)  # of training and validation together
    best_epoch: int = 0  # the one whose weights were kept, from 1 on


def make_optimizer(model: nn.Module, config: TrainConfig) -> torch.optim.Optimizer:
    """AdamW or plain SGD over all parameters. Given.

    Raises:
        ValueError: another kind of optimizer.
    """
    if config.optimizer == "adamw":
        return torch.optim.AdamW(model.parameters(), config.lr, weight_decay=config.weight_decay)
    if config.optimizer == "sgd":
        return torch.optim.SGD(model.parameters(), config.lr, weight_decay=config.weight_decay)
    raise ValueError(f"expected an optimizer out of adamw, sgd; found {config.optimizer!r}.")


def make_loss(config: TrainConfig) -> nn.Module:
    """The loss of each sample, (batch,) for (batch,) twice: Huber's, which is linear beyond 1, or the squared error. Given.

    Raises:
        ValueError: another kind of loss.
    """
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
    """Train for one pass over the loader; the mean loss of its samples, on all processes together.

    Args:
        model, loader, optimizer: as `accelerator.prepare` returned them.
        loss_of: see `make_loss`; what is minimised is its mean over a batch.
    """
    # Hint: clip when gradients are complete: accelerator.sync_gradients tells.
    ### BEGIN SOLUTION
    model.train()
    losses = []
    for x, y in loader:  # (batch, time, n_features), (batch,)
        with accelerator.accumulate(model):
            loss = loss_of(model(x), y)  # (batch,)
            accelerator.backward(loss.mean())
            if accelerator.sync_gradients and config.max_grad_norm is not None:
                accelerator.clip_grad_norm_(model.parameters(), config.max_grad_norm)
            optimizer.step()
            optimizer.zero_grad()
        losses.append(accelerator.gather_for_metrics(loss.detach()))  # (batch of all processes,)
    return torch.cat(losses).mean().item()
    ### END SOLUTION


def validate(model: nn.Module, loader: DataLoader, loss_of: nn.Module, accelerator: Accelerator) -> float:
    """Mean loss of the model as it is, over each sample of the loader once, on all processes together.

    Args:
        model, loader: as `accelerator.prepare` returned them. The model answers in eval mode, without gradients.
        loss_of: see `make_loss`.
    """
    ### BEGIN SOLUTION
    model.eval()
    with torch.no_grad():
        losses = [accelerator.gather_for_metrics(loss_of(model(x), y)) for x, y in loader]
    return torch.cat(losses).mean().item()
    ### END SOLUTION


def train(
    model: nn.Module, train_loader: DataLoader, val_loader: DataLoader, accelerator: Accelerator, config: TrainConfig
) -> History:
    """Train until the validation loss has not been better for `config.patience` epochs, and keep the best epoch.

    With `patience=2` and validation losses 3, 1, 2, 1.5 training ends after the fourth epoch: two epochs without a loss
    below 1. All processes end after the same epoch. All that is random follows from `config.seed`, the order of a shuffled
    loader as well.

    Args:
        model: maps (batch, time, n_features) to (batch,); trained in place. In the end it has the weights of the epoch with
            the lowest `val_loss`; among equals, of the first.
        train_loader, val_loader: pairs (batch, time, n_features), (batch,); neither they nor the model have been prepared.
        accelerator: prepares what has to be prepared; with `gradient_accumulation_steps=k`, k batches make one step.
        config: see `TrainConfig`.

    Returns:
        The history.
    """
    order = train_loader.generator  # of the shuffling; None where the loader has none of its own
    # Hint: a decision that each process makes for itself must rest on numbers that all of them have.
    ### BEGIN SOLUTION
    set_seed(config.seed, device_specific=True)
    if order is not None:
        order.manual_seed(config.seed)
    optimizer, loss_of, history = make_optimizer(model, config), make_loss(config), History()
    model, optimizer, train_loader, val_loader = accelerator.prepare(model, optimizer, train_loader, val_loader)
    own = accelerator.unwrap_model(model)
    lowest, best = math.inf, {}
    for epoch in range(1, config.epochs + 1):
        started = time.perf_counter()
        history.train_loss.append(train_epoch(model, train_loader, optimizer, loss_of, accelerator, config))
        # Every process has the same mean over all samples, and so comes to the same decision.
        val_loss = validate(model, val_loader, loss_of, accelerator)
        if val_loss < lowest or not best:
            lowest, history.best_epoch = min(lowest, val_loss), epoch
            best = {name: value.detach().clone() for name, value in own.state_dict().items()}
        history.val_loss.append(val_loss)
        history.seconds.append(time.perf_counter() - started)
        if config.patience is not None and epoch - history.best_epoch >= config.patience:
            break
    own.load_state_dict(best)
    return history
    ### END SOLUTION


def plot_training(history: History) -> Figure:
    """Draw the losses over the epochs, and which epoch was kept. Given."""
    figure, axis = plt.subplots(figsize=(6, 4), layout="constrained")
    epochs = range(1, len(history.val_loss) + 1)
    axis.plot(epochs, history.train_loss, marker=".", label="training")
    axis.plot(epochs, history.val_loss, marker=".", label="validation")
    axis.axvline(history.best_epoch, color="grey", linestyle=":", label="kept")
    axis.set(title="Loss of the scaled log return", xlabel="epoch", ylabel="loss")
    axis.legend()
    return figure
