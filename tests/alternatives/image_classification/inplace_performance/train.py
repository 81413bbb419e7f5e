"""Task 3: training. What an epoch needs is allocated once; numbers come to the CPU once an epoch."""

import math
import os
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
import torch.nn.functional as F
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list, set_seed
from safetensors.torch import save_file
from torch import nn
from torch.optim.lr_scheduler import LambdaLR, LRScheduler
from torch.utils.data import DataLoader

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


def own_samples(accelerator: Accelerator, batch: int) -> int:
    """How many of this process's batch are no repeats that fill up the epoch's last one."""
    state = accelerator.gradient_state
    if accelerator.num_processes == 1 or not state.end_of_dataloader or state.remainder <= 0:
        return batch
    return min(max(state.remainder - accelerator.process_index * batch, 0), batch)


class Totals:
    """Sums of losses and hits, and how many, on the device until they are asked for."""

    def __init__(self, accelerator: Accelerator) -> None:
        self.accelerator = accelerator
        self.sums = torch.zeros(3, dtype=torch.float64, device=accelerator.device)

    def add(self, losses: torch.Tensor, logits: torch.Tensor, labels: torch.Tensor) -> None:
        n = own_samples(self.accelerator, len(labels))
        self.sums[0].add_(losses.detach()[:n].sum(dtype=torch.float64))
        self.sums[1].add_((logits.detach().argmax(1) == labels)[:n].sum())
        self.sums[2].add_(n)

    def means(self) -> tuple[float, float]:
        loss, hits, n = self.accelerator.reduce(self.sums, reduction="sum").tolist()
        return loss / n, hits / n


def train_epoch(
    model: nn.Module,
    loader: DataLoader,
    optimizer: torch.optim.Optimizer,
    schedule: LRScheduler,
    accelerator: Accelerator,
    config: TrainConfig,
) -> tuple[float, float, float]:
    model.train()
    totals, lr = Totals(accelerator), 0.0
    params = [p for group in optimizer.param_groups for p in group["params"]]
    for x, y in loader:
        with accelerator.accumulate(model):
            logits = model(x)
            losses = F.cross_entropy(logits, y, reduction="none", label_smoothing=config.label_smoothing)
            accelerator.backward(losses.mean())
            if accelerator.sync_gradients:
                lr = optimizer.param_groups[0]["lr"]
                if config.max_grad_norm is not None:
                    accelerator.clip_grad_norm_(params, config.max_grad_norm)
            optimizer.step()
            if accelerator.sync_gradients and not optimizer.step_was_skipped:
                schedule.step()
            optimizer.zero_grad(set_to_none=True)
        totals.add(losses, logits, y)
    return *totals.means(), float(lr)


@torch.inference_mode()
def validate(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> tuple[float, float]:
    model.eval()
    totals = Totals(accelerator)
    for x, y in loader:
        logits = model(x)
        totals.add(F.cross_entropy(logits, y, reduction="none"), logits, y)
    return totals.means()


def copy_state(source: dict, target: dict) -> None:
    """Copies tensors into others that are there already, by dtype in one call."""
    pairs: dict = {}
    for name, value in source.items():
        into, out_of = pairs.setdefault(value.dtype, ([], []))
        into.append(target[name])
        out_of.append(value)
    with torch.no_grad():
        for into, out_of in pairs.values():
            torch._foreach_copy_(into, out_of)


def train(
    model: nn.Module,
    train_loader: DataLoader,
    val_loader: DataLoader,
    accelerator: Accelerator,
    config: TrainConfig,
    groups: list[dict] | None = None,
) -> History:
    optimizer = make_optimizer(model, config, groups)
    net, optimizer, batches, val_batches = accelerator.prepare(model, optimizer, train_loader, val_loader)
    total = config.epochs * math.ceil(len(batches) / accelerator.gradient_accumulation_steps)
    warmup = round(config.warmup_fraction * total)
    # The rates of all steps in one table; behind the last step there is none.
    factors = [lr_factor(step, warmup, total) for step in range(total + 1)]
    schedule = LambdaLR(optimizer, lambda step: factors[min(step, total)])
    own = model.state_dict()  # the tensors that train
    best = {name: torch.empty_like(value) for name, value in own.items()}
    parts = {"model": model, "optimizer": optimizer, "schedule": schedule}
    if accelerator.scaler is not None:
        parts["scaler"] = accelerator.scaler
    history = History()
    if config.resume_from is not None:
        history, kept = resume(parts, config)
        copy_state(kept, best)
    record = max(history.val_accuracy, default=-math.inf)
    for epoch in range(len(history.lr) + 1, config.epochs + 1):
        start = time.perf_counter()
        chance = (config.seed * 2_654_435_761 + epoch) % 2**32
        set_seed(chance)
        for generator in (train_loader.generator, getattr(train_loader.sampler, "generator", None)):
            if generator is not None:
                generator.manual_seed(chance)
        loss, accuracy, lr = train_epoch(net, batches, optimizer, schedule, accelerator, config)
        val_loss, val_accuracy = validate(net, val_batches, accelerator)
        if val_accuracy > record:
            record = val_accuracy
            copy_state(own, best)
        seconds = broadcast_object_list([time.perf_counter() - start])[0]  # the main process's clock for all
        history.add(train_loss=loss, train_accuracy=accuracy, val_loss=val_loss, val_accuracy=val_accuracy)
        history.add(lr=lr, seconds=seconds)
        if config.checkpoint_dir is not None:
            save_checkpoint(Path(config.checkpoint_dir) / f"epoch_{epoch}", parts, history, best, accelerator)
    if history.val_accuracy:
        copy_state(best, own)
    return history


def save_checkpoint(path: Path, parts: dict, history: History, best: dict, accelerator: Accelerator) -> None:
    if accelerator.is_main_process:
        os.makedirs(path.parent, exist_ok=True)
        aside = path.with_name(f"{path.name}-{os.getpid()}")
        states = {name: part.state_dict() for name, part in parts.items()}
        torch.save({"states": states, "history": asdict(history), "best": best}, aside)
        os.replace(aside, path)
    accelerator.wait_for_everyone()


def resume(parts: dict, config: TrainConfig) -> tuple[History, dict]:
    kept = torch.load(config.resume_from, map_location="cpu", weights_only=True, mmap=True)
    for name, part in parts.items():
        part.load_state_dict(kept["states"][name])
    return History(**kept["history"]), kept["best"]


def save_model(model: nn.Module, accelerator: Accelerator, path: str | Path) -> None:
    model = accelerator.unwrap_model(model, keep_torch_compile=False)
    model = getattr(model, "_orig_mod", model)
    path = Path(path)
    if accelerator.is_main_process:
        path.parent.mkdir(parents=True, exist_ok=True)
        written: set[int] = set()
        tensors = {}
        for name, value in model.state_dict().items():
            value = value.detach().contiguous()
            if value.untyped_storage().data_ptr() in written:  # shared weights are written twice
                value = value.clone()
            written.add(value.untyped_storage().data_ptr())
            tensors[name] = value
        save_file(tensors, path)
    accelerator.wait_for_everyone()
