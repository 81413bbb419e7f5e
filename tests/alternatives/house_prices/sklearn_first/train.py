"""Task 3: linear regression by gradient descent."""

from collections.abc import Iterator

import numpy as np
import torch
from accelerate import Accelerator
from sklearn.metrics import mean_squared_error
from sklearn.utils import check_consistent_length, check_random_state
from torch import nn
from torch.nn.functional import mse_loss
from torch.utils.data import DataLoader, Sampler, TensorDataset


class LinearRegression(nn.Module):
    """`coef_` and `intercept_`, as scikit-learn calls them."""

    def __init__(self, n_features: int, bias_init: float = 0.0) -> None:
        super().__init__()
        self.coef_ = nn.Parameter(torch.zeros(n_features, 1))
        self.intercept_ = nn.Parameter(torch.full((1,), float(bias_init)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.addmm(self.intercept_, x, self.coef_).squeeze(1)


class Shuffled(Sampler):
    """A new order each epoch, from scikit-learn's kind of random state."""

    def __init__(self, n: int, seed: int) -> None:
        self.n, self.random_state = n, check_random_state(seed)

    def __len__(self) -> int:
        return self.n

    def __iter__(self) -> Iterator[int]:
        return iter(self.random_state.permutation(self.n).tolist())


def make_loader(X: object, y: object, batch_size: int, shuffle: bool, seed: int = 0) -> DataLoader:
    X, y = (v.detach().cpu().float() if isinstance(v, torch.Tensor) else np.asarray(v, "float32") for v in (X, y))
    check_consistent_length(X, y)
    rows = TensorDataset(torch.asarray(X, copy=True), torch.asarray(y, copy=True).reshape(-1))
    return DataLoader(rows, batch_size, sampler=Shuffled(len(rows), seed) if shuffle else None)


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
    free = [p for name, p in model.named_parameters() if name.split(".")[-1] in ("bias", "intercept_")]
    decayed = [p for name, p in model.named_parameters() if name.split(".")[-1] not in ("bias", "intercept_")]
    groups = [{"params": decayed}, {"params": free, "weight_decay": 0}]
    match optimizer:
        case "adamw":
            opt = torch.optim.AdamW(groups, lr, weight_decay=weight_decay)
        case "sgd":
            opt = torch.optim.SGD(groups, lr, weight_decay=weight_decay)
        case _:
            raise ValueError(f"optimizer is {optimizer!r}, not 'adamw' or 'sgd'")
    loader, opt, model = accelerator.prepare(loader, opt, model)
    model.train()
    losses = []
    for _ in range(epochs):
        met = []
        for X, y in loader:
            with accelerator.accumulate(model):
                y_pred = model(X)
                accelerator.backward(mse_loss(y_pred, y))
                opt.step()
                opt.zero_grad()
            met.append([part.float().cpu().numpy() for part in accelerator.gather_for_metrics((y, y_pred.detach()))])
        losses.append(float(mean_squared_error(*map(np.concatenate, zip(*met)))))
    return losses
