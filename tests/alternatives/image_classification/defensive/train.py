"""Training that looks twice."""

import logging
import math
import os
import tempfile
import time
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

import torch
import torch.nn.functional as F
from accelerate import Accelerator
from accelerate.utils import set_seed
from safetensors.torch import save_file
from torch import nn
from torch.optim.lr_scheduler import LambdaLR, LRScheduler
from torch.utils.data import DataLoader
from tqdm import tqdm

logger = logging.getLogger(__name__)

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


def check(config: TrainConfig) -> None:
    if config.epochs < 0 or config.lr < 0:
        raise ValueError(f"epochs and lr must not be negative: {config.epochs}, {config.lr}")
    if not 0 <= config.warmup_fraction <= 1 or not 0 <= config.label_smoothing <= 1:
        raise ValueError(
            f"warmup_fraction and label_smoothing must be between 0 and 1: {config.warmup_fraction}, {config.label_smoothing}"
        )
    if config.max_grad_norm is not None and config.max_grad_norm <= 0:
        raise ValueError(f"max_grad_norm must be positive or None, not {config.max_grad_norm}")
    if config.resume_from is not None and not Path(config.resume_from).exists():
        raise FileNotFoundError(f"checkpoint {config.resume_from} does not exist")


def train_epoch(
    model: nn.Module,
    loader: DataLoader,
    optimizer: torch.optim.Optimizer,
    schedule: LRScheduler,
    accelerator: Accelerator,
    config: TrainConfig,
) -> tuple[float, float, float]:
    model.train()
    total_loss, total_hits, total, lr = 0.0, 0, 0, math.nan
    for images, labels in tqdm(loader, desc="training", leave=False, disable=not accelerator.is_main_process):
        with accelerator.accumulate(model):
            logits = model(images)
            loss = F.cross_entropy(logits, labels, label_smoothing=config.label_smoothing)
            accelerator.backward(loss)
            if accelerator.sync_gradients:
                if config.max_grad_norm is not None:
                    norm = accelerator.clip_grad_norm_(model.parameters(), config.max_grad_norm)
                    logger.debug("norm of the gradients: %s", norm)
                (lr, *_) = schedule.get_last_lr()
            optimizer.step()
            if accelerator.sync_gradients:
                if optimizer.step_was_skipped:
                    logger.warning("gradients overflowed, the step was left out")
                else:
                    schedule.step()
            optimizer.zero_grad()
        # the classes and logits of all processes, and of them the loss as it was minimised
        logits, labels = accelerator.gather_for_metrics((logits.detach(), labels))
        smoothed = F.cross_entropy(logits, labels, label_smoothing=config.label_smoothing, reduction="sum")
        total_loss += smoothed.item()
        total_hits += int((logits.argmax(dim=1) == labels).sum())
        total += labels.numel()
    if not total:
        raise ValueError("the training loader is empty")
    if not math.isfinite(total_loss):
        logger.warning("the training loss is %s", total_loss)
    return total_loss / total, total_hits / total, float(lr)


@torch.inference_mode()
def validate(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> tuple[float, float]:
    model.eval()
    losses, hits = [], []
    for images, labels in tqdm(loader, desc="validation", leave=False, disable=not accelerator.is_main_process):
        logits = model(images)
        losses.append(accelerator.gather_for_metrics(F.cross_entropy(logits, labels, reduction="none")))
        hits.append(accelerator.gather_for_metrics(logits.argmax(dim=1) == labels))
    if not losses:
        raise ValueError("the validation loader is empty")
    return torch.cat(losses).mean(dtype=torch.float64).item(), torch.cat(hits).mean(dtype=torch.float64).item()


def train(
    model: nn.Module,
    train_loader: DataLoader,
    val_loader: DataLoader,
    accelerator: Accelerator,
    config: TrainConfig,
    groups: list[dict] | None = None,
) -> History:
    check(config)
    if groups is not None:
        groups = [{key: value for key, value in group.items()} for group in groups]
    optimizer = make_optimizer(model, config, groups)
    orders = {id(g): g for g in (train_loader.generator, getattr(train_loader.sampler, "generator", None)) if g is not None}
    sampler = train_loader.sampler

    wrapped, optimizer = accelerator.prepare(model, optimizer)
    train_loader, val_loader = accelerator.prepare(train_loader, val_loader)
    bare = accelerator.unwrap_model(wrapped)
    per_epoch = math.ceil(len(train_loader) / accelerator.gradient_accumulation_steps)
    total_steps = per_epoch * config.epochs
    warmup_steps = round(total_steps * config.warmup_fraction)
    schedule = LambdaLR(
        getattr(optimizer, "optimizer", optimizer), lr_lambda=lambda step: lr_factor(step, warmup_steps, total_steps)
    )
    parts = {"model": bare, "optimizer": optimizer, "schedule": schedule}
    if accelerator.scaler is not None:
        parts["scaler"] = accelerator.scaler

    history, best = History(), {}
    if config.resume_from is not None:
        history, best = resume(parts, config)
        logger.info("resumed %s behind epoch %d", config.resume_from, len(history.seconds))
    best_accuracy = max(history.val_accuracy, default=-math.inf)

    for epoch in range(len(history.seconds) + 1, config.epochs + 1):
        started = time.perf_counter()
        seed = (config.seed + 7919 * epoch) % 2**32
        set_seed(seed)
        late = getattr(sampler, "generator", None)  # on several processes `prepare` adds one
        for generator in [*orders.values(), *([late] if late is not None else [])]:
            generator.manual_seed(seed)
        loss, accuracy, lr = train_epoch(wrapped, train_loader, optimizer, schedule, accelerator, config)
        val_loss, val_accuracy = validate(wrapped, val_loader, accelerator)
        if not best or val_accuracy > best_accuracy:
            best_accuracy = val_accuracy
            best = {name: value.detach().clone() for name, value in bare.state_dict().items()}
        history.add(
            **{"train_loss": loss, "train_accuracy": accuracy, "val_loss": val_loss, "val_accuracy": val_accuracy, "lr": lr},
            seconds=time.perf_counter() - started,
        )
        if accelerator.is_main_process:
            logger.info("epoch %d: loss %.4f, validation accuracy %.3f", epoch, loss, val_accuracy)
        if config.checkpoint_dir is not None:
            save_checkpoint(Path(config.checkpoint_dir) / f"epoch_{epoch}", parts, history, best, accelerator)
    if best:
        bare.load_state_dict(best)
    return history


def save_checkpoint(path: Path, parts: dict, history: History, best: dict, accelerator: Accelerator) -> None:
    if accelerator.is_main_process:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, aside = tempfile.mkstemp(prefix=".checkpoint-", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                torch.save(
                    {
                        "version": 1,
                        "parts": {name: part.state_dict() for name, part in parts.items()},
                        "history": asdict(history),
                        "best": best,
                    },
                    file,
                )
            os.replace(aside, path)
        except BaseException:
            Path(aside).unlink(missing_ok=True)
            raise
    accelerator.wait_for_everyone()


def resume(parts: dict, config: TrainConfig) -> tuple[History, dict]:
    content = torch.load(config.resume_from, map_location="cpu", weights_only=True)
    if content.get("version") != 1 or parts.keys() - content["parts"].keys():
        raise ValueError(f"{config.resume_from} is no checkpoint for this training")
    for name, part in parts.items():
        part.load_state_dict(content["parts"][name])
    history = History(**{item.name: list(content["history"][item.name]) for item in fields(History)})
    if len(history.seconds) > config.epochs:
        raise ValueError(f"{config.resume_from} has {len(history.seconds)} epochs, more than {config.epochs}")
    return history, content["best"]


def save_model(model: nn.Module, accelerator: Accelerator, path: str | Path) -> None:
    path = Path(path)
    bare = accelerator.unwrap_model(model, keep_torch_compile=False)
    if accelerator.is_main_process:
        path.parent.mkdir(parents=True, exist_ok=True)
        tensors = {name: value.detach().to("cpu", copy=True).contiguous() for name, value in bare.state_dict().items()}
        aside = path.with_name(f".{path.name}.{os.getpid()}")
        save_file(tensors, aside)
        os.replace(aside, path)
        logger.info("wrote %d tensors to %s", len(tensors), path)
    accelerator.wait_for_everyone()
