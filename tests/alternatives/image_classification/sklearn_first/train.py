"""Training; the measures are scikit-learn's."""

import json
import math
import shutil
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from safetensors.torch import save
from sklearn.metrics import accuracy_score
from torch import nn
from torch.optim.lr_scheduler import LambdaLR, LRScheduler
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


class Seen:
    """Losses, classes and answers of all samples, from all processes."""

    def __init__(self, accelerator: Accelerator) -> None:
        self.accelerator, self.parts = accelerator, []

    def add(self, *values: torch.Tensor) -> None:
        gathered = self.accelerator.gather_for_metrics([value.detach() for value in values])
        self.parts.append([value.cpu().numpy() for value in gathered])

    def measures(self) -> tuple[float, float]:
        losses, y_true, y_pred = map(np.concatenate, zip(*self.parts, strict=True))
        return float(losses.mean(dtype="float64")), float(accuracy_score(y_true, y_pred))


def train_epoch(
    model: nn.Module,
    loader: DataLoader,
    optimizer: torch.optim.Optimizer,
    schedule: LRScheduler,
    accelerator: Accelerator,
    config: TrainConfig,
) -> tuple[float, float, float]:
    per_sample = nn.CrossEntropyLoss(label_smoothing=config.label_smoothing, reduction="none")
    seen, lr = Seen(accelerator), None
    model.train()
    for images, labels in loader:
        with accelerator.accumulate(model):
            logits = model(images)
            losses = per_sample(logits, labels)
            accelerator.backward(losses.mean())
            if accelerator.sync_gradients and config.max_grad_norm is not None:
                accelerator.clip_grad_norm_(model.parameters(), max_norm=config.max_grad_norm)
            lr = optimizer.param_groups[0]["lr"]
            optimizer.step()
            schedule.step()  # prepared: it knows by itself when a step was none
            optimizer.zero_grad()
        seen.add(losses, labels, logits.argmax(dim=1))
    return *seen.measures(), float(lr)


def validate(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> tuple[float, float]:
    per_sample, seen = nn.CrossEntropyLoss(reduction="none"), Seen(accelerator)
    model.eval()
    for images, labels in loader:
        with torch.no_grad():
            logits = model(images)
        seen.add(per_sample(logits, labels), labels, logits.argmax(dim=1))
    return seen.measures()


def train(
    model: nn.Module,
    train_loader: DataLoader,
    val_loader: DataLoader,
    accelerator: Accelerator,
    config: TrainConfig,
    groups: list[dict] | None = None,
) -> History:
    # planned with the loader as it is: prepared, each process gets its part of the batches
    sampler = train_loader.sampler
    batches = math.ceil(len(train_loader) / (1 if accelerator.split_batches else accelerator.num_processes))
    total = config.epochs * math.ceil(batches / accelerator.gradient_accumulation_steps)
    warmup = round(total * config.warmup_fraction)
    optimizer = make_optimizer(model, config, groups and [group.copy() for group in groups])
    # a prepared schedule goes num_processes places at each step of the optimizer
    stride = 1 if accelerator.split_batches else accelerator.num_processes
    schedule = LambdaLR(optimizer, lambda place: lr_factor(place // stride, warmup, total))
    prepared = accelerator.prepare(model, optimizer, schedule, train_loader, val_loader)
    net, optimizer, schedule, train_loader, val_loader = prepared
    own = accelerator.unwrap_model(net)

    parts = {"optimizer": optimizer, "schedule": schedule, "model": own}
    if accelerator.scaler is not None:
        parts["scaler"] = accelerator.scaler
    history, best = (History(), {}) if config.resume_from is None else resume(parts, config)
    for epoch in range(len(history.val_accuracy), config.epochs):
        clock = time.perf_counter()
        set_seed(config.seed + epoch)
        if getattr(sampler, "generator", None) is not None:
            sampler.generator.manual_seed(config.seed + epoch)
        trained = train_epoch(net, train_loader, optimizer, schedule, accelerator, config)
        history.add(**dict(zip(("train_loss", "train_accuracy", "lr"), trained, strict=True)))
        history.add(**dict(zip(("val_loss", "val_accuracy"), validate(net, val_loader, accelerator), strict=True)))
        if int(np.argmax(history.val_accuracy)) == epoch:
            best = {name: torch.clone(value) for name, value in own.state_dict().items()}
        history.add(seconds=time.perf_counter() - clock)
        if config.checkpoint_dir is not None:
            save_checkpoint(Path(config.checkpoint_dir) / f"epoch_{epoch + 1}", parts, history, best, accelerator)
    own.load_state_dict(best or own.state_dict())
    return history


def save_checkpoint(path: Path, parts: dict, history: History, best: dict, accelerator: Accelerator) -> None:
    if accelerator.is_main_process:
        aside = path.parent / f"writing-{path.name}"
        aside.mkdir(parents=True, exist_ok=True)
        torch.save({name: part.state_dict() for name, part in parts.items()}, aside / "parts.pt")
        torch.save(best, aside / "best.pt")
        with open(aside / "history.json", "w", encoding="utf-8") as file:
            json.dump(asdict(history), file)
        if path.exists():
            shutil.rmtree(path)
        aside.replace(path)
    accelerator.wait_for_everyone()


def resume(parts: dict, config: TrainConfig) -> tuple[History, dict]:
    folder = Path(config.resume_from)
    states = torch.load(folder / "parts.pt", map_location="cpu", weights_only=True)
    for name, state in states.items():
        parts[name].load_state_dict(state)
    with open(folder / "history.json", encoding="utf-8") as file:
        return History(**json.load(file)), torch.load(folder / "best.pt", map_location="cpu", weights_only=True)


def save_model(model: nn.Module, accelerator: Accelerator, path: str | Path) -> None:
    with accelerator.main_process_first():
        if accelerator.is_main_process:
            own = accelerator.unwrap_model(model)
            own = own._orig_mod if hasattr(own, "_orig_mod") else own
            path = Path(path)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(save({k: v.detach().cpu().clone().contiguous() for k, v in own.state_dict().items()}))
    accelerator.wait_for_everyone()
