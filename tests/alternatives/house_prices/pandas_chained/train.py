"""Task 3: a linear model and its loop."""

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from accelerate import Accelerator
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class LinearRegression(nn.Module):
    def __init__(self, n_features: int, bias_init: float = 0.0) -> None:
        super().__init__()
        self.linear = nn.Linear(n_features, 1)
        nn.init.zeros_(self.linear.weight)
        nn.init.constant_(self.linear.bias, bias_init)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.linear(x).squeeze(-1)


def as_float_tensor(values: object) -> torch.Tensor:
    if isinstance(values, torch.Tensor):
        return values.detach().to("cpu", torch.float32, copy=True)
    return torch.tensor(np.asarray(values, dtype="float32"))


def make_loader(X: object, y: object, batch_size: int, shuffle: bool, seed: int = 0) -> DataLoader:
    X, y = as_float_tensor(X), as_float_tensor(y).flatten()
    if len(X) != len(y):
        raise ValueError(f"{len(X)} rows of features, but {len(y)} targets")
    generator = torch.Generator().manual_seed(seed)
    return DataLoader(TensorDataset(X, y), batch_size=batch_size, shuffle=shuffle, generator=generator)


def make_optimizer(model: nn.Module, kind: str, lr: float, weight_decay: float) -> torch.optim.Optimizer:
    kinds = {"adamw": torch.optim.AdamW, "sgd": torch.optim.SGD}
    if kind not in kinds:
        raise ValueError(f"expected one of {list(kinds)}, found {kind!r}")
    parameters = pd.Series(dict(model.named_parameters()), dtype="object")
    is_bias = parameters.index.str.endswith("bias")
    groups = [
        {"params": parameters[~is_bias].tolist(), "weight_decay": weight_decay},
        {"params": parameters[is_bias].tolist(), "weight_decay": 0.0},
    ]
    return kinds[kind](groups, lr=lr)


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
    model, stepper, loader = accelerator.prepare(model, make_optimizer(model, optimizer, lr, weight_decay), loader)
    model.train()
    errors = []
    for epoch in range(epochs):
        for x, y in loader:
            with accelerator.accumulate(model):
                prediction = model(x)
                accelerator.backward(F.mse_loss(prediction, y))
                stepper.step()
                stepper.zero_grad()
            met = accelerator.gather_for_metrics((prediction.detach() - y).square())
            errors.append(pd.DataFrame({"epoch": epoch, "squared": met.double().cpu().numpy()}))
    return pd.concat(errors).groupby("epoch")["squared"].mean().tolist() if errors else []
