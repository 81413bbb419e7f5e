"""Everything is prepared, the schedule as well, and Accelerate writes and reads the checkpoints."""

import math
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from accelerate.utils import set_seed
from safetensors.torch import save_file
from torch import nn
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


class Progress:
    """What Accelerate's checkpoint does not know by itself."""

    def __init__(self):
        self.history = History()
        self.best_accuracy = -1.0
        self.best_weights = {}

    def state_dict(self):
        return {"history": asdict(self.history), "accuracy": self.best_accuracy, "weights": self.best_weights}

    def load_state_dict(self, state):
        self.history = History(**state["history"])
        self.best_accuracy, self.best_weights = state["accuracy"], state["weights"]


def train(model, train_loader, val_loader, accelerator, config, groups=None):
    optimizer = make_optimizer(model, config, groups)
    generator = train_loader.generator
    # a prepared schedule makes as many steps at a time as there are processes: sized by the loader of one process
    total = config.epochs * math.ceil(len(train_loader) / accelerator.gradient_accumulation_steps)
    warmup = round(config.warmup_fraction * total)
    scheduler = LambdaLR(optimizer, lambda step: lr_factor(step, warmup, total))
    model, optimizer, train_loader, val_loader, scheduler = accelerator.prepare(
        model, optimizer, train_loader, val_loader, scheduler
    )
    progress = Progress()
    accelerator.register_for_checkpointing(progress)
    if config.resume_from is not None:
        accelerator.load_state(str(config.resume_from))
    criterion = nn.CrossEntropyLoss(label_smoothing=config.label_smoothing)
    samples = nn.CrossEntropyLoss(label_smoothing=config.label_smoothing, reduction="none")

    for epoch in range(len(progress.history.lr), config.epochs):
        start = time.time()
        set_seed(config.seed + epoch, device_specific=True)
        if generator is not None:
            generator.manual_seed(config.seed + epoch)
        model.train()
        losses, right, lr = [], [], 0.0
        for images, labels in train_loader:
            with accelerator.accumulate(model):
                outputs = model(images)
                accelerator.backward(criterion(outputs, labels))
                if accelerator.sync_gradients:
                    if config.max_grad_norm is not None:
                        accelerator.clip_grad_norm_(model.parameters(), config.max_grad_norm)
                    lr = optimizer.param_groups[0]["lr"]
                optimizer.step()
                scheduler.step()
                optimizer.zero_grad()
            outputs, labels = accelerator.gather_for_metrics((outputs.detach(), labels))
            losses.append(samples(outputs, labels))
            right.append(outputs.argmax(dim=1) == labels)
        val_loss, val_accuracy = validate(model, val_loader, accelerator)
        if val_accuracy > progress.best_accuracy:
            state = accelerator.unwrap_model(model).state_dict()
            progress.best_accuracy = val_accuracy
            progress.best_weights = {k: v.detach().cpu().clone() for k, v in state.items()}
        progress.history.add(
            train_loss=torch.cat(losses).mean().item(),
            train_accuracy=torch.cat(right).float().mean().item(),
            val_loss=val_loss,
            val_accuracy=val_accuracy,
            lr=float(lr),
            seconds=time.time() - start,
        )
        if config.checkpoint_dir is not None:
            accelerator.save_state(str(Path(config.checkpoint_dir) / f"epoch_{epoch + 1}"))
            accelerator.wait_for_everyone()
    accelerator.unwrap_model(model).load_state_dict(progress.best_weights)
    return progress.history


def validate(model, loader, accelerator):
    model.eval()
    outputs, labels = [], []
    with torch.no_grad():
        for x, y in loader:
            out, y = accelerator.gather_for_metrics((model(x), y))
            outputs.append(out)
            labels.append(y)
    outputs, labels = torch.cat(outputs), torch.cat(labels)
    loss = nn.functional.cross_entropy(outputs, labels).item()
    return loss, (outputs.argmax(dim=1) == labels).float().mean().item()


def save_model(model, accelerator, path):
    weights = {k: v.contiguous() for k, v in accelerator.get_state_dict(model).items()}
    if accelerator.is_main_process:
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(weights, str(path))
    accelerator.wait_for_everyone()
