"""A trainer with its parts."""

import math
import os
import time
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path

import torch
import torch.nn.functional as F
from accelerate import Accelerator
from accelerate.utils import set_seed
from helpers import Best, Meter
from safetensors.torch import save_file
from torch import nn
from torch.optim.lr_scheduler import LRScheduler
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


class WarmupCosine(LRScheduler):
    def __init__(self, optimizer: torch.optim.Optimizer, warmup_steps: int, total_steps: int) -> None:
        self.warmup_steps, self.total_steps = warmup_steps, total_steps
        super().__init__(optimizer)

    def get_lr(self) -> list[float]:
        factor = lr_factor(self.last_epoch, self.warmup_steps, self.total_steps)
        return [base * factor for base in self.base_lrs]


@dataclass
class Trainer:
    model: nn.Module  # the bare one
    train_loader: DataLoader
    val_loader: DataLoader
    accelerator: Accelerator
    config: TrainConfig
    groups: list[dict] | None
    history: History = field(default_factory=History)
    best: Best = field(default_factory=Best)

    def __post_init__(self) -> None:
        groups = None if self.groups is None else [{**group} for group in self.groups]
        self.shuffler = getattr(self.train_loader, "sampler", None)
        self.net, self.optimizer, self.train_loader, self.val_loader = self.accelerator.prepare(
            self.model, make_optimizer(self.model, self.config, groups), self.train_loader, self.val_loader
        )
        total = self.config.epochs * math.ceil(len(self.train_loader) / self.accelerator.gradient_accumulation_steps)
        self.schedule = WarmupCosine(self.optimizer.optimizer, round(self.config.warmup_fraction * total), total)

    @cached_property
    def parts(self) -> dict:
        parts = {"model": self.model, "optimizer": self.optimizer, "schedule": self.schedule, "best": self.best}
        return parts | ({"scaler": self.accelerator.scaler} if self.accelerator.scaler else {})

    def count(self, meter: Meter, logits: torch.Tensor, labels: torch.Tensor, losses: torch.Tensor) -> None:
        found = {"losses": losses.detach(), "hits": logits.detach().argmax(dim=-1) == labels}
        meter.update(**self.accelerator.gather_for_metrics(found))

    def train_epoch(self) -> tuple[float, float, float]:
        meter, limit, rate = Meter(), self.config.max_grad_norm, 0.0
        self.net.train()
        for images, labels in self.train_loader:
            with self.accelerator.accumulate(self.net):
                logits = self.net(images)
                losses = F.cross_entropy(
                    logits, labels, reduction="none", label_smoothing=self.config.label_smoothing
                )
                self.accelerator.backward(losses.mean())
                if self.accelerator.sync_gradients:
                    if limit is not None:
                        self.accelerator.clip_grad_norm_(self.net.parameters(), limit)
                    rate = self.schedule.get_last_lr()[0]
                self.optimizer.step()
                if self.accelerator.sync_gradients and not self.accelerator.optimizer_step_was_skipped:
                    self.schedule.step()
                self.optimizer.zero_grad()
            self.count(meter, logits, labels, losses)
        return *meter.means, float(rate)

    def validate(self) -> tuple[float, float]:
        meter = Meter()
        self.net.eval()
        with torch.no_grad():
            for images, labels in self.val_loader:
                logits = self.net(images)
                self.count(meter, logits, labels, F.cross_entropy(logits, labels, reduction="none"))
        return meter.means

    def seed(self, epoch: int) -> None:
        set_seed(self.config.seed + 1009 * epoch)
        generator = getattr(self.shuffler, "generator", None)
        if generator is not None:
            generator.manual_seed(self.config.seed + 1009 * epoch)

    def run(self) -> History:
        if self.config.resume_from:
            self.load(Path(self.config.resume_from))
        for epoch in range(1 + len(self.history.lr), 1 + self.config.epochs):
            started = time.perf_counter()
            self.seed(epoch)
            loss, accuracy, lr = self.train_epoch()
            val_loss, val_accuracy = self.validate()
            self.best.offer(val_accuracy, self.model)
            self.history.add(train_loss=loss, train_accuracy=accuracy, lr=lr)
            self.history.add(val_loss=val_loss, val_accuracy=val_accuracy, seconds=time.perf_counter() - started)
            if self.config.checkpoint_dir:
                self.save(Path(self.config.checkpoint_dir) / f"epoch_{epoch}")
        if self.best.weights:
            self.model.load_state_dict(self.best.weights)
        return self.history

    def save(self, path: Path) -> None:
        if self.accelerator.is_main_process:
            path.parent.mkdir(parents=True, exist_ok=True)
            aside = path.with_name(f"~{path.name}")
            content = {name: part.state_dict() for name, part in self.parts.items()}
            torch.save(content | {"history": asdict(self.history)}, aside)
            os.replace(aside, path)
        self.accelerator.wait_for_everyone()

    def load(self, path: Path) -> None:
        content = torch.load(path, map_location="cpu", weights_only=True)
        self.history = History(**content.pop("history"))
        for name, state in content.items():
            self.parts[name].load_state_dict(state)


def train(
    model: nn.Module,
    train_loader: DataLoader,
    val_loader: DataLoader,
    accelerator: Accelerator,
    config: TrainConfig,
    groups: list[dict] | None = None,
) -> History:
    return Trainer(model, train_loader, val_loader, accelerator, config, groups).run()


def save_model(model: nn.Module, accelerator: Accelerator, path: str | Path) -> None:
    if accelerator.is_main_process:
        target = Path(path).absolute()
        target.parent.mkdir(parents=True, exist_ok=True)
        own = accelerator.unwrap_model(model, keep_fp32_wrapper=True, keep_torch_compile=False)
        save_file({name: value.detach().contiguous().clone() for name, value in own.state_dict().items()}, target)
    accelerator.wait_for_everyone()
