"""Task 3: training that can be stopped and taken up again."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from functools import wraps
from itertools import chain
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


def timed(function: Callable) -> Callable:
    """Adds the seconds that a call took to the dictionary it returns."""

    @wraps(function)
    def run(*args, **kwargs):
        start = time.perf_counter()
        result = function(*args, **kwargs)
        return {**result, "seconds": time.perf_counter() - start}

    return run


def on_main(function: Callable) -> Callable:
    """Runs on the main process alone, then all meet; the accelerator is the first argument."""

    @wraps(function)
    def run(accelerator: Accelerator, *args):
        if accelerator.is_main_process:
            function(accelerator, *args)
        accelerator.wait_for_everyone()

    return run


def meter(accelerator: Accelerator) -> tuple[Callable, Callable]:
    """(add, means): takes logits, labels and losses of a batch; gives mean loss and accuracy over all processes."""
    rows = []

    def add(logits, labels, losses):
        row = torch.stack([losses.detach().float(), (logits.argmax(-1) == labels).float()], dim=1)  # (batch, 2)
        rows.append(accelerator.gather_for_metrics(row))

    def means():
        return tuple(torch.cat(rows).double().mean(0).tolist())

    return add, means


def reseeder(loader: DataLoader, seed: int) -> Callable:
    """A function that gives an epoch its own chance; looks for generators late, `prepare` may add one."""

    def reseed(epoch: int) -> None:
        own = (seed * 10_007 + epoch) % 2**32
        set_seed(own)
        for place in (loader, loader.sampler, loader.batch_sampler):
            generator = getattr(place, "generator", None)
            if isinstance(generator, torch.Generator):
                generator.manual_seed(own)

    return reseed


def train_epoch(model, loader, optimizer, schedule, accelerator, config) -> tuple[float, float, float]:
    add, means = meter(accelerator)
    rate = math.nan
    model.train()
    for images, labels in loader:
        with accelerator.accumulate(model):
            logits = model(images)
            losses = F.cross_entropy(logits, labels, reduction="none", label_smoothing=config.label_smoothing)
            accelerator.backward(losses.mean())
            if accelerator.sync_gradients:
                rate = float(optimizer.param_groups[0]["lr"])
                if config.max_grad_norm is not None:
                    params = chain.from_iterable(group["params"] for group in optimizer.param_groups)
                    accelerator.clip_grad_norm_(list(params), config.max_grad_norm)
            optimizer.step()
            schedule.step()  # prepared: it waits for the optimizer by itself
            optimizer.zero_grad()
        add(logits, labels, losses)
    return *means(), rate


def validate(model, loader, accelerator) -> tuple[float, float]:
    add, means = meter(accelerator)
    model.eval()
    with torch.no_grad():
        for images, labels in loader:
            logits = model(images)
            add(logits, labels, F.cross_entropy(logits, labels, reduction="none"))
    return means()


def copy_of(state: dict) -> dict:
    return {name: value.detach().clone() for name, value in state.items()}


def train(
    model: nn.Module,
    train_loader: DataLoader,
    val_loader: DataLoader,
    accelerator: Accelerator,
    config: TrainConfig,
    groups: list[dict] | None = None,
) -> History:
    optimizer = make_optimizer(model, config, groups)
    batches, val_batches = accelerator.prepare(train_loader, val_loader)
    total = config.epochs * math.ceil(len(batches) / accelerator.gradient_accumulation_steps)
    warmup = round(config.warmup_fraction * total)
    # A prepared schedule makes a step for each process.
    pace = 1 if accelerator.split_batches else accelerator.num_processes
    schedule = LambdaLR(optimizer, lambda step: lr_factor(step // pace, warmup, total))
    network, optimizer, schedule = accelerator.prepare(model, optimizer, schedule)
    plain = accelerator.unwrap_model(network)
    parts = {"model": plain, "optimizer": optimizer, "schedule": schedule, "scaler": accelerator.scaler}
    parts = {name: part for name, part in parts.items() if part is not None}
    history, best = resume(parts, config) if config.resume_from is not None else (History(), {})
    reseed = reseeder(train_loader, config.seed)

    @timed
    def one(epoch: int) -> dict[str, float]:
        reseed(epoch)
        loss, accuracy, rate = train_epoch(network, batches, optimizer, schedule, accelerator, config)
        val_loss, val_accuracy = validate(network, val_batches, accelerator)
        return dict(train_loss=loss, train_accuracy=accuracy, val_loss=val_loss, val_accuracy=val_accuracy, lr=rate)

    def epochs() -> Iterator[tuple[int, dict[str, float]]]:
        yield from ((epoch, one(epoch)) for epoch in range(len(history.val_accuracy) + 1, config.epochs + 1))

    for epoch, met in epochs():
        if not best or met["val_accuracy"] > max(history.val_accuracy):
            best = copy_of(plain.state_dict())
        history.add(**met)
        accelerator.print(f"epoch {epoch}: loss {met['train_loss']:.4f}, validation {met['val_accuracy']:.3f}")
        if config.checkpoint_dir is not None:
            save_checkpoint(Path(config.checkpoint_dir) / f"epoch_{epoch}", parts, history, best, accelerator)
    if best:
        plain.load_state_dict(best)
    return history


def save_checkpoint(path: Path, parts: dict, history: History, best: dict, accelerator: Accelerator) -> None:
    @on_main
    def write(accelerator: Accelerator) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f"{path.name}.part")
        content = {name: part.state_dict() for name, part in parts.items()}
        accelerator.save({"history": asdict(history), "best": best, **content}, aside)
        aside.replace(path)

    write(accelerator)


def resume(parts: dict, config: TrainConfig) -> tuple[History, dict]:
    with open(config.resume_from, "rb") as file:
        kept = torch.load(file, map_location="cpu", weights_only=True)
    history, best = History(**kept.pop("history")), kept.pop("best")
    for name, part in parts.items():
        part.load_state_dict(kept[name])
    return history, best


@on_main
def _write(accelerator: Accelerator, model: nn.Module, path: Path) -> None:
    model = accelerator.unwrap_model(model, keep_torch_compile=False)
    while hasattr(model, "_orig_mod"):
        model = model._orig_mod
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: value.contiguous().clone() for name, value in model.state_dict().items()}, str(path))


def save_model(model: nn.Module, accelerator: Accelerator, path: str | Path) -> None:
    _write(accelerator, model, Path(path))
