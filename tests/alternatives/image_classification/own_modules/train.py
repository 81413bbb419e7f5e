"""Task 3: training."""

import math
import os
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from safetensors.torch import save
from torch import nn
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


class WarmupCosine:
    """The rates of an optimizer; hangs on its steps, so that a step which does not happen moves nothing."""

    def __init__(self, optimizer: torch.optim.Optimizer, warmup_steps: int, total_steps: int) -> None:
        self.optimizer, self.plan = optimizer, (warmup_steps, total_steps)
        self.bases = [group["lr"] for group in optimizer.param_groups]
        self.steps, self.used = 0, 0.0
        self.apply()
        optimizer.register_step_post_hook(self.after_step)

    def apply(self) -> None:
        for group, base in zip(self.optimizer.param_groups, self.bases, strict=True):
            group["lr"] = base * lr_factor(self.steps, *self.plan)

    def after_step(self, optimizer: torch.optim.Optimizer, args: tuple, kwargs: dict) -> None:
        self.used = optimizer.param_groups[0]["lr"]
        self.steps += 1
        self.apply()

    def state_dict(self) -> dict:
        return {"steps": self.steps, "used": self.used}

    def load_state_dict(self, state: dict) -> None:
        self.steps, self.used = state["steps"], state["used"]
        self.apply()


class Best:
    """The weights of the best epoch so far, among equals of the first."""

    def __init__(self, model: nn.Module) -> None:
        self.model, self.accuracy, self.weights = model, -1.0, {}

    def consider(self, accuracy: float) -> None:
        if accuracy > self.accuracy:
            self.accuracy = accuracy
            self.weights = {name: value.detach().clone() for name, value in self.model.state_dict().items()}

    def restore(self) -> None:
        if self.weights:
            self.model.load_state_dict(self.weights)

    def state_dict(self) -> dict:
        return {"accuracy": self.accuracy, "weights": self.weights}

    def load_state_dict(self, state: dict) -> None:
        self.accuracy, self.weights = state["accuracy"], state["weights"]


class SampleMeans:
    """Means over the samples of all processes."""

    def __init__(self, accelerator: Accelerator) -> None:
        self.accelerator, self.losses, self.hits = accelerator, [], []

    def see(self, logits: torch.Tensor, labels: torch.Tensor, losses: torch.Tensor) -> None:
        right = logits.detach().max(dim=1).indices == labels
        both = torch.stack((losses.detach(), right.to(losses.dtype)))  # (2, batch)
        losses, hits = self.accelerator.gather_for_metrics(both.T.contiguous()).T
        self.losses.append(losses.cpu())
        self.hits.append(hits.cpu())

    def of(self, parts: list[torch.Tensor]) -> float:
        return torch.cat(parts).mean(dtype=torch.float64).item()

    def both(self) -> tuple[float, float]:
        return self.of(self.losses), self.of(self.hits)


def train_epoch(model, loader, optimizer, accelerator, config) -> tuple[float, float]:
    model.train()
    means = SampleMeans(accelerator)
    criterion = nn.CrossEntropyLoss(reduction="none", label_smoothing=config.label_smoothing)
    for images, labels in loader:
        with accelerator.accumulate(model):
            logits = model(images)
            losses = criterion(logits, labels)
            accelerator.backward(losses.sum() / len(labels))
            if accelerator.sync_gradients and config.max_grad_norm is not None:
                accelerator.clip_grad_norm_(model.parameters(), max_norm=config.max_grad_norm)
            optimizer.step()
            optimizer.zero_grad()
        means.see(logits, labels, losses)
    return means.both()


def validate(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> tuple[float, float]:
    model.eval()
    means, criterion = SampleMeans(accelerator), nn.CrossEntropyLoss(reduction="none")
    with torch.no_grad():
        for images, labels in loader:
            logits = model(images)
            means.see(logits, labels, criterion(logits, labels))
    return means.both()


def begin_epoch(epoch: int, given: DataLoader, prepared: DataLoader, seed: int) -> None:
    """All that is random in an epoch starts from the seed and the epoch's number."""
    own = (seed * 65_537 + epoch) % 2**32
    set_seed(own)
    prepared.set_epoch(epoch)
    generators = {given.generator, getattr(given.sampler, "generator", None)}
    for generator in generators:
        if generator is not None:
            generator.manual_seed(own)


def train(
    model: nn.Module,
    train_loader: DataLoader,
    val_loader: DataLoader,
    accelerator: Accelerator,
    config: TrainConfig,
    groups: list[dict] | None = None,
) -> History:
    raw = make_optimizer(model, config, groups)
    prepared, optimizer, batches, val_batches = accelerator.prepare(model, raw, train_loader, val_loader)
    total = config.epochs * math.ceil(len(batches) / accelerator.gradient_accumulation_steps)
    schedule = WarmupCosine(raw, round(config.warmup_fraction * total), total)
    history, best = History(), Best(model)
    parts = {"model": model, "optimizer": optimizer, "schedule": schedule, "best": best}
    if accelerator.scaler is not None:
        parts["scaler"] = accelerator.scaler
    if config.resume_from is not None:
        history = resume(parts, config)
    for epoch in range(len(history.lr), config.epochs):
        start = time.perf_counter()
        begin_epoch(epoch, train_loader, batches, config.seed)
        loss, accuracy = train_epoch(prepared, batches, optimizer, accelerator, config)
        val_loss, val_accuracy = validate(prepared, val_batches, accelerator)
        best.consider(val_accuracy)
        passed = time.perf_counter() - start
        entries = (loss, accuracy, val_loss, val_accuracy, float(schedule.used), passed)
        history.add(**dict(zip(("train_loss", "train_accuracy", "val_loss", "val_accuracy", "lr", "seconds"), entries)))
        if config.checkpoint_dir is not None:
            save_checkpoint(Path(config.checkpoint_dir), epoch + 1, parts, history, accelerator)
    best.restore()
    return history


def save_checkpoint(folder: Path, number: int, parts: dict, history: History, accelerator: Accelerator) -> None:
    if accelerator.is_main_process:
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = folder / "unfinished.pt"
        torch.save([asdict(history), {name: part.state_dict() for name, part in parts.items()}], unfinished)
        os.replace(unfinished, folder / f"epoch_{number}")
    accelerator.wait_for_everyone()


def resume(parts: dict, config: TrainConfig) -> History:
    met, states = torch.load(Path(config.resume_from), map_location="cpu", weights_only=True)
    for name, state in states.items():
        parts[name].load_state_dict(state)
    return History(**met)


def without_wrappers(model: nn.Module) -> nn.Module:
    """The model itself: out of DistributedDataParallel, and out of torch.compile."""
    if isinstance(model, nn.parallel.DistributedDataParallel | nn.DataParallel):
        return without_wrappers(model.module)
    inner = model._modules.get("_orig_mod")
    return model if inner is None else without_wrappers(inner)


def save_model(model: nn.Module, accelerator: Accelerator, path: str | Path) -> None:
    if accelerator.is_main_process:
        state = without_wrappers(model).state_dict()
        content = save({name: value.detach().cpu().clone(memory_format=torch.contiguous_format) for name, value in state.items()})
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_bytes(content)
    accelerator.wait_for_everyone()
