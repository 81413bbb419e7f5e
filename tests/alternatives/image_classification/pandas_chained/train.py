"""Training with Accelerate; measures are collected in data frames."""

import math
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pandas as pd
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


def answers(accelerator: Accelerator, logits: torch.Tensor, labels: torch.Tensor, smoothing: float = 0.0) -> pd.DataFrame:
    """One row for each sample of this batch, from all processes, the repeats left out."""
    losses = F.cross_entropy(logits.detach(), labels, reduction="none", label_smoothing=smoothing)
    hits = logits.detach().argmax(1).eq(labels)
    losses, hits = accelerator.gather_for_metrics((losses, hits))
    return pd.DataFrame({"loss": losses.double().cpu().numpy(), "accuracy": hits.cpu().numpy().astype(float)})


def means(frames: Iterator[pd.DataFrame]) -> tuple[float, float]:
    return tuple(pd.concat(frames).mean()[["loss", "accuracy"]].tolist())


def train_epoch(
    model: nn.Module,
    loader: DataLoader,
    optimizer: torch.optim.Optimizer,
    schedule: LRScheduler,
    accelerator: Accelerator,
    config: TrainConfig,
) -> tuple[float, float, float]:
    rates = []

    def steps() -> Iterator[pd.DataFrame]:
        for images, labels in loader:
            with accelerator.accumulate(model):
                logits = model(images)
                accelerator.backward(F.cross_entropy(logits, labels, label_smoothing=config.label_smoothing))
                if accelerator.sync_gradients and config.max_grad_norm is not None:
                    accelerator.clip_grad_norm_(model.parameters(), config.max_grad_norm)
                optimizer.step()
                if accelerator.sync_gradients:
                    rates.append(optimizer.param_groups[0]["lr"])
                    if not accelerator.optimizer_step_was_skipped:
                        schedule.step()
                optimizer.zero_grad()
            yield answers(accelerator, logits, labels, config.label_smoothing)

    model.train()
    loss, accuracy = means(steps())
    return loss, accuracy, float(rates[-1])


@torch.no_grad()
def validate(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> tuple[float, float]:
    model.eval()
    return means(answers(accelerator, model(images), labels) for images, labels in loader)


def train(
    model: nn.Module,
    train_loader: DataLoader,
    val_loader: DataLoader,
    accelerator: Accelerator,
    config: TrainConfig,
    groups: list[dict] | None = None,
) -> History:
    sampler = getattr(train_loader, "sampler", None)
    optimizer = make_optimizer(model, config, groups and [dict(group) for group in groups])
    net, optimizer, train_loader, val_loader = accelerator.prepare(model, optimizer, train_loader, val_loader)
    total = config.epochs * math.ceil(len(train_loader) / accelerator.gradient_accumulation_steps)
    warmup = round(config.warmup_fraction * total)
    schedule = LambdaLR(optimizer.optimizer, lambda step: lr_factor(step, warmup, total))
    parts = {"model": accelerator.unwrap_model(net), "optimizer": optimizer, "schedule": schedule}
    if accelerator.scaler is not None:
        parts["scaler"] = accelerator.scaler
    history, best = resume(parts, config) if config.resume_from else (History(), {})

    for epoch in range(len(history.lr) + 1, config.epochs + 1):
        begin = time.perf_counter()
        set_seed(config.seed + epoch)
        if getattr(sampler, "generator", None) is not None:
            sampler.generator.manual_seed(config.seed + epoch)
        loss, accuracy, lr = train_epoch(net, train_loader, optimizer, schedule, accelerator, config)
        val_loss, val_accuracy = validate(net, val_loader, accelerator)
        history.add(
            train_loss=loss, train_accuracy=accuracy, val_loss=val_loss, val_accuracy=val_accuracy, lr=lr,
            seconds=time.perf_counter() - begin,
        )
        if pd.Series(history.val_accuracy).idxmax() == epoch - 1:  # idxmax: the first of equals
            best = {name: value.detach().clone() for name, value in parts["model"].state_dict().items()}
        if config.checkpoint_dir is not None:
            save_checkpoint(Path(config.checkpoint_dir, f"epoch_{epoch}"), parts, history, best, accelerator)
    if best:
        parts["model"].load_state_dict(best)
    return history


def save_checkpoint(path: Path, parts: dict, history: History, best: dict, accelerator: Accelerator) -> None:
    if accelerator.is_main_process:
        path.parent.mkdir(parents=True, exist_ok=True)
        content = {name: part.state_dict() for name, part in parts.items()}
        beside = path.with_name(f".{path.name}.part")
        torch.save({"parts": content, "history": asdict(history), "best": best}, beside)
        os.replace(beside, path)
    accelerator.wait_for_everyone()


def resume(parts: dict, config: TrainConfig) -> tuple[History, dict]:
    content = torch.load(config.resume_from, map_location="cpu", weights_only=True)
    for name, part in parts.items():
        part.load_state_dict(content["parts"][name])
    return History(**content["history"]), content["best"]


def save_model(model: nn.Module, accelerator: Accelerator, path: str | Path) -> None:
    if accelerator.is_main_process:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        state = accelerator.unwrap_model(model, keep_torch_compile=False).state_dict()
        save_file({name: value.detach().cpu().clone().contiguous() for name, value in state.items()}, path)
    accelerator.wait_for_everyone()
