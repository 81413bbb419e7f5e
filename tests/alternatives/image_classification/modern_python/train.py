"""Task 3: training."""

import json
import math
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

import torch
import torch.nn.functional as F
from accelerate import Accelerator
from accelerate.utils import set_seed
from safetensors.torch import load_file, save_file
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


class Stateful(Protocol):
    def state_dict(self) -> dict: ...

    def load_state_dict(self, state: dict) -> object: ...


class Measures(NamedTuple):
    loss: float
    accuracy: float
    lr: float = 0.0


@dataclass(slots=True)
class Tally:
    """Sums over the samples of all processes."""

    accelerator: Accelerator
    loss: float = 0.0
    hits: int = 0
    n: int = 0

    def count(self, losses: torch.Tensor, logits: torch.Tensor, labels: torch.Tensor) -> None:
        gathered = self.accelerator.gather_for_metrics((losses.detach(), logits.detach().argmax(dim=1), labels))
        losses, answers, labels = gathered
        self.loss += losses.double().sum().item()
        self.hits += int((answers == labels).sum())
        self.n += len(labels)

    def measures(self, lr: float = 0.0) -> Measures:
        return Measures(self.loss / self.n, self.hits / self.n, lr)


def train_epoch(
    model: nn.Module,
    loader: DataLoader,
    optimizer: torch.optim.Optimizer,
    schedule: LRScheduler,
    accelerator: Accelerator,
    config: TrainConfig,
) -> Measures:
    model.train()
    tally, lr = Tally(accelerator), 0.0
    for images, labels in loader:
        with accelerator.accumulate(model):
            losses = F.cross_entropy(
                logits := model(images), labels, reduction="none", label_smoothing=config.label_smoothing
            )
            accelerator.backward(losses.mean())
            match accelerator.sync_gradients, config.max_grad_norm:
                case True, float() | int() as limit:
                    accelerator.clip_grad_norm_(model.parameters(), limit)
            optimizer.step()
            optimizer.zero_grad()
            if accelerator.sync_gradients:
                [lr, *_] = schedule.get_last_lr()
                if not optimizer.step_was_skipped:
                    schedule.step()
        tally.count(losses, logits, labels)
    return tally.measures(lr)


@contextmanager
def evaluating(model: nn.Module) -> Iterator[nn.Module]:
    model.eval()
    with torch.inference_mode():
        yield model


def validate(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> Measures:
    tally = Tally(accelerator)
    with evaluating(model):
        for images, labels in loader:
            logits = model(images)
            tally.count(F.cross_entropy(logits, labels, reduction="none"), logits, labels)
    return tally.measures()


def train(
    model: nn.Module,
    train_loader: DataLoader,
    val_loader: DataLoader,
    accelerator: Accelerator,
    config: TrainConfig,
    groups: list[dict] | None = None,
) -> History:
    optimizer = make_optimizer(model, config, None if groups is None else [dict(group) for group in groups])
    prepared, optimizer, train_batches, val_batches = accelerator.prepare(model, optimizer, train_loader, val_loader)
    total_steps = config.epochs * -(-len(train_batches) // accelerator.gradient_accumulation_steps)
    warmup_steps = math.floor(config.warmup_fraction * total_steps + 0.5)
    schedule = LambdaLR(optimizer, lambda step: lr_factor(step, warmup_steps, total_steps))
    parts: dict[str, Stateful] = {"weights": model, "optimizer": optimizer, "schedule": schedule}
    if (scaler := accelerator.scaler) is not None:
        parts["scaler"] = scaler
    history, best = History(), {}
    if config.resume_from is not None:
        history, best = resume(parts, config)

    for epoch in range(len(history.seconds), config.epochs):
        start = time.monotonic()
        set_seed(chance := (config.seed + 1_000 * epoch) % 2**32)
        for owner in (train_loader, train_loader.batch_sampler, train_loader.sampler):
            if (generator := getattr(owner, "generator", None)) is not None:
                generator.manual_seed(chance)
        learnt = train_epoch(prepared, train_batches, optimizer, schedule, accelerator, config)
        found = validate(prepared, val_batches, accelerator)
        if all(found.accuracy > earlier for earlier in history.val_accuracy):
            best = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        history.add(
            train_loss=learnt.loss,
            train_accuracy=learnt.accuracy,
            val_loss=found.loss,
            val_accuracy=found.accuracy,
            lr=learnt.lr,
            seconds=time.monotonic() - start,
        )
        match config.checkpoint_dir:
            case None:
                pass
            case folder:
                save_checkpoint(Path(folder) / f"epoch_{epoch + 1}", parts, history, best, accelerator)
    if best:
        model.load_state_dict(best)
    return history


def save_checkpoint(
    path: Path, parts: dict[str, Stateful], history: History, best: dict[str, torch.Tensor], accelerator: Accelerator
) -> None:
    """A folder: weights and best weights as safetensors, the history as JSON, the rest as tensors of torch's."""
    if accelerator.is_main_process:
        shutil.rmtree(aside := path.parent / f"writing-{path.name}", ignore_errors=True)
        aside.mkdir(parents=True)
        for name, part in parts.items():
            match name:
                case "weights":
                    save_file(own_tensors(part.state_dict()), aside / "weights.safetensors")
                case _:
                    torch.save(part.state_dict(), aside / f"{name}.pt")
        save_file(own_tensors(best), aside / "best.safetensors")
        (aside / "history.json").write_text(json.dumps(asdict(history)))
        shutil.rmtree(path, ignore_errors=True)
        aside.rename(path)
    accelerator.wait_for_everyone()


def resume(parts: dict[str, Stateful], config: TrainConfig) -> tuple[History, dict[str, torch.Tensor]]:
    folder = Path(config.resume_from)
    for name, part in parts.items():
        match name:
            case "weights":
                part.load_state_dict(load_file(folder / "weights.safetensors"))
            case _:
                part.load_state_dict(torch.load(folder / f"{name}.pt", map_location="cpu", weights_only=True))
    history = History(**json.loads((folder / "history.json").read_text()))
    return history, load_file(folder / "best.safetensors")


def own_tensors(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Copies that share no memory, as safetensors wants them."""
    return {name: tensor.detach().clone(memory_format=torch.contiguous_format) for name, tensor in state.items()}


def save_model(model: nn.Module, accelerator: Accelerator, path: str | Path) -> None:
    if accelerator.is_main_process:
        match accelerator.unwrap_model(model, keep_torch_compile=False):
            case torch._dynamo.OptimizedModule(_orig_mod=inner):
                pass
            case inner:
                pass
        (target := Path(path)).parent.mkdir(parents=True, exist_ok=True)
        save_file(own_tensors(inner.state_dict()), target)
    accelerator.wait_for_everyone()
