"""Task 3: training."""

import json
import math
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from accelerate.utils import set_seed
from helpers import Means, agreed, bare, per_sample, replace_folder, snapshot
from safetensors.torch import load_file, save_file
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

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


def train_epoch(model, loader, optimizer, schedule, accelerator, config):
    model.train()
    means, lr = Means(accelerator), 0.0
    for x, y in loader:
        with accelerator.accumulate(model):
            loss, rows = per_sample(model(x), y, config.label_smoothing)
            accelerator.backward(loss)
            if accelerator.sync_gradients:
                lr = schedule.get_last_lr()[0]
                if config.max_grad_norm is not None:
                    accelerator.clip_grad_norm_(model.parameters(), config.max_grad_norm)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
        means.add(rows)
    return *means.result(), float(lr)


def validate(model, loader, accelerator):
    model.eval()
    means = Means(accelerator)
    for x, y in loader:
        with torch.no_grad():
            means.add(per_sample(model(x), y)[1])
    return means.result()


def train(model, train_loader, val_loader, accelerator, config, groups=None):
    accelerator.free_memory()  # save_state writes all that was ever prepared: let it be this training's parts alone
    optimizer = make_optimizer(model, config, groups)
    batches = accelerator.prepare_data_loader(train_loader)
    val_batches = accelerator.prepare_data_loader(val_loader)
    total = config.epochs * math.ceil(len(batches) / accelerator.gradient_accumulation_steps)
    warmup = round(total * config.warmup_fraction)
    # Prepared, the schedule makes one step for each process: a process's step is a fraction of the optimizer's.
    share = accelerator.num_processes if not accelerator.split_batches else 1
    schedule = LambdaLR(optimizer, lambda step: lr_factor(step / share, warmup, total))
    prepared, optimizer, schedule = accelerator.prepare(model, optimizer, schedule)
    history, best = resume(accelerator, config) if config.resume_from else (History(), None)
    for epoch in range(len(history.lr) + 1, config.epochs + 1):
        begun = time.perf_counter()
        own = (config.seed << 12) + epoch
        set_seed(own % 2**32)
        for generator in {train_loader.generator, getattr(train_loader.sampler, "generator", None)} - {None}:
            generator.manual_seed(own)
        loss, hits, lr = train_epoch(prepared, batches, optimizer, schedule, accelerator, config)
        val_loss, val_hits = validate(prepared, val_batches, accelerator)
        if best is None or val_hits > max(history.val_accuracy):
            best = snapshot(model)
        seconds = agreed(time.perf_counter() - begun, accelerator)
        history.add(train_loss=loss, train_accuracy=hits, val_loss=val_loss, val_accuracy=val_hits)
        history.add(lr=lr, seconds=seconds)
        if config.checkpoint_dir:
            save_checkpoint(Path(config.checkpoint_dir, f"epoch_{epoch}"), history, best, accelerator)
    if best is not None:
        model.load_state_dict(best)
    return history


def save_checkpoint(path, history, best, accelerator):
    """Accelerate's own checkpoint, with history and best weights beside it."""
    aside = path.with_name(path.name + ".tmp")
    accelerator.save_state(str(aside))
    if accelerator.is_main_process:
        save_file(best, aside / "best.safetensors")
        (aside / "history.json").write_text(json.dumps(asdict(history)), encoding="ascii")
    accelerator.wait_for_everyone()
    if accelerator.is_main_process:
        replace_folder(aside, path)
    accelerator.wait_for_everyone()


def resume(accelerator, config):
    folder = Path(config.resume_from)
    accelerator.load_state(str(folder))
    return History(**json.loads((folder / "history.json").read_text())), load_file(folder / "best.safetensors")


def save_model(model, accelerator, path):
    path = Path(path)
    if accelerator.is_main_process:
        path.parent.mkdir(exist_ok=True, parents=True)
        save_file(snapshot(bare(model, accelerator)), path)
    accelerator.wait_for_everyone()
