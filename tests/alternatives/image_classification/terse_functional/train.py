"""No scheduler: each step is told its rate. A checkpoint is a folder."""

import json
import math
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
import torch.nn.functional as F
from accelerate.utils import set_seed
from safetensors.torch import save_model as write_safetensors


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


def train(model, train_loader, val_loader, accelerator, config, groups=None):
    opt = make_optimizer(model, config, groups)
    net, opt, batches, val_batches = accelerator.prepare(model, opt, train_loader, val_loader)
    peaks = [g["lr"] for g in opt.param_groups]
    per_epoch = -(-len(batches) // accelerator.gradient_accumulation_steps)
    total = config.epochs * per_epoch
    warm = round(config.warmup_fraction * total)
    history, best = History(), None
    if config.resume_from is not None:
        folder = Path(config.resume_from)
        weights, slots, best = (torch.load(folder / f"{n}.pt", weights_only=True) for n in ("net", "opt", "best"))
        accelerator.unwrap_model(net).load_state_dict(weights)
        opt.load_state_dict(slots)
        history = History(**json.loads((folder / "history.json").read_text()))

    def epoch_of(number):
        net.train()
        step, loss, hit = number * per_epoch, [], []
        for x, y in batches:
            for g, peak in zip(opt.param_groups, peaks, strict=True):
                g["lr"] = peak * lr_factor(step, warm, total)
            with accelerator.accumulate(net):
                z = net(x)
                each = F.cross_entropy(z, y, label_smoothing=config.label_smoothing, reduction="none")
                accelerator.backward(each.mean())
                if accelerator.sync_gradients:
                    if config.max_grad_norm is not None:
                        accelerator.clip_grad_norm_(net.parameters(), config.max_grad_norm)
                    step += 1
                opt.step()
                opt.zero_grad()
            some_loss, some_hit = accelerator.gather_for_metrics((each.detach(), z.argmax(1) == y))
            loss += some_loss.tolist()
            hit += some_hit.tolist()
        return sum(loss) / len(loss), sum(hit) / len(hit)

    for number in range(len(history.lr), config.epochs):
        t0 = time.monotonic()
        set_seed(config.seed + 1000 * number, device_specific=True)
        if (g := getattr(train_loader.batch_sampler.sampler, "generator", None)) is not None:
            g.manual_seed(config.seed + 1000 * number)
        loss, acc = epoch_of(number)
        val_loss, val_acc = validate(net, val_batches, accelerator)
        if not history.val_accuracy or val_acc > max(history.val_accuracy):
            best = {k: v.clone() for k, v in accelerator.unwrap_model(net).state_dict().items()}
        history.add(train_loss=loss, train_accuracy=acc, val_loss=val_loss, val_accuracy=val_acc)
        history.add(lr=opt.param_groups[0]["lr"], seconds=time.monotonic() - t0)
        if config.checkpoint_dir is not None and accelerator.is_main_process:
            folder = Path(config.checkpoint_dir, f"epoch_{number + 1}")
            folder.mkdir(parents=True, exist_ok=True)
            parts = {"net": accelerator.unwrap_model(net).state_dict(), "opt": opt.state_dict(), "best": best}
            for name, part in parts.items():
                torch.save(part, folder / f"{name}.pt")
            (folder / "history.json").write_text(json.dumps(asdict(history)))
        accelerator.wait_for_everyone()
    accelerator.unwrap_model(net).load_state_dict(best)
    return history


@torch.inference_mode()
def validate(net, batches, accelerator):
    net.eval()
    pairs = [accelerator.gather_for_metrics((net(x), y)) for x, y in batches]
    z, y = (torch.cat(part) for part in zip(*pairs, strict=True))
    return F.cross_entropy(z, y).item(), (z.argmax(1) == y).double().mean().item()


def save_model(model, accelerator, path):
    if accelerator.is_main_process:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        write_safetensors(accelerator.unwrap_model(model), str(path))
    accelerator.wait_for_everyone()
