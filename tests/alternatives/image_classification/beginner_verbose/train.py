"""Task 3: training."""

import copy
import math
import time
from dataclasses import dataclass, field
from pathlib import Path

import torch
import torch.nn.functional as F
from accelerate import Accelerator
from accelerate.utils import set_seed
from safetensors.torch import save_file
from torch import nn
from torch.optim.lr_scheduler import LambdaLR, LRScheduler
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


def train_epoch(
    model: nn.Module,
    loader: DataLoader,
    optimizer: torch.optim.Optimizer,
    schedule: LRScheduler,
    accelerator: Accelerator,
    config: TrainConfig,
) -> tuple[float, float, float]:
    model.train()
    sum_of_losses = 0.0
    number_right = 0
    number_of_samples = 0
    lr = 0.0
    for batch in loader:
        images = batch[0]
        labels = batch[1]
        with accelerator.accumulate(model):
            logits = model(images)
            losses = F.cross_entropy(logits, labels, label_smoothing=config.label_smoothing, reduction="none")
            loss = losses.mean()
            accelerator.backward(loss)
            if accelerator.sync_gradients:
                if config.max_grad_norm is not None:
                    accelerator.clip_grad_norm_(model.parameters(), config.max_grad_norm)
                lr = float(optimizer.param_groups[0]["lr"])
            optimizer.step()
            if accelerator.sync_gradients:
                if not accelerator.optimizer_step_was_skipped:
                    schedule.step()
            optimizer.zero_grad()
        # count
        all_losses = accelerator.gather_for_metrics(losses.detach())
        all_logits = accelerator.gather_for_metrics(logits.detach())
        all_labels = accelerator.gather_for_metrics(labels)
        predicted = torch.argmax(all_logits, dim=1)
        for k in range(len(all_labels)):
            sum_of_losses = sum_of_losses + all_losses[k].item()
            if predicted[k].item() == all_labels[k].item():
                number_right = number_right + 1
            number_of_samples = number_of_samples + 1
    mean_loss = sum_of_losses / number_of_samples
    accuracy = number_right / number_of_samples
    return mean_loss, accuracy, lr


def validate(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> tuple[float, float]:
    model.eval()
    sum_of_losses = 0.0
    number_right = 0
    number_of_samples = 0
    with torch.no_grad():
        for batch in loader:
            images = batch[0]
            labels = batch[1]
            logits = model(images)
            all_logits = accelerator.gather_for_metrics(logits)
            all_labels = accelerator.gather_for_metrics(labels)
            loss = F.cross_entropy(all_logits, all_labels, reduction="sum")
            sum_of_losses = sum_of_losses + loss.item()
            predicted = torch.argmax(all_logits, dim=1)
            number_right = number_right + (predicted == all_labels).sum().item()
            number_of_samples = number_of_samples + len(all_labels)
    mean_loss = sum_of_losses / number_of_samples
    accuracy = number_right / number_of_samples
    return mean_loss, accuracy


def train(
    model: nn.Module,
    train_loader: DataLoader,
    val_loader: DataLoader,
    accelerator: Accelerator,
    config: TrainConfig,
    groups: list[dict] | None = None,
) -> History:
    if groups is not None:
        own_groups = []
        for group in groups:
            own_groups.append(dict(group))
        groups = own_groups
    optimizer = make_optimizer(model, config, groups)

    # shuffling: give the sampler a generator if it has none, so that each epoch's order can be seeded
    sampler = train_loader.sampler
    if hasattr(sampler, "generator") and sampler.generator is None:
        sampler.generator = torch.Generator()

    prepared_model = accelerator.prepare(model)
    optimizer = accelerator.prepare(optimizer)
    train_loader = accelerator.prepare(train_loader)
    val_loader = accelerator.prepare(val_loader)

    k = accelerator.gradient_accumulation_steps
    number_of_batches = len(train_loader)
    steps_in_epoch = math.ceil(number_of_batches / k)
    total_steps = steps_in_epoch * config.epochs
    warmup_steps = round(total_steps * config.warmup_fraction)

    def factor(step):
        return lr_factor(step, warmup_steps, total_steps)

    schedule = LambdaLR(optimizer.optimizer, factor)

    parts = {}
    parts["model"] = accelerator.unwrap_model(prepared_model)
    parts["optimizer"] = optimizer
    parts["schedule"] = schedule
    if accelerator.scaler is not None:
        parts["scaler"] = accelerator.scaler

    history = History()
    best = {}
    if config.resume_from is not None:
        history, best = resume(parts, config)

    best_accuracy = -1.0
    for value in history.val_accuracy:
        if value > best_accuracy:
            best_accuracy = value

    first_epoch = len(history.train_loss) + 1
    for epoch in range(first_epoch, config.epochs + 1):
        start = time.time()
        epoch_seed = (config.seed * 1000 + epoch) % 2**32
        set_seed(epoch_seed)
        generator = getattr(sampler, "generator", None)
        if generator is not None:
            generator.manual_seed(epoch_seed)
        train_loss, train_accuracy, lr = train_epoch(
            prepared_model, train_loader, optimizer, schedule, accelerator, config
        )
        val_loss, val_accuracy = validate(prepared_model, val_loader, accelerator)
        history.train_loss.append(train_loss)
        history.train_accuracy.append(train_accuracy)
        history.val_loss.append(val_loss)
        history.val_accuracy.append(val_accuracy)
        history.lr.append(lr)
        if val_accuracy > best_accuracy:
            best_accuracy = val_accuracy
            best = copy.deepcopy(parts["model"].state_dict())
        end = time.time()
        history.seconds.append(end - start)
        accelerator.print(f"epoch {epoch}: loss {train_loss:.4f}, validation {val_accuracy:.3f}")
        if config.checkpoint_dir is not None:
            path = Path(config.checkpoint_dir) / ("epoch_" + str(epoch))
            save_checkpoint(path, parts, history, best, accelerator)

    if len(best) > 0:
        parts["model"].load_state_dict(best)
    return history


def save_checkpoint(path: Path, parts: dict, history: History, best: dict, accelerator: Accelerator) -> None:
    if accelerator.is_main_process:
        content = {}
        for name in parts:
            content[name] = parts[name].state_dict()
        content["best"] = best
        content["history"] = vars(history)
        path.parent.mkdir(parents=True, exist_ok=True)
        half = path.parent / (path.name + ".half")
        torch.save(content, half)
        half.replace(path)
    accelerator.wait_for_everyone()


def resume(parts: dict, config: TrainConfig) -> tuple[History, dict]:
    content = torch.load(Path(config.resume_from), map_location="cpu", weights_only=True)
    for name in parts:
        parts[name].load_state_dict(content[name])
    history = History()
    for name in content["history"]:
        values = getattr(history, name)
        for value in content["history"][name]:
            values.append(value)
    return history, content["best"]


def save_model(model: nn.Module, accelerator: Accelerator, path: str | Path) -> None:
    path = Path(path)
    own_model = accelerator.unwrap_model(model)
    while hasattr(own_model, "_orig_mod"):  # compiled
        own_model = own_model._orig_mod
    if accelerator.is_main_process:
        if not path.parent.exists():
            path.parent.mkdir(parents=True)
        tensors = {}
        state = own_model.state_dict()
        for key in state:
            tensor = state[key]
            tensor = tensor.detach()
            tensor = tensor.cpu()
            tensor = tensor.clone()
            tensor = tensor.contiguous()
            tensors[key] = tensor
        save_file(tensors, path)
    accelerator.wait_for_everyone()
