"""Accumulation by hand: no_sync and a divided loss; means by reduce."""

import contextlib
import math
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import safetensors.torch
import torch
import torch.nn.functional as F
from accelerate.utils import set_seed
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


def own_rows(loader, labels, last, accelerator):
    """How many rows of this process's batch are not there to fill up the last one."""
    rows, processes = len(labels), accelerator.num_processes
    left = len(loader.dataset) % (loader.total_batch_size or rows)
    if processes == 1 or not last or left == 0:
        return rows
    return min(rows, max(0, left - rows * accelerator.process_index))


class Mean:
    """Sums over all processes."""

    def __init__(self, accelerator):
        self.accelerator = accelerator
        self.sums = torch.zeros(3, device=accelerator.device, dtype=torch.float64)

    def add(self, losses, outputs, labels, rows):
        hits = (outputs.detach().argmax(dim=1) == labels)[:rows]
        losses = losses.detach()[:rows].double().sum()
        self.sums += torch.stack([losses, hits.sum().double(), torch.tensor(float(rows)).to(losses)])

    def result(self):
        loss, hits, n = self.accelerator.reduce(self.sums, reduction="sum").tolist()
        return loss / n, hits / n


def train(model, train_loader, val_loader, accelerator, config, groups=None):
    optimizer = make_optimizer(model, config, groups)
    shuffler = train_loader.generator
    model, optimizer, train_loader, val_loader = accelerator.prepare(model, optimizer, train_loader, val_loader)
    k = accelerator.gradient_accumulation_steps
    steps_per_epoch = math.ceil(len(train_loader) / k)
    n_steps = steps_per_epoch * config.epochs
    n_warmup = round(n_steps * config.warmup_fraction)
    # of the optimizer inside: nothing of Accelerate decides when it steps
    scheduler = LambdaLR(optimizer.optimizer, lambda s: lr_factor(s, n_warmup, n_steps))
    history, best, first = History(), None, 0
    bare = accelerator.unwrap_model(model)
    if config.resume_from:
        checkpoint = torch.load(config.resume_from, map_location=accelerator.device, weights_only=True)
        bare.load_state_dict(checkpoint["model"])
        optimizer.load_state_dict(checkpoint["optimizer"])
        scheduler.load_state_dict(checkpoint["scheduler"])
        history, best, first = History(**checkpoint["history"]), checkpoint["best"], checkpoint["epoch"]

    for epoch in range(first + 1, config.epochs + 1):
        begin = time.perf_counter()
        set_seed(config.seed + 17 * epoch, device_specific=True)
        if shuffler is not None:
            shuffler.manual_seed(config.seed + 17 * epoch)
        model.train()
        mean = Mean(accelerator)
        n_batches = len(train_loader)
        optimizer.zero_grad()
        for i, (images, labels) in enumerate(train_loader):
            last = i + 1 == n_batches
            steps_now = last or (i + 1) % k == 0
            window = min(k, n_batches - i // k * k)  # the last window may be shorter
            with contextlib.nullcontext() if steps_now else accelerator.no_sync(model):
                outputs = model(images)
                losses = F.cross_entropy(outputs, labels, label_smoothing=config.label_smoothing, reduction="none")
                loss = losses.mean() / window
                if accelerator.scaler is not None:
                    loss = accelerator.scaler.scale(loss)
                loss.backward()
            mean.add(losses, outputs, labels, own_rows(train_loader, labels, last, accelerator))
            if steps_now:
                if config.max_grad_norm is not None:
                    accelerator.clip_grad_norm_(model.parameters(), config.max_grad_norm)
                lr = optimizer.param_groups[0]["lr"]
                optimizer.step()
                if not optimizer.step_was_skipped:
                    scheduler.step()
                optimizer.zero_grad()
        train_loss, train_accuracy = mean.result()
        val_loss, val_accuracy = validate(model, val_loader, accelerator)
        if not history.val_accuracy or val_accuracy > max(history.val_accuracy):
            best = {name: tensor.clone() for name, tensor in bare.state_dict().items()}
        history.add(train_loss=train_loss, train_accuracy=train_accuracy, val_loss=val_loss, val_accuracy=val_accuracy)
        history.add(lr=lr, seconds=time.perf_counter() - begin)
        if accelerator.is_main_process:
            print(f"{epoch}/{config.epochs}: {val_accuracy:.4f}")
            if config.checkpoint_dir is not None:
                Path(config.checkpoint_dir).mkdir(parents=True, exist_ok=True)
                checkpoint = {
                    "model": bare.state_dict(),
                    "optimizer": optimizer.state_dict(),
                    "scheduler": scheduler.state_dict(),
                    "history": asdict(history),
                    "best": best,
                    "epoch": epoch,
                }
                torch.save(checkpoint, Path(config.checkpoint_dir) / f"epoch_{epoch}")
        accelerator.wait_for_everyone()
    bare.load_state_dict(best)
    return history


def validate(model, loader, accelerator):
    model.eval()
    mean = Mean(accelerator)
    for i, (images, labels) in enumerate(loader):
        with torch.no_grad():
            outputs = model(images)
        losses = F.cross_entropy(outputs, labels, reduction="none")
        mean.add(losses, outputs, labels, own_rows(loader, labels, i + 1 == len(loader), accelerator))
    return mean.result()


def save_model(model, accelerator, path):
    accelerator.wait_for_everyone()
    if accelerator.is_main_process:
        Path(path).absolute().parent.mkdir(parents=True, exist_ok=True)
        weights = accelerator.unwrap_model(model).state_dict()
        weights = {name: tensor.cpu().clone(memory_format=torch.contiguous_format) for name, tensor in weights.items()}
        safetensors.torch.save_file(weights, path)
    accelerator.wait_for_everyone()
