"""Training: small functions, and sums that the processes add up once an epoch."""

import copy
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
import torch.nn.functional as F
from accelerate import Accelerator
from accelerate.utils import broadcast, set_seed
from safetensors.torch import save_file
from torch import nn
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


def fresh(accelerator: Accelerator, size: int) -> torch.Tensor:
    """True for each sample of this batch that is no repeat: the last batches are filled up from the beginning."""
    state = accelerator.gradient_state
    places = torch.arange(size, device=accelerator.device) + accelerator.process_index * size
    filled = state.end_of_dataloader and state.remainder > 0
    return places < state.remainder if filled else torch.ones_like(places, dtype=torch.bool)


def sums(accelerator: Accelerator, logits: torch.Tensor, losses: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """(losses, hits, samples) of this process: (3,)."""
    weight = fresh(accelerator, len(labels)).float()
    hits = F.one_hot(logits.argmax(dim=1), logits.shape[1]).gather(1, labels[:, None]).squeeze(1).float()
    rows = torch.stack([losses.detach().float(), hits, torch.ones_like(weight)])  # (3, batch)
    return torch.einsum("sb,b->s", rows, weight)


def means(accelerator: Accelerator, parts: list[torch.Tensor]) -> tuple[float, float]:
    loss, hits, n = accelerator.reduce(torch.stack(parts).sum(dim=0), reduction="sum").tolist()
    return loss / n, hits / n


def train_epoch(
    model: nn.Module,
    loader: DataLoader,
    optimizer: torch.optim.Optimizer,
    set_rates: Callable[[int], float],
    step: int,
    accelerator: Accelerator,
    config: TrainConfig,
) -> tuple[float, float, float, int]:
    """(loss, accuracy, rate of the last step, steps made so far)."""
    model.train()
    parts = []
    for images, labels in loader:
        with accelerator.accumulate(model):
            rate = set_rates(step)
            logits = model(images)
            losses = F.cross_entropy(logits, labels, None, reduction="none", label_smoothing=config.label_smoothing)
            accelerator.backward(losses.sum() / len(labels))
            if accelerator.sync_gradients and config.max_grad_norm is not None:
                accelerator.clip_grad_norm_(model.parameters(), config.max_grad_norm)
            optimizer.step()
            optimizer.zero_grad()
            step += int(accelerator.sync_gradients and not accelerator.optimizer_step_was_skipped)
        parts.append(sums(accelerator, logits, losses, labels))
    return *means(accelerator, parts), rate, step


def validate(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> tuple[float, float]:
    """Of the bare model; BatchNorm's statistics are made those of the first process before."""
    for buffer in model.buffers():
        broadcast(buffer)
    model.eval()

    @torch.no_grad()
    def part(images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        logits = model(images)
        return sums(accelerator, logits, F.cross_entropy(logits, labels, reduction="none"), labels)

    return means(accelerator, [part(images, labels) for images, labels in loader])


def train(
    model: nn.Module,
    train_loader: DataLoader,
    val_loader: DataLoader,
    accelerator: Accelerator,
    config: TrainConfig,
    groups: list[dict] | None = None,
) -> History:
    optimizer = make_optimizer(model, config, None if groups is None else [group | {} for group in groups])
    base = [group["lr"] for group in optimizer.param_groups]
    sampler = train_loader.sampler
    net, optimizer, train_loader, val_loader = accelerator.prepare(model, optimizer, train_loader, val_loader)
    bare = accelerator.unwrap_model(net)
    total = config.epochs * math.ceil(len(train_loader) / accelerator.gradient_accumulation_steps)
    warmup = round(config.warmup_fraction * total)

    def set_rates(step: int) -> float:
        factor = lr_factor(step, warmup, total)
        for group, rate in zip(optimizer.param_groups, base, strict=True):
            group["lr"] = rate * factor
        return float(base[0] * factor)

    def reseed(epoch: int) -> None:
        set_seed((config.seed + 31 * epoch) % 2**32)
        generator = getattr(sampler, "generator", None)
        if generator is not None:
            generator.manual_seed(config.seed + 31 * epoch)

    parts = {"model": bare, "optimizer": optimizer}
    if accelerator.scaler is not None:
        parts["scaler"] = accelerator.scaler
    history, best, step = resume(parts, config) if config.resume_from else (History(), None, 0)
    for epoch in range(len(history.lr) + 1, config.epochs + 1):
        start = time.perf_counter()
        reseed(epoch)
        loss, accuracy, lr, step = train_epoch(net, train_loader, optimizer, set_rates, step, accelerator, config)
        val_loss, val_accuracy = validate(bare, val_loader, accelerator)
        better = best is None or val_accuracy > max(history.val_accuracy)
        best = copy.deepcopy(bare.state_dict()) if better else best
        history.add(train_loss=loss, train_accuracy=accuracy, val_loss=val_loss, val_accuracy=val_accuracy)
        history.add(lr=lr, seconds=time.perf_counter() - start)
        if config.checkpoint_dir:
            file = Path(config.checkpoint_dir) / f"epoch_{epoch}"
            save_checkpoint(file, parts, history, best, step, accelerator)
    if best is not None:
        bare.load_state_dict(best)
    return history


def save_checkpoint(
    path: Path, parts: dict, history: History, best: dict, step: int, accelerator: Accelerator
) -> None:
    if accelerator.is_main_process:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.parent / f"{path.name}-unfinished"
        states = {name: part.state_dict() for name, part in parts.items()}
        torch.save((states, asdict(history), best, step), aside)
        aside.replace(path)
    accelerator.wait_for_everyone()


def resume(parts: dict, config: TrainConfig) -> tuple[History, dict, int]:
    states, history, best, step = torch.load(config.resume_from, map_location="cpu", weights_only=True)
    for name, part in parts.items():
        part.load_state_dict(states[name])
    return History(**history), best, step


def save_model(model: nn.Module, accelerator: Accelerator, path: str | Path) -> None:
    bare = accelerator.unwrap_model(model)
    bare = getattr(bare, "_orig_mod", bare)
    state = {name: torch.clone(value, memory_format=torch.contiguous_format) for name, value in bare.state_dict().items()}
    if accelerator.is_main_process:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        save_file(state, path)
    accelerator.wait_for_everyone()
