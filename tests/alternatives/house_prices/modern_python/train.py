from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor, nn, optim
from torch.utils.data import DataLoader, StackDataset


class LinearRegression(nn.Module):
    def __init__(self, n_features: int, bias_init: float = 0.0) -> None:
        super().__init__()
        # small and always the same, whatever the global seed
        start = torch.randn(1, n_features, generator=torch.Generator().manual_seed(n_features)) * 1e-3
        self.weight = nn.Parameter(start)
        self.bias = nn.Parameter(torch.full((1,), float(bias_init)))

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.linear(x, self.weight, self.bias).squeeze(-1)


def to_tensor(values: Any) -> Tensor:
    match values:
        case Tensor():
            return values.detach().cpu().to(torch.float32)
        case _:
            return torch.from_numpy(np.array(values, dtype="float32", copy=True))


def make_loader(X: object, y: object, batch_size: int, shuffle: bool, seed: int = 0) -> DataLoader:
    features, targets = to_tensor(X), to_tensor(y).view(-1)
    if (n := len(features)) != (m := len(targets)):
        raise ValueError(f"{n=} rows of features do not go with {m=} targets")
    (order := torch.Generator()).manual_seed(seed)
    return DataLoader(StackDataset(features, targets), batch_size=batch_size, shuffle=shuffle, generator=order)


def make_optimizer(model: nn.Module, kind: str, lr: float, weight_decay: float) -> optim.Optimizer:
    decayed, free = [], []
    for name, parameter in model.named_parameters():
        (free if name.endswith("bias") else decayed).append(parameter)
    groups = [{"params": decayed, "weight_decay": weight_decay}, {"params": free, "weight_decay": 0.0}]
    match kind:
        case "adamw":
            return optim.AdamW(groups, lr)
        case "sgd":
            return optim.SGD(groups, lr)
        case _:
            raise ValueError(f"neither adamw nor sgd: {kind}")


@dataclass(slots=True)
class Mean:
    """A mean over the samples of all processes."""

    accelerator: Accelerator
    total: float | Tensor = 0.0
    count: int = 0

    def add(self, errors: Tensor) -> None:
        own = len(errors)
        state = self.accelerator.gradient_state
        if state.end_of_dataloader and state.remainder > 0:
            # the rows behind the remainder are repeats that fill up the last round of batches
            own = min(max(state.remainder - own * self.accelerator.process_index, 0), own)
        self.total = self.total + errors[:own].sum(dtype=torch.float64)
        self.count += own

    def result(self) -> float:
        sums = torch.stack([torch.as_tensor(v, dtype=torch.float32) for v in (self.total, self.count)])
        total, count = self.accelerator.reduce(sums.to(self.accelerator.device), reduction="sum").tolist()
        return total / count


def train(
    model: nn.Module,
    loader: DataLoader,
    accelerator: Accelerator,
    *,
    epochs: int,
    lr: float,
    weight_decay: float = 0.0,
    optimizer: Literal["adamw", "sgd"] = "adamw",
) -> list[float]:
    steps = make_optimizer(model, optimizer, lr, weight_decay)
    model, steps, loader = accelerator.prepare(model, steps, loader)
    model.train()
    history: list[float] = []
    for _ in range(epochs):
        loss = Mean(accelerator)
        for x, y in loader:
            with accelerator.accumulate(model):
                accelerator.backward((errors := (model(x) - y) ** 2).mean())
                steps.step()
                steps.zero_grad()
            loss.add(errors.detach())
        history.append(loss.result())
    return history
