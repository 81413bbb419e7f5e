"""Training; the schedule hangs on the optimizer's own steps."""

import math
import time
from collections import deque
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
import torch.nn.functional as F
from accelerate import Accelerator
from accelerate.utils import set_seed
from safetensors.torch import save_file
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


def count(accelerator: Accelerator, losses: torch.Tensor, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Sums of losses, hits and samples: float64 (3,)."""
    each = torch.stack([losses, logits.argmax(1).eq(labels).to(losses.dtype), torch.ones_like(losses)]).T.detach()
    return accelerator.gather_for_metrics(each).double().sum(dim=0).cpu()


def train_epoch(
    model: nn.Module,
    loader: DataLoader,
    optimizer: torch.optim.Optimizer,
    rates: deque,
    accelerator: Accelerator,
    config: TrainConfig,
) -> tuple[float, float, float]:
    total = torch.zeros(3, dtype=torch.float64)
    model.train()
    for images, labels in loader:
        with accelerator.accumulate(model):
            logits = model(images)
            losses = F.cross_entropy(logits, labels, label_smoothing=config.label_smoothing, reduction="none")
            accelerator.backward(losses.mean())
            if config.max_grad_norm is not None and accelerator.sync_gradients:
                accelerator.clip_grad_norm_(model.parameters(), config.max_grad_norm)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        total += count(accelerator, losses, logits, labels)
    loss, accuracy = (total[:2] / total[2]).tolist()
    return loss, accuracy, float(rates[-1])


@torch.no_grad()
def validate(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> tuple[float, float]:
    total = torch.zeros(3, dtype=torch.float64)
    model.eval()
    for images, labels in loader:
        logits = model(images)
        total += count(accelerator, F.cross_entropy(logits, labels, reduction="none"), logits, labels)
    return tuple((total[:2] / total[2]).tolist())


def train(
    model: nn.Module,
    train_loader: DataLoader,
    val_loader: DataLoader,
    accelerator: Accelerator,
    config: TrainConfig,
    groups: list[dict] | None = None,
) -> History:
    inner = make_optimizer(model, config, [dict(group) for group in groups] if groups is not None else None)
    sampler = train_loader.sampler
    if getattr(sampler, "generator", torch.Generator) is None:
        sampler.generator = torch.Generator()  # so that its order can be seeded, too
    net, optimizer, train_loader, val_loader = accelerator.prepare(model, inner, train_loader, val_loader)
    bare = accelerator.unwrap_model(net)

    steps = config.epochs * math.ceil(len(train_loader) / accelerator.gradient_accumulation_steps)
    warmup = round(config.warmup_fraction * steps)
    schedule = LambdaLR(inner, lambda step: lr_factor(step, warmup, steps))
    rates = deque([0.0], maxlen=1)
    # called for steps that really happen: not while accumulating, not after an overflow in fp16
    inner.register_step_pre_hook(lambda *_: rates.append(inner.param_groups[0]["lr"]))
    inner.register_step_post_hook(lambda *_: schedule.step())

    parts = {"model": bare, "optimizer": inner, "schedule": schedule}
    if accelerator.scaler is not None:
        parts["scaler"] = accelerator.scaler
    history, best = resume(parts, config) if config.resume_from else (History(), {})
    for epoch in range(len(history.seconds), config.epochs):
        start = time.perf_counter()
        seed = config.seed + epoch
        set_seed(seed, device_specific=True)  # each process its own dropout
        if isinstance(getattr(sampler, "generator", None), torch.Generator):
            sampler.generator.manual_seed(seed)
        train_loader.set_epoch(epoch)
        loss, accuracy, lr = train_epoch(net, train_loader, optimizer, rates, accelerator, config)
        val_loss, val_accuracy = validate(net, val_loader, accelerator)
        if all(val_accuracy > earlier for earlier in history.val_accuracy):
            best = {key: value.clone() for key, value in bare.state_dict().items()}
        taken = time.perf_counter() - start
        for values, value in zip(vars(history).values(), (loss, accuracy, val_loss, val_accuracy, lr, taken), strict=True):
            values.append(value)
        if config.checkpoint_dir:
            save_checkpoint(Path(config.checkpoint_dir, f"epoch_{epoch + 1}"), parts, history, best, accelerator)
    bare.load_state_dict(best, strict=bool(best))
    return history


def save_checkpoint(path: Path, parts: dict, history: History, best: dict, accelerator: Accelerator) -> None:
    content = {"history": asdict(history), "best": best}
    content.update((name, part.state_dict()) for name, part in parts.items())
    if accelerator.is_main_process:
        path.parent.mkdir(parents=True, exist_ok=True)
        accelerator.save(content, path.with_suffix(".tmp"))
        path.with_suffix(".tmp").rename(path)
    accelerator.wait_for_everyone()


def resume(parts: dict, config: TrainConfig) -> tuple[History, dict]:
    content = torch.load(config.resume_from, weights_only=True, map_location="cpu")
    history, best = History(**content.pop("history")), content.pop("best")
    for name, state in content.items():
        parts[name].load_state_dict(state)
    return history, best


def save_model(model: nn.Module, accelerator: Accelerator, path: str | Path) -> None:
    bare = accelerator.unwrap_model(model, keep_torch_compile=False)
    if accelerator.is_main_process:
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        state = {key: torch.empty_like(value, memory_format=torch.contiguous_format).copy_(value) for key, value in bare.state_dict().items()}
        save_file(state, path, metadata={"format": "pt"})
    accelerator.wait_for_everyone()
