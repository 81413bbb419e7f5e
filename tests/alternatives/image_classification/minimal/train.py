"""Task 3: training."""

import math
import os
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
import torch.nn.functional as F
from accelerate.utils import set_seed
from safetensors.torch import save_file
from torch.optim.lr_scheduler import LambdaLR


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

    def add(self, **values):
        for name, value in values.items():
            getattr(self, name).append(value)


def make_optimizer(model, config, groups):
    params = groups if groups is not None else [p for p in model.parameters() if p.requires_grad]
    if config.optimizer == "sgd":
        return torch.optim.SGD(params, config.lr, momentum=config.momentum, weight_decay=config.weight_decay)
    if config.optimizer == "adamw":
        return torch.optim.AdamW(params, config.lr, weight_decay=config.weight_decay)
    raise ValueError(f"expected an optimizer out of sgd, adamw; found {config.optimizer!r}.")


def lr_factor(step, warmup_steps, total_steps):
    if step < warmup_steps:
        return step / warmup_steps
    done = (step - warmup_steps) / max(1, total_steps - warmup_steps)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, done)))


def train_epoch(model, loader, optimizer, schedule, accelerator, config):
    model.train()
    losses, hits, lr = [], [], 0.0
    for x, y in loader:
        with accelerator.accumulate(model):
            logits = model(x)
            loss = F.cross_entropy(logits, y, reduction="none", label_smoothing=config.label_smoothing)
            accelerator.backward(loss.mean())
            if accelerator.sync_gradients:
                lr = optimizer.param_groups[0]["lr"]
                if config.max_grad_norm is not None:
                    accelerator.clip_grad_norm_(model.parameters(), config.max_grad_norm)
            optimizer.step()
            if accelerator.sync_gradients and not accelerator.optimizer_step_was_skipped:
                schedule.step()
            optimizer.zero_grad()
        loss, hit = accelerator.gather_for_metrics((loss.detach(), (logits.argmax(1) == y).float()))
        losses.append(loss)
        hits.append(hit)
    return torch.cat(losses).mean().item(), torch.cat(hits).mean().item(), lr


@torch.no_grad()
def validate(model, loader, accelerator):
    model.eval()
    losses, hits = [], []
    for x, y in loader:
        z = model(x)
        loss, hit = accelerator.gather_for_metrics((F.cross_entropy(z, y, reduction="none"), (z.argmax(1) == y).float()))
        losses.append(loss)
        hits.append(hit)
    return torch.cat(losses).mean().item(), torch.cat(hits).mean().item()


def train(model, train_loader, val_loader, accelerator, config, groups=None):
    optimizer = make_optimizer(model, config, groups)
    net, optimizer, batches, val_batches = accelerator.prepare(model, optimizer, train_loader, val_loader)
    steps = config.epochs * math.ceil(len(batches) / accelerator.gradient_accumulation_steps)
    warmup = round(config.warmup_fraction * steps)
    schedule = LambdaLR(optimizer, lambda step: lr_factor(step, warmup, steps))
    parts = {"model": accelerator.unwrap_model(net), "optimizer": optimizer, "schedule": schedule}
    if accelerator.scaler is not None:
        parts["scaler"] = accelerator.scaler
    history, best = resume(parts, config) if config.resume_from else (History(), {})
    for epoch in range(len(history.lr) + 1, config.epochs + 1):
        set_seed(config.seed + epoch)
        # With several processes `prepare` gives the sampler a generator where it had none.
        for generator in (train_loader.generator, getattr(train_loader.sampler, "generator", None)):
            if generator is not None:
                generator.manual_seed(config.seed + epoch)
        start = time.perf_counter()
        loss, acc, lr = train_epoch(net, batches, optimizer, schedule, accelerator, config)
        val_loss, val_acc = validate(net, val_batches, accelerator)
        if val_acc > max(history.val_accuracy, default=-1):
            best = {name: value.clone() for name, value in parts["model"].state_dict().items()}
        history.add(train_loss=loss, train_accuracy=acc, val_loss=val_loss, val_accuracy=val_acc, lr=lr)
        history.add(seconds=time.perf_counter() - start)
        if config.checkpoint_dir:
            save_checkpoint(Path(config.checkpoint_dir) / f"epoch_{epoch}", parts, history, best, accelerator)
    if best:
        parts["model"].load_state_dict(best)
    return history


def save_checkpoint(path, parts, history, best, accelerator):
    if accelerator.is_main_process:
        path.parent.mkdir(parents=True, exist_ok=True)
        states = {name: part.state_dict() for name, part in parts.items()}
        aside = path.with_name(f"unfinished_{path.name}")
        torch.save({"parts": states, "history": asdict(history), "best": best}, aside)
        os.replace(aside, path)
    accelerator.wait_for_everyone()


def resume(parts, config):
    saved = torch.load(config.resume_from, map_location="cpu", weights_only=True)
    for name, part in parts.items():
        part.load_state_dict(saved["parts"][name])
    return History(**saved["history"]), saved["best"]


def save_model(model, accelerator, path):
    if accelerator.is_main_process:
        model = accelerator.unwrap_model(model, keep_torch_compile=False)
        model = getattr(model, "_orig_mod", model)
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        save_file({k: v.clone().contiguous() for k, v in model.state_dict().items()}, path)
    accelerator.wait_for_everyone()
