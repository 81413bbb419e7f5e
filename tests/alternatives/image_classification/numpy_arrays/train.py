"""Training: rates from a table, measures as running sums."""

import json
import math
import shutil
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from accelerate import Accelerator
from accelerate.utils import set_seed
from safetensors.torch import load_file, save_file
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


class Rates:
    """The rate of each group (groups,) times each step's factor (steps,), looked up in a table."""

    def __init__(self, optimizer: torch.optim.Optimizer, warmup: int, total: int) -> None:
        self.optimizer, self.step = optimizer, 0
        own = np.array([group["lr"] for group in optimizer.param_groups])
        factors = np.array([lr_factor(step, warmup, total) for step in range(total + 1)])
        self.table = np.outer(factors, own)

    def apply(self) -> float:
        rates = self.table[min(self.step, len(self.table) - 1)].tolist()
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            group["lr"] = rate
        return rates[0]

    def state_dict(self) -> dict:
        return {"step": self.step}

    def load_state_dict(self, state: dict) -> None:
        self.step = state["step"]


def counted(accelerator: Accelerator, logits: torch.Tensor, labels: torch.Tensor, smoothing: float = 0.0) -> np.ndarray:
    """(loss, hits, samples) of this batch, summed over all processes."""
    with torch.no_grad():
        losses = F.cross_entropy(logits, labels, label_smoothing=smoothing, reduction="none")
        rows = torch.stack([losses.float(), (logits.argmax(dim=1) == labels).float()], dim=1)  # (batch, 2)
    rows = accelerator.gather_for_metrics(rows).cpu().numpy().astype(np.float64)
    return np.append(rows.sum(axis=0), len(rows))


def train_epoch(
    model: nn.Module,
    loader: DataLoader,
    optimizer: torch.optim.Optimizer,
    schedule: Rates,
    accelerator: Accelerator,
    config: TrainConfig,
) -> tuple[float, float, float]:
    model.train()
    sums, rate = np.zeros(3), math.nan
    for x, y in loader:
        with accelerator.accumulate(model):
            rate = schedule.apply()
            z = model(x)
            loss = F.cross_entropy(z, y, label_smoothing=config.label_smoothing)
            accelerator.backward(loss)
            if accelerator.sync_gradients and config.max_grad_norm is not None:
                accelerator.clip_grad_norm_(model.parameters(), config.max_grad_norm)
            optimizer.step()
            optimizer.zero_grad()
            if accelerator.sync_gradients and not accelerator.optimizer_step_was_skipped:
                schedule.step += 1
        sums += counted(accelerator, z, y, config.label_smoothing)
    return float(sums[0] / sums[2]), float(sums[1] / sums[2]), rate


def validate(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> tuple[float, float]:
    model.eval()
    sums = np.zeros(3)
    with torch.inference_mode():
        for x, y in loader:
            sums += counted(accelerator, model(x), y)
    loss, hits = (sums[:2] / sums[2]).tolist()
    return loss, hits


def train(
    model: nn.Module,
    train_loader: DataLoader,
    val_loader: DataLoader,
    accelerator: Accelerator,
    config: TrainConfig,
    groups: list[dict] | None = None,
) -> History:
    optimizer = make_optimizer(model, config, None if groups is None else [dict(group) for group in groups])
    order = train_loader.sampler
    wrapped, wrapped_optimizer, train_batches, val_batches = accelerator.prepare(
        model, optimizer, train_loader, val_loader
    )
    bare = accelerator.unwrap_model(wrapped)
    steps = config.epochs * -(-len(train_batches) // accelerator.gradient_accumulation_steps)
    rates = Rates(wrapped_optimizer, round(config.warmup_fraction * steps), steps)
    parts = {"model": bare, "optimizer": wrapped_optimizer, "rates": rates, "scaler": accelerator.scaler}
    history, best = resume(parts, config) if config.resume_from is not None else (History(), {})

    while len(history.seconds) < config.epochs:
        number, start = len(history.seconds) + 1, time.monotonic()
        seed = int(np.random.SeedSequence([abs(config.seed), number]).generate_state(1)[0])
        set_seed(seed)
        if isinstance(getattr(order, "generator", None), torch.Generator):
            order.generator.manual_seed(seed)
        train_loss, train_accuracy, lr = train_epoch(
            wrapped, train_batches, wrapped_optimizer, rates, accelerator, config
        )
        val_loss, val_accuracy = validate(wrapped, val_batches, accelerator)
        if not best or val_accuracy > max(history.val_accuracy):
            best = {key: value.detach().cpu().clone() for key, value in bare.state_dict().items()}
        seconds = time.monotonic() - start
        for values, value in zip(
            (history.train_loss, history.train_accuracy, history.val_loss, history.val_accuracy),
            (train_loss, train_accuracy, val_loss, val_accuracy),
            strict=True,
        ):
            values.append(value)
        history.lr.append(lr)
        history.seconds.append(seconds)
        if config.checkpoint_dir is not None:
            save_checkpoint(Path(config.checkpoint_dir) / f"epoch_{number}", parts, history, best, accelerator)
    bare.load_state_dict(best or bare.state_dict())
    return history


def save_checkpoint(path: Path, parts: dict, history: History, best: dict, accelerator: Accelerator) -> None:
    """A folder with history.json, best.safetensors and a file for each part."""
    if accelerator.is_main_process:
        aside = path.parent / ("unfinished_" + path.name)
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
        for name, part in parts.items():
            if part is not None:
                torch.save(part.state_dict(), aside / f"{name}.pt")
        save_file({key: value.contiguous() for key, value in best.items()}, aside / "best.safetensors")
        (aside / "history.json").write_text(json.dumps(asdict(history)), encoding="utf-8")
        shutil.rmtree(path, ignore_errors=True)
        aside.rename(path)
    accelerator.wait_for_everyone()


def resume(parts: dict, config: TrainConfig) -> tuple[History, dict]:
    folder = Path(config.resume_from)
    for name, part in parts.items():
        if part is not None:
            part.load_state_dict(torch.load(folder / f"{name}.pt", map_location="cpu", weights_only=True))
    history = History(**json.loads((folder / "history.json").read_text(encoding="utf-8")))
    return history, load_file(folder / "best.safetensors")


def save_model(model: nn.Module, accelerator: Accelerator, path: str | Path) -> None:
    path = Path(path)
    bare = accelerator.unwrap_model(model)
    bare = getattr(bare, "_orig_mod", bare)  # torch.compile's shell
    if accelerator.is_main_process:
        path.parent.mkdir(exist_ok=True, parents=True)
        state = {}
        for key, value in bare.state_dict().items():
            state[key] = torch.from_numpy(value.detach().cpu().numpy().copy())
        save_file(state, str(path))
    accelerator.wait_for_everyone()
