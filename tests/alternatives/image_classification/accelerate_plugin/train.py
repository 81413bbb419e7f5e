"""Training, with as much of Accelerate as there is."""

import contextlib
import math
import shutil
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
import torch.nn.functional as F
from accelerate import Accelerator
from accelerate.scheduler import AcceleratedScheduler
from accelerate.utils import set_seed
from torch import nn
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import DataLoader

@dataclass(frozen=True)
class TrainConfig:
    epochs: int = 10
    lr: float = 0.05
    optimizer: str = "sgd"
    momentum: float = 0.9
    weight_decay: float = 0.0
    warmup_fraction: float = 0.1
    max_grad_norm: float | None = None
    label_smoothing: float = 0.0
    seed: int = 0
    checkpoint_dir: str | Path | None = None
    resume_from: str | Path | None = None


@dataclass
class History:
    train_loss: list[float] = field(default_factory=list)
    train_accuracy: list[float] = field(default_factory=list)
    val_loss: list[float] = field(default_factory=list)
    val_accuracy: list[float] = field(default_factory=list)
    lr: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def add(self, **values: float) -> None:
        for name, value in values.items():
            getattr(self, name).append(value)


def make_optimizer(model: nn.Module, config: TrainConfig, groups: list[dict] | None) -> torch.optim.Optimizer:
    params = groups if groups is not None else [p for p in model.parameters() if p.requires_grad]
    if config.optimizer == "sgd":
        return torch.optim.SGD(params, config.lr, momentum=config.momentum, weight_decay=config.weight_decay)
    if config.optimizer == "adamw":
        return torch.optim.AdamW(params, config.lr, weight_decay=config.weight_decay)
    raise ValueError(f"expected an optimizer out of sgd, adamw; found {config.optimizer!r}.")


def lr_factor(step: int, warmup_steps: int, total_steps: int) -> float:
    if step < warmup_steps:
        return step / warmup_steps
    done = (step - warmup_steps) / max(1, total_steps - warmup_steps)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, done)))


class Progress:
    """What `accelerator.save_state` does not know by itself."""

    def __init__(self) -> None:
        self.history, self.best = History(), {}

    def state_dict(self) -> dict:
        return {"history": asdict(self.history), "best": self.best}

    def load_state_dict(self, state: dict) -> None:
        self.history, self.best = History(**state["history"]), state["best"]


def train_epoch(
    model: nn.Module,
    loader: DataLoader,
    optimizer: torch.optim.Optimizer,
    schedule: AcceleratedScheduler,
    accelerator: Accelerator,
    config: TrainConfig,
) -> tuple[float, float, float]:
    k, last, lr, samples = accelerator.gradient_accumulation_steps, len(loader), 0.0, []
    model.train()
    for number, (images, labels) in enumerate(loader, start=1):
        steps = number % k == 0 or number == last
        # windows by hand: gradients stay on their process until the window is full
        with contextlib.nullcontext() if steps else accelerator.no_sync(model):
            logits = model(images)
            losses = F.cross_entropy(logits, labels, reduction="none", label_smoothing=config.label_smoothing)
            accelerator.backward(losses.mean())  # divides by k
        if steps:
            if config.max_grad_norm is not None:
                accelerator.clip_grad_norm_(model.parameters(), config.max_grad_norm)
            lr = optimizer.param_groups[0]["lr"]
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
        hits = logits.argmax(-1).eq(labels)
        pairs = list(zip(losses.tolist(), hits.tolist(), strict=True))
        samples += accelerator.gather_for_metrics(pairs, use_gather_object=True)
    losses, hits = zip(*samples, strict=True)
    return math.fsum(losses) / len(losses), sum(hits) / len(hits), float(lr)


def validate(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> tuple[float, float]:
    model.eval()
    losses, hits = [], []
    with torch.no_grad():
        for images, labels in loader:
            logits, labels = accelerator.gather_for_metrics((model(images), labels))
            losses.append(F.cross_entropy(logits, labels, reduction="none"))
            hits.append(logits.argmax(-1) == labels)
    return tuple(torch.cat(values).double().mean().item() for values in (losses, hits))


def train(
    model: nn.Module,
    train_loader: DataLoader,
    val_loader: DataLoader,
    accelerator: Accelerator,
    config: TrainConfig,
    groups: list[dict] | None = None,
) -> History:
    # a checkpoint is of this training alone, not of an earlier one with the same accelerator
    accelerator.free_memory()
    accelerator._custom_objects = [kept for kept in accelerator._custom_objects if not isinstance(kept, Progress)]
    progress = Progress()
    accelerator.register_for_checkpointing(progress)

    optimizer = make_optimizer(model, config, None if groups is None else list(map(dict, groups)))
    order = getattr(train_loader.batch_sampler, "sampler", None)  # also where the loader got batches of places
    net, optimizer, train_loader, val_loader = accelerator.prepare(model, optimizer, train_loader, val_loader)
    total = config.epochs * math.ceil(len(train_loader) / accelerator.gradient_accumulation_steps)
    warmup = round(config.warmup_fraction * total)
    # prepared, a schedule moves on by the number of processes; so its own unit is a part of a step
    part = 1 if accelerator.split_batches else accelerator.num_processes
    schedule = accelerator.prepare(LambdaLR(optimizer.optimizer, lambda place: lr_factor(place / part, warmup, total)))
    if config.resume_from is not None:
        accelerator.load_state(str(config.resume_from))

    own, history = accelerator.unwrap_model(net), progress.history
    for epoch in range(len(history.seconds) + 1, config.epochs + 1):
        start = time.perf_counter()
        set_seed(config.seed + epoch)
        if getattr(order, "generator", None) is not None:
            order.generator.manual_seed(config.seed + epoch)
        train_loss, train_accuracy, lr = train_epoch(net, train_loader, optimizer, schedule, accelerator, config)
        val_loss, val_accuracy = validate(net, val_loader, accelerator)
        if val_accuracy > max(history.val_accuracy, default=-1.0):
            progress.best = {name: value.detach().cpu().clone() for name, value in own.state_dict().items()}
        seconds = time.perf_counter() - start
        history.add(train_loss=train_loss, train_accuracy=train_accuracy, lr=lr)
        history.add(val_loss=val_loss, val_accuracy=val_accuracy, seconds=seconds)
        if config.checkpoint_dir is not None:
            save_checkpoint(Path(config.checkpoint_dir) / f"epoch_{epoch}", accelerator)
    if progress.best:
        own.load_state_dict(progress.best)
    return history


def save_checkpoint(path: Path, accelerator: Accelerator) -> None:
    aside = path.parent / f".{path.name}"
    with accelerator.main_process_first():
        if accelerator.is_main_process:
            shutil.rmtree(aside, ignore_errors=True)
            aside.mkdir(parents=True)
    accelerator.save_state(str(aside))  # on every process: each keeps its random state
    accelerator.wait_for_everyone()
    if accelerator.is_main_process:
        shutil.rmtree(path, ignore_errors=True)
        aside.rename(path)
    accelerator.wait_for_everyone()


def save_model(model: nn.Module, accelerator: Accelerator, path: str | Path) -> None:
    own = accelerator.unwrap_model(model, keep_torch_compile=False)
    state = {name: value.detach().cpu().contiguous().clone() for name, value in accelerator.get_state_dict(own).items()}
    with accelerator.main_process_first():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    accelerator.save(state, path, safe_serialization=True)  # on the main process alone
    accelerator.wait_for_everyone()
