"""Task 3: training."""

import json
import math
import os
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
import torch.nn.functional as F
from accelerate.utils import set_seed
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

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

# What is measured of each sample: (logits, labels, smoothing) -> (batch,)
MEASURES = {
    "loss": lambda z, y, e: F.cross_entropy(z, y, reduction="none", label_smoothing=e),
    "accuracy": lambda z, y, e: (z.argmax(dim=1) == y).float(),
}
# What happens at the end of a window, in this order: (accelerator, model, optimizer, schedule, config)
STEP = {
    "clip": lambda a, m, o, s, c: c.max_grad_norm is None or a.clip_grad_norm_(m.parameters(), c.max_grad_norm),
    "step": lambda a, m, o, s, c: o.step(),
    "schedule": lambda a, m, o, s, c: a.optimizer_step_was_skipped or s.step(),
    "clear": lambda a, m, o, s, c: o.zero_grad(),
}


def means(seen):
    return {name: torch.cat(values).mean(dtype=torch.float64).item() for name, values in seen.items()}


def train_epoch(model, loader, optimizer, schedule, accelerator, config):
    model.train()
    seen = {name: [] for name in MEASURES}
    rates = [0.0]
    for x, y in loader:
        with accelerator.accumulate(model):
            z = model(x)
            found = {name: measure(z, y, config.label_smoothing) for name, measure in MEASURES.items()}
            accelerator.backward(found["loss"].mean())
            if accelerator.sync_gradients:
                rates = [group["lr"] for group in optimizer.param_groups]
                for action in STEP.values():
                    action(accelerator, model, optimizer, schedule, config)
        found = accelerator.gather_for_metrics({name: values.detach() for name, values in found.items()})
        for name, values in found.items():
            seen[name].append(values)
    return means(seen), float(rates[0])


def validate(model, loader, accelerator):
    model.eval()
    seen = {name: [] for name in MEASURES}
    with torch.inference_mode():
        for x, y in loader:
            z = model(x)
            found = accelerator.gather_for_metrics({name: measure(z, y, 0.0) for name, measure in MEASURES.items()})
            for name, values in found.items():
                seen[name].append(values)
        return means(seen)


def train(model, train_loader, val_loader, accelerator, config, groups=None):
    optimizer = make_optimizer(model, config, groups)
    prepared = dict(
        zip(
            ("model", "optimizer", "train", "val"),
            accelerator.prepare(model, optimizer, train_loader, val_loader),
        )
    )
    counts = {"epoch": math.ceil(len(prepared["train"]) / accelerator.gradient_accumulation_steps)}
    counts["total"] = counts["epoch"] * config.epochs
    counts["warmup"] = round(counts["total"] * config.warmup_fraction)
    schedule = LambdaLR(prepared["optimizer"], lambda step: lr_factor(step, counts["warmup"], counts["total"]))
    plain = accelerator.unwrap_model(prepared["model"], keep_fp32_wrapper=True)
    parts = {"model": plain, "optimizer": prepared["optimizer"], "schedule": schedule, "scaler": accelerator.scaler}
    parts = {name: part for name, part in parts.items() if part is not None}
    history, best = {True: resume, False: lambda parts, config: (History(), {})}[config.resume_from is not None](
        parts, config
    )
    for epoch in range(1 + len(history.lr), 1 + config.epochs):
        start = time.perf_counter()
        set_seed(config.seed + 997 * epoch)
        for owner in (train_loader, train_loader.sampler):
            generator = vars(owner).get("generator")
            if generator is not None:
                generator.manual_seed(config.seed + 997 * epoch)
        learnt, lr = train_epoch(prepared["model"], prepared["train"], prepared["optimizer"], schedule, accelerator, config)
        found = validate(prepared["model"], prepared["val"], accelerator)
        if not history.val_accuracy or found["accuracy"] > max(history.val_accuracy):
            best = {name: value.clone().detach() for name, value in plain.state_dict().items()}
        row = {f"train_{name}": value for name, value in learnt.items()} | {f"val_{name}": v for name, v in found.items()}
        history.add(**row, lr=lr, seconds=time.perf_counter() - start)
        if config.checkpoint_dir is not None:
            save_checkpoint(Path(config.checkpoint_dir) / f"epoch_{epoch}", parts, history, best, accelerator)
    if best:
        plain.load_state_dict(best)
    return history


def split(tree, prefix, tensors):
    """The tree without its tensors, which go into the flat dictionary; their names stay."""
    if torch.is_tensor(tree):
        tensors[prefix] = tree.detach().cpu().clone().contiguous()
        return {"tensor": prefix}
    if isinstance(tree, dict):
        return {"dict": [[key, split(value, f"{prefix}/{key}", tensors)] for key, value in tree.items()]}
    if isinstance(tree, list | tuple):
        return {"list": [split(value, f"{prefix}/{i}", tensors) for i, value in enumerate(tree)]}
    return {"value": tree}


def join(tree, tensors):
    """The way back."""
    [(kind, content)] = tree.items()
    makers = {
        "tensor": lambda: tensors[content],
        "dict": lambda: {key: join(value, tensors) for key, value in content},
        "list": lambda: [join(value, tensors) for value in content],
        "value": lambda: content,
    }
    return makers[kind]()


def save_checkpoint(path, parts, history, best, accelerator):
    """One safetensors file; what is no tensor stands as JSON in its header."""
    if accelerator.is_main_process:
        tree = {name: part.state_dict() for name, part in parts.items()} | {"history": asdict(history), "best": best}
        tensors = {}
        header = {"tree": json.dumps(split(tree, "", tensors))}
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f"{path.name}_writing")
        save_file(tensors, aside, metadata=header)
        os.replace(aside, path)
    accelerator.wait_for_everyone()


def resume(parts, config):
    with safe_open(config.resume_from, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}
        tree = join(json.loads(file.metadata()["tree"]), tensors)
    history, best = History(**tree.pop("history")), tree.pop("best")
    for name, state in tree.items():
        parts[name].load_state_dict(state)
    return history, best


def save_model(model, accelerator, path):
    own = accelerator.unwrap_model(model, keep_torch_compile=False)
    own = own._modules.get("_orig_mod", own)
    if accelerator.is_main_process:
        os.makedirs(Path(path).parent, exist_ok=True)
        save_file({name: value.contiguous().clone() for name, value in own.state_dict().items()}, os.fspath(path))
    accelerator.wait_for_everyone()
