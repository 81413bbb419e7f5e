"""Task 3: training."""

import math
import os
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from accelerate.utils import set_seed
from safetensors.torch import save_file
from torch import nn
from torch.optim.lr_scheduler import LambdaLR
from tqdm import tqdm

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


def train_epoch(model, loader, optimizer, schedule, accelerator, config):
    model.train()
    losses, hits = [], []
    lr = 0.0
    quiet = not accelerator.is_main_process
    for images, labels in tqdm(loader, desc="training", disable=quiet, leave=False):
        with accelerator.accumulate(model):
            logits = model(images)
            loss = F.cross_entropy(logits, labels, label_smoothing=config.label_smoothing)
            accelerator.backward(loss)
            if accelerator.sync_gradients:
                if config.max_grad_norm is not None:
                    accelerator.clip_grad_norm_(model.parameters(), config.max_grad_norm)
                lr = optimizer.param_groups[0]["lr"]
            optimizer.step()
            if accelerator.sync_gradients and not accelerator.optimizer_step_was_skipped:
                schedule.step()
            optimizer.zero_grad()
        # the samples of all processes, without repeats; their losses follow from the logits
        logits, labels = accelerator.gather_for_metrics((logits.detach(), labels))
        each = F.cross_entropy(logits, labels, reduction="none", label_smoothing=config.label_smoothing)
        losses.extend(each.tolist())
        hits.extend((logits.argmax(dim=1) == labels).tolist())
    return float(np.mean(losses)), float(np.mean(hits)), float(lr)


def validate(model, loader, accelerator):
    model.eval()
    logits, labels = [], []
    with torch.no_grad():
        for x, y in loader:
            z, y = accelerator.gather_for_metrics((model(x), y))
            logits.append(z)
            labels.append(y)
    logits, labels = torch.cat(logits), torch.cat(labels)
    hits = (logits.argmax(dim=1) == labels).double()
    return F.cross_entropy(logits, labels).item(), hits.mean().item()


def train(model, train_loader, val_loader, accelerator, config, groups=None):
    set_seed(config.seed)
    optimizer = make_optimizer(model, config, groups)
    model, optimizer, train_loader, val_loader = accelerator.prepare(model, optimizer, train_loader, val_loader)
    steps_per_epoch = math.ceil(len(train_loader) / accelerator.gradient_accumulation_steps)
    steps = steps_per_epoch * config.epochs
    warmup = round(steps * config.warmup_fraction)
    schedule = LambdaLR(optimizer, lambda step: lr_factor(step, warmup, steps))
    own = accelerator.unwrap_model(model)
    parts = {"model": own, "optimizer": optimizer, "schedule": schedule}
    if accelerator.scaler is not None:
        parts["scaler"] = accelerator.scaler

    history, best, first = History(), {}, 1
    if config.resume_from is not None:
        history, best = resume(parts, config)
        first = len(history.train_loss) + 1
    for epoch in range(first, config.epochs + 1):
        start = time.time()
        seed_epoch(train_loader, config.seed * 100_000 + epoch)
        loss, acc, lr = train_epoch(model, train_loader, optimizer, schedule, accelerator, config)
        val_loss, val_acc = validate(model, val_loader, accelerator)
        history.train_loss.append(loss)
        history.train_accuracy.append(acc)
        history.val_loss.append(val_loss)
        history.val_accuracy.append(val_acc)
        history.lr.append(lr)
        history.seconds.append(time.time() - start)
        if int(np.argmax(history.val_accuracy)) == epoch - 1:  # argmax gives the first of equals
            best = {}
            for name, tensor in own.state_dict().items():
                best[name] = tensor.clone()
        if config.checkpoint_dir is not None:
            save_checkpoint(os.path.join(config.checkpoint_dir, f"epoch_{epoch}"), parts, history, best, accelerator)
    if len(history.val_accuracy) > 0:
        own.load_state_dict(best)
    return history


def seed_epoch(loader, seed):
    set_seed(seed % 2**32)
    samplers = [loader, loader.batch_sampler]
    for part in samplers:  # a prepared batch sampler holds another one, and that the sampler
        for inner in ("batch_sampler", "sampler"):
            if getattr(part, inner, None) is not None and getattr(part, inner) not in samplers:
                samplers.append(getattr(part, inner))
        if isinstance(getattr(part, "generator", None), torch.Generator):
            part.generator.manual_seed(seed)


def save_checkpoint(path, parts, history, best, accelerator):
    if accelerator.is_main_process:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        content = {"history": vars(history), "best": best}
        for name, part in parts.items():
            content[name] = part.state_dict()
        torch.save(content, path + ".new")
        os.replace(path + ".new", path)
    accelerator.wait_for_everyone()


def resume(parts, config):
    content = torch.load(config.resume_from, map_location="cpu", weights_only=True)
    for name, part in parts.items():
        part.load_state_dict(content[name])
    history = History()
    for name, values in content["history"].items():
        setattr(history, name, list(values))
    return history, content["best"]


def save_model(model, accelerator, path):
    model = accelerator.unwrap_model(model, keep_torch_compile=False)
    if isinstance(model, torch._dynamo.eval_frame.OptimizedModule):
        model = model._orig_mod
    if accelerator.is_main_process:
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
        state = {}
        for name, tensor in model.state_dict().items():
            state[name] = tensor.cpu().clone().contiguous()
        save_file(state, path)
    accelerator.wait_for_everyone()
