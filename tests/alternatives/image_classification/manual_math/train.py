"""Task 3: training, with its formulas written out."""

import contextlib
import io
import math
import time
from dataclasses import dataclass, field
from pathlib import Path

import torch
from accelerate.utils import set_seed
from safetensors.torch import save_file
from torch import nn

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


def cross_entropies(logits, labels, smoothing=0.0):
    """-sum_c t_c log p_c for each image, where t is 1 - e + e/C for its class and e/C for the others."""
    top = logits.max(dim=1, keepdim=True).values.detach()
    logp = logits - top - (logits - top).exp().sum(dim=1, keepdim=True).log()
    own = logp[torch.arange(len(labels), device=labels.device), labels]
    return -(1 - smoothing) * own - smoothing * logp.mean(dim=1)


class Sums:
    """Sum of losses, of hits, and how many; samples that fill up the last batch are left out by counting."""

    def __init__(self, accelerator, samples):
        self.accelerator, self.samples = accelerator, samples
        self.loss, self.hits, self.n = 0.0, 0, 0

    def add(self, losses, logits, labels):
        hits = (logits.argmax(dim=1) == labels).to(losses.dtype)
        losses, hits = self.accelerator.gather((losses.detach(), hits))
        left = self.samples - self.n
        self.loss += losses[:left].double().sum().item()
        self.hits += int(hits[:left].sum().item())
        self.n += min(left, len(losses))

    def means(self):
        return self.loss / self.n, self.hits / self.n


class Schedule:
    """The rate of each group is its own times lr_factor(steps made so far)."""

    def __init__(self, optimizer, warmup_steps, total_steps):
        self.optimizer, self.warmup_steps, self.total_steps = optimizer, warmup_steps, total_steps
        self.step_number = 0
        self.own_rates = [group["lr"] for group in optimizer.param_groups]

    def set_rates(self):
        factor = lr_factor(self.step_number, self.warmup_steps, self.total_steps)
        for group, rate in zip(self.optimizer.param_groups, self.own_rates):
            group["lr"] = rate * factor
        return self.own_rates[0] * factor

    def step(self):
        self.step_number += 1

    def state_dict(self):
        return {"step_number": self.step_number}

    def load_state_dict(self, state):
        self.step_number = state["step_number"]


def train_epoch(model, loader, optimizer, schedule, accelerator, config, samples):
    model.train()
    sums = Sums(accelerator, samples)
    k = accelerator.gradient_accumulation_steps
    lr = 0.0
    for number, (x, y) in enumerate(loader, start=1):
        full = number % k == 0 or number == len(loader)
        # Gradients need to meet the other processes' only when the window is complete.
        with contextlib.nullcontext() if full else accelerator.no_sync(model):
            logits = model(x)
            losses = cross_entropies(logits, y, config.label_smoothing)
            accelerator.backward(losses.sum() / len(y))  # divides by k
        if full:
            lr = schedule.set_rates()
            if config.max_grad_norm is not None:
                accelerator.clip_grad_norm_(model.parameters(), config.max_grad_norm)
            optimizer.step()
            if not accelerator.optimizer_step_was_skipped:
                schedule.step()
            optimizer.zero_grad()
        sums.add(losses, logits, y)
    return *sums.means(), lr


@torch.no_grad()
def validate(model, loader, accelerator, samples):
    model.eval()
    sums = Sums(accelerator, samples)
    for x, y in loader:
        logits = model(x)
        sums.add(cross_entropies(logits, y), logits, y)
    return sums.means()


def train(model, train_loader, val_loader, accelerator, config, groups=None):
    if groups is not None:
        groups = [dict(group) for group in groups]
    optimizer = make_optimizer(model, config, groups)
    net, optimizer, batches, val_batches = accelerator.prepare(model, optimizer, train_loader, val_loader)
    windows = (len(batches) + accelerator.gradient_accumulation_steps - 1) // accelerator.gradient_accumulation_steps
    total = windows * config.epochs
    schedule = Schedule(optimizer, math.floor(config.warmup_fraction * total + 0.5), total)
    parts = {"model": model, "optimizer": optimizer, "schedule": schedule}
    if accelerator.scaler is not None:
        parts["scaler"] = accelerator.scaler
    history, best = (History(), {}) if config.resume_from is None else resume(parts, config)
    best_accuracy = -1.0
    for value in history.val_accuracy:
        best_accuracy = max(best_accuracy, value)
    n_train, n_val = len(train_loader.sampler), len(val_loader.sampler)
    while len(history.lr) < config.epochs:
        begin = time.perf_counter()
        epoch = len(history.lr) + 1
        chance = (31 * config.seed + epoch) % 2**31
        set_seed(chance)
        for owner in (train_loader, train_loader.sampler):
            if getattr(owner, "generator", None) is not None:
                owner.generator.manual_seed(chance)
        train_loss, train_accuracy, lr = train_epoch(net, batches, optimizer, schedule, accelerator, config, n_train)
        val_loss, val_accuracy = validate(net, val_batches, accelerator, n_val)
        if val_accuracy > best_accuracy:
            best_accuracy = val_accuracy
            best = {name: value.clone() for name, value in model.state_dict().items()}
        history.train_loss.append(train_loss)
        history.train_accuracy.append(train_accuracy)
        history.val_loss.append(val_loss)
        history.val_accuracy.append(val_accuracy)
        history.lr.append(float(lr))
        history.seconds.append(time.perf_counter() - begin)
        if config.checkpoint_dir is not None:
            save_checkpoint(Path(config.checkpoint_dir, f"epoch_{epoch}"), parts, history, best, accelerator)
    if best:
        model.load_state_dict(best)
    return history


def save_checkpoint(path, parts, history, best, accelerator):
    if accelerator.is_main_process:
        content = {"parts": {}, "history": {}, "best": best}
        for name, part in parts.items():
            content["parts"][name] = part.state_dict()
        for name in History.__dataclass_fields__:
            content["history"][name] = getattr(history, name)
        buffer = io.BytesIO()
        torch.save(content, buffer)
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.parent / f"half_{path.name}"
        aside.write_bytes(buffer.getvalue())
        aside.replace(path)
    accelerator.wait_for_everyone()


def resume(parts, config):
    content = torch.load(io.BytesIO(Path(config.resume_from).read_bytes()), map_location="cpu", weights_only=True)
    for name, part in parts.items():
        part.load_state_dict(content["parts"][name])
    history = History()
    for name, values in content["history"].items():
        getattr(history, name).extend(values)
    return history, content["best"]


def save_model(model, accelerator, path):
    if accelerator.is_main_process:
        model = accelerator.unwrap_model(model, keep_torch_compile=False)
        if "_orig_mod" in dict(model.named_children()):
            model = model._orig_mod
        state = {}
        for name, value in model.state_dict().items():
            state[name] = torch.empty(value.shape, dtype=value.dtype).copy_(value)
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        save_file(state, path)
    accelerator.wait_for_everyone()
