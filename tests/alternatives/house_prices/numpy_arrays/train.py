"""Task 3: weights, bias, loop."""

import numpy as np
import torch
from accelerate import Accelerator
from torch import nn
from torch.utils.data import BatchSampler, DataLoader, Dataset, RandomSampler, SequentialSampler


class LinearRegression(nn.Module):
    def __init__(self, n_features: int, bias_init: float = 0.0) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.from_numpy(np.zeros(n_features, dtype=np.float32)))
        self.b = nn.Parameter(torch.tensor(float(bias_init)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x @ self.w + self.b


def _float32(values) -> np.ndarray:
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu().float().numpy()
    return np.array(values, dtype=np.float32)


class ArrayRows(Dataset):
    """Row i of each array."""

    def __init__(self, *arrays: np.ndarray) -> None:
        self.arrays = arrays

    def __len__(self) -> int:
        return len(self.arrays[0])

    def __getitem__(self, i: int) -> list[np.ndarray]:
        return [array[i] for array in self.arrays]


def stack(rows: list) -> list[torch.Tensor]:
    return [torch.from_numpy(np.stack(column)) for column in zip(*rows)]


def make_loader(X, y, batch_size: int, shuffle: bool, seed: int = 0) -> DataLoader:
    X, y = _float32(X), _float32(y).ravel()
    if X.shape[0] != y.shape[0]:
        raise ValueError(f"X has {X.shape[0]} rows and y has {y.shape[0]}")
    rows = ArrayRows(X, y)
    order = RandomSampler(rows, generator=torch.Generator().manual_seed(seed)) if shuffle else SequentialSampler(rows)
    return DataLoader(rows, batch_sampler=BatchSampler(order, batch_size, drop_last=False), collate_fn=stack)


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
    if optimizer == "adamw":
        steps = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=weight_decay)
    elif optimizer == "sgd":
        steps = torch.optim.SGD(model.parameters(), lr=lr, weight_decay=weight_decay)
    else:
        raise ValueError(f"unknown optimizer {optimizer!r}")
    n = len(loader.dataset)
    loader, model, steps = accelerator.prepare(loader, model, steps)
    model.train()
    history = np.zeros(epochs)
    for epoch in range(epochs):
        squares = []
        for x, y in loader:
            with accelerator.accumulate(model):
                square = (model(x) - y) ** 2
                accelerator.backward(square.mean())
                steps.step()
                steps.zero_grad()
            squares.append(accelerator.gather(square.detach()).cpu().numpy())
        # Rows repeated to even out the processes come last.
        history[epoch] = np.concatenate(squares)[:n].mean(dtype=np.float64)
    return history.tolist()
