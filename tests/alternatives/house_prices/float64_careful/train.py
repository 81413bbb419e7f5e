"""Task 3: float32 parameters, float64 sums."""

import math

import torch
from accelerate import Accelerator
from helpers import float64
from torch import nn
from torch.utils.data import DataLoader, Dataset


class LinearRegression(nn.Module):
    def __init__(self, n_features: int, bias_init: float = 0.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(1, n_features))
        self.bias = nn.Parameter(torch.empty(1))
        nn.init.normal_(self.weight, std=1e-3, generator=torch.Generator().manual_seed(0))
        nn.init.constant_(self.bias, bias_init)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.linear(x, self.weight, self.bias).view(x.shape[0])


class HouseRows(Dataset):
    def __init__(self, X: torch.Tensor, y: torch.Tensor) -> None:
        self.X, self.y = X, y

    def __len__(self) -> int:
        return self.y.numel()

    def __getitem__(self, row: int) -> tuple[torch.Tensor, torch.Tensor]:
        return self.X[row], self.y[row]

    def __getitems__(self, rows: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
        return self.X[rows], self.y[rows]


def whole(batch: tuple[torch.Tensor, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    return batch


def make_loader(X: object, y: object, batch_size: int, shuffle: bool, seed: int = 0) -> DataLoader:
    X, y = torch.tensor(float64(X), dtype=torch.float32), torch.tensor(float64(y), dtype=torch.float32).flatten()
    if X.shape[0] != y.shape[0]:
        raise ValueError(f"X has {X.shape[0]} rows, y has {y.shape[0]}")
    generator = torch.Generator()
    generator.manual_seed(seed)
    return DataLoader(HouseRows(X, y), batch_size, shuffle=shuffle, collate_fn=whole, generator=generator)


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
    if optimizer not in ("adamw", "sgd"):
        raise ValueError(f"optimizer: expected adamw or sgd, found {optimizer}")
    model, loader = accelerator.prepare(model, loader)
    decayed = {id(p): weight_decay * (not name.endswith("bias")) for name, p in model.named_parameters()}
    groups = [{"params": [p], "weight_decay": decayed[id(p)]} for p in model.parameters()]
    make = torch.optim.AdamW if optimizer == "adamw" else torch.optim.SGD
    stepper = accelerator.prepare(make(groups, lr=lr))
    stepper.zero_grad()
    model.train()
    history = []
    for _ in range(epochs):
        squares = []
        for x, y in loader:
            with accelerator.accumulate(model):
                error = model(x).double() - y.double()
                accelerator.backward(error.square().mean())
                stepper.step()
                stepper.zero_grad()
            squares += accelerator.gather_for_metrics(error.detach().square()).tolist()
        history.append(math.fsum(squares) / len(squares))
    return history
