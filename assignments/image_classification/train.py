"""Task 3 · Training, in any precision and on any number of processes, that can be stopped and taken up again.

The loop does not know where it runs: that is the `Accelerator`'s business. What is the loop's own business is when to
step, when to clip, what to count, and what to keep.
"""

import math
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
import torch.nn.functional as F
from accelerate import Accelerator
from accelerate.utils import set_seed
from safetensors.torch import save_file
from torch import nn
from torch.optim.lr_scheduler import LambdaLR, LRScheduler
from torch.utils.data import DataLoader


@dataclass(frozen=True)
class TrainConfig:
    """Everything that `train` is told besides model and data. Given."""

    epochs: int = 10
    lr: float = 0.05
    optimizer: str = "sgd"  # with momentum, or "adamw"
    momentum: float = 0.9
    weight_decay: float = 0.0
    warmup_fraction: float = 0.1  # of all optimizer steps
    max_grad_norm: float | None = None  # None: gradients are not clipped
    label_smoothing: float = 0.0
    seed: int = 0
    checkpoint_dir: str | Path | None = None  # None: no checkpoints
    resume_from: str | Path | None = None  # a checkpoint that `train` wrote


@dataclass
class History:
    """What `train` met on its way: one Python float an epoch in each list, over the samples of all processes. Given."""

    train_loss: list[float] = field(default_factory=list)  # cross-entropy as it was minimised, while training
    train_accuracy: list[float] = field(default_factory=list)  # likewise; 1 is perfect
    val_loss: list[float] = field(default_factory=list)  # cross-entropy without label smoothing, after the epoch
    val_accuracy: list[float] = field(default_factory=list)
    lr: list[float] = field(default_factory=list)  # of the first parameter group, in the epoch's last optimizer step
    seconds: list[float] = field(default_factory=list)  # of training and validation together

    def add(self, **values: float) -> None:
        """Append one epoch's value to each list."""
        for name, value in values.items():
            getattr(self, name).append(value)


def make_optimizer(model: nn.Module, config: TrainConfig, groups: list[dict] | None) -> torch.optim.Optimizer:
    """SGD with momentum or AdamW, over the groups, or over all trainable parameters at one rate. Given.

    Raises:
        ValueError: another kind of optimizer.
    """
    params = groups if groups is not None else [p for p in model.parameters() if p.requires_grad]
    if config.optimizer == "sgd":
        return torch.optim.SGD(params, config.lr, momentum=config.momentum, weight_decay=config.weight_decay)
    if config.optimizer == "adamw":
        return torch.optim.AdamW(params, config.lr, weight_decay=config.weight_decay)
    raise ValueError(f"expected an optimizer out of sgd, adamw; found {config.optimizer!r}.")


def lr_factor(step: int, warmup_steps: int, total_steps: int) -> float:
    """What the learning rate is multiplied with: a straight line up to 1, then half a cosine down to 0. Given.

    Args:
        step: optimizer steps made so far, from 0 on.
        warmup_steps: length of the straight line, which starts at 0.
        total_steps: of the whole training.
    """
    if step < warmup_steps:
        return step / warmup_steps
    done = (step - warmup_steps) / max(1, total_steps - warmup_steps)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, done)))


def train_epoch(
    model: nn.Module,
    loader: DataLoader,
    optimizer: torch.optim.Optimizer,
    schedule: LRScheduler,
    accelerator: Accelerator,
    config: TrainConfig,
) -> tuple[float, float, float]:
    """Train for one pass over the loader.

    Args:
        model, loader, optimizer: as `accelerator.prepare` returned them.
        schedule: of the learning rate; its step follows each step of the optimizer.

    Returns:
        (loss, accuracy, lr) as in `History`.
    """
    # Hint: inside `accumulate`, only every k-th batch steps; accelerator.sync_gradients tells whether this one does.
    raise NotImplementedError("Task 3: write train_epoch().")


def validate(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> tuple[float, float]:
    """(loss, accuracy) of the model as it is, over each image of the loader once, on all processes together.

    Args:
        model, loader: as `accelerator.prepare` returned them. The model answers in eval mode, without gradients.
    """
    raise NotImplementedError("Task 3: write validate().")


def train(
    model: nn.Module,
    train_loader: DataLoader,
    val_loader: DataLoader,
    accelerator: Accelerator,
    config: TrainConfig,
    groups: list[dict] | None = None,
) -> History:
    """Fine-tune a classifier by cross-entropy, and keep its best epoch.

    The learning rate follows `lr_factor`, counted in optimizer steps: with an accelerator that accumulates over k batches,
    one every k batches, and one for what is left at the end of an epoch. All that is random in an epoch follows from
    `config.seed` and the epoch's number.

    Args:
        model: maps (batch, 3, h, w) to logits (batch, classes); trained in place. In the end it has the weights of the
            epoch with the highest `val_accuracy`; among equals, of the first.
        train_loader, val_loader: pairs (batch, 3, h, w), (batch,); neither they nor the model have been prepared yet.
        accelerator: prepares what has to be prepared.
        config: see `TrainConfig`. With `checkpoint_dir`, the end of epoch 3 leaves a checkpoint `epoch_3` there, a file or
            a folder. With `resume_from`, such a checkpoint, training goes on behind it as if it had never stopped,
            up to `config.epochs` epochs in all.
        groups: parameter groups for the optimizer (see `param_groups`); None for all trainable parameters at `config.lr`.

    Returns:
        The history, after a resume with the epochs before it.
    """
    optimizer = make_optimizer(model, config, groups)
    order = train_loader.generator  # of the shuffling; None where the loader has none of its own
    raise NotImplementedError("Task 3: write train().")


def save_checkpoint(path: Path, parts: dict, history: History, best: dict, accelerator: Accelerator) -> None:
    """Write all that training needs to go on, from the main process; `parts` have a `state_dict` each."""
    raise NotImplementedError("Task 3: write save_checkpoint().")


def resume(parts: dict, config: TrainConfig) -> tuple[History, dict]:
    """Put the parts into the state that `config.resume_from` holds; (history, best weights) so far."""
    raise NotImplementedError("Task 3: write resume().")


def save_model(model: nn.Module, accelerator: Accelerator, path: str | Path) -> None:
    """Write the model's weights as safetensors, once.

    Args:
        model: prepared or not. The names in the file are those of the model itself, without `module.` or the like.
        accelerator: only its main process writes, and all processes wait until the file is there.
        path: of the file; its folder is made if need be.
    """
    # Hint: safetensors.torch.save_file takes a dict of contiguous tensors.
    raise NotImplementedError("Task 3: write save_model().")
