"""Task 3: a linear model and its trainer."""

from dataclasses import dataclass

import numpy as np
import torch
from accelerate import Accelerator
from torch import nn
from torch.utils.data import DataLoader, Dataset


class LinearRegression(nn.Sequential):
    """nn.Linear, and its single output squeezed away."""

    def __init__(self, n_features: int, bias_init: float = 0.0) -> None:
        line = nn.Linear(n_features, 1)
        line.weight.data.zero_()
        line.bias.data.fill_(bias_init)
        super().__init__(line, nn.Flatten(0))


@dataclass
class Houses(Dataset):
    X: torch.Tensor
    y: torch.Tensor

    def __post_init__(self) -> None:
        if len(self.X) != len(self.y):
            raise ValueError(f"{len(self.X)} rows of features for {len(self.y)} targets.")

    def __len__(self) -> int:
        return len(self.y)

    def __getitem__(self, i: int) -> tuple[torch.Tensor, torch.Tensor]:
        return self.X[i], self.y[i]

    @staticmethod
    def tensor(values: object) -> torch.Tensor:
        if torch.is_tensor(values):
            return values.detach().cpu().float().clone()
        return torch.from_numpy(np.array(values, dtype="float32"))


def make_loader(X: object, y: object, batch_size: int, shuffle: bool, seed: int = 0) -> DataLoader:
    houses = Houses(Houses.tensor(X), Houses.tensor(y).view(-1))
    return DataLoader(houses, batch_size, shuffle, generator=torch.Generator().manual_seed(seed))


@dataclass
class Mean:
    """A mean over samples that lie on several processes; those repeated to fill the last batch count once."""

    accelerator: Accelerator
    total: torch.Tensor | float = 0.0
    count: torch.Tensor | float = 0.0

    def add(self, values: torch.Tensor) -> None:
        state, rank = self.accelerator.gradient_state, self.accelerator.process_index
        mine = len(values)
        if self.accelerator.num_processes > 1 and state.end_of_dataloader and state.remainder > 0:
            mine = min(max(state.remainder - rank * len(values), 0), len(values))
        self.total = self.total + values[:mine].double().sum()
        self.count = self.count + torch.tensor(float(mine), dtype=torch.float64, device=values.device)

    def value(self) -> float:
        total, count = self.accelerator.reduce((self.total, self.count), reduction="sum")
        return (total / count).item()


class Trainer:
    KINDS = {"adamw": torch.optim.AdamW, "sgd": torch.optim.SGD}

    def __init__(self, model: nn.Module, loader: DataLoader, accelerator: Accelerator, optimizer) -> None:
        self.accelerator = accelerator
        self.model, self.optimizer, self.loader = accelerator.prepare(model, optimizer, loader)

    @classmethod
    def optimizer_for(cls, model: nn.Module, kind: str, **settings: float) -> torch.optim.Optimizer:
        if kind not in cls.KINDS:
            raise ValueError(f"no optimizer {kind!r}; there are {', '.join(cls.KINDS)}.")
        decay = settings.pop("weight_decay")
        groups = {True: [], False: []}
        for name, parameter in model.named_parameters():
            groups[name.rpartition(".")[2] == "bias"].append(parameter)
        settings["params"] = [dict(params=groups[bias], weight_decay=0.0 if bias else decay) for bias in groups]
        return cls.KINDS[kind](**settings)

    def step(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        with self.accelerator.accumulate(self.model):
            squared = torch.square(self.model(x) - y)
            self.accelerator.backward(squared.mean())
            self.optimizer.step()
            self.optimizer.zero_grad()
        return squared.detach()

    def epoch(self) -> float:
        self.model.train()
        loss = Mean(self.accelerator)
        for x, y in self.loader:
            loss.add(self.step(x, y))
        return loss.value()


def train(
    model: nn.Module,
    loader: DataLoader,
    accelerator: Accelerator,
    *,
    epochs: int,
    lr: float,
    weight_decay: float = 0.0,
    optimizer: str = "adamw",
) -> list[float]:
    model.train()
    stepper = Trainer.optimizer_for(model, optimizer, lr=lr, weight_decay=weight_decay)
    trainer = Trainer(model, loader, accelerator, stepper)
    return [trainer.epoch() for _ in range(epochs)]
