"""A loop that neither copies nor waits where it need not."""

import numpy as np
import torch
from accelerate import Accelerator
from torch import nn
from torch.utils.data import BatchSampler, DataLoader, Dataset, RandomSampler, SequentialSampler


class LinearRegression(nn.Module):
    def __init__(self, n_features: int, bias_init: float = 0.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_features).zero_())
        self.bias = nn.Parameter(torch.empty(1).fill_(bias_init))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.addmv(self.bias, x, self.weight)


def as_float32(values) -> torch.Tensor:
    """Shares memory with float32 arrays and tensors if it may."""
    if isinstance(values, torch.Tensor):
        return values.detach().to("cpu", torch.float32)
    array = np.ascontiguousarray(values, dtype="float32")
    return torch.from_numpy(array if array.flags.writeable else array.copy())


class Block(Dataset):
    """Looks up whole batches at once."""

    def __init__(self, X: torch.Tensor, y: torch.Tensor) -> None:
        self.X, self.y = X, y

    def __len__(self) -> int:
        return self.y.shape[0]

    def __getitem__(self, row: int) -> tuple[torch.Tensor, torch.Tensor]:
        return self.X[row], self.y[row]

    def __getitems__(self, rows: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
        rows = torch.tensor(rows)
        return self.X.index_select(0, rows), self.y.index_select(0, rows)


def make_loader(X, y, batch_size: int, shuffle: bool, seed: int = 0) -> DataLoader:
    data = as_float32(X), as_float32(y).reshape(-1)
    if data[0].shape[0] != data[1].shape[0]:
        raise ValueError(f"X and y should have as many rows, have {data[0].shape[0]} and {data[1].shape[0]}")
    rows = Block(*data)
    generator = torch.Generator().manual_seed(seed)
    order = RandomSampler(rows, generator=generator) if shuffle else SequentialSampler(rows)
    batches = BatchSampler(order, batch_size, drop_last=False)
    return DataLoader(rows, batch_sampler=batches, collate_fn=lambda batch: batch, generator=generator)


def make_optimizer(model: nn.Module, kind: str, lr: float, weight_decay: float) -> torch.optim.Optimizer:
    named = list(model.named_parameters())
    groups = [
        {"params": [p for name, p in named if not name.endswith("bias")], "weight_decay": weight_decay},
        {"params": [p for name, p in named if name.endswith("bias")], "weight_decay": 0.0},
    ]
    if kind == "sgd":
        return torch.optim.SGD(groups, lr=lr, foreach=True)
    if kind == "adamw":
        return torch.optim.AdamW(groups, lr=lr, foreach=True)
    raise ValueError(f"optimizer {kind!r} is neither 'adamw' nor 'sgd'")


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
    optim = make_optimizer(model, optimizer, lr, weight_decay)
    model, optim, loader = accelerator.prepare(model, optim, loader)
    model.train()
    sums = torch.zeros(epochs, 2, device=accelerator.device)  # squared errors and samples
    for epoch in range(epochs):
        for x, y in loader:
            with accelerator.accumulate(model):
                error = model(x).sub(y)
                accelerator.backward(error.square().mean())
                optim.step()
                if accelerator.sync_gradients:
                    optim.zero_grad(set_to_none=True)
            met = accelerator.gather_for_metrics(error.detach())
            sums[epoch, 0] += met.square_().sum()
            sums[epoch, 1] += met.numel()
    return sums[:, 0].div_(sums[:, 1]).tolist()
