"""Task 3: a linear model, and a loop that checks what it gets."""

import logging
import math

import numpy as np
import torch
from accelerate import Accelerator
from torch import nn
from torch.utils.data import DataLoader, Dataset, TensorDataset
from tqdm.auto import tqdm

log = logging.getLogger(__name__)


class LinearRegression(nn.Module):
    def __init__(self, n_features: int, bias_init: float = 0.0) -> None:
        super().__init__()
        if n_features < 0:
            raise ValueError(f"n_features must not be negative, and it is {n_features}")
        if not math.isfinite(bias_init):
            raise ValueError(f"bias_init must be a finite number, and it is {bias_init}")
        self.n_features = n_features
        self.weights = nn.ParameterList([nn.Parameter(torch.zeros(n_features))])
        self.bias = nn.Parameter(torch.tensor([float(bias_init)]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.ndim != 2 or x.shape[1] != self.n_features:
            raise ValueError(f"expected (batch, {self.n_features}), got {tuple(x.shape)}")
        return (x * self.weights[0]).sum(dim=1) + self.bias


def as_float_tensor(values: object) -> torch.Tensor:
    if isinstance(values, torch.Tensor):
        return values.detach().to("cpu", torch.float32, copy=True)
    return torch.tensor(np.asarray(values, dtype="float32"))


def make_loader(X: object, y: object, batch_size: int, shuffle: bool, seed: int = 0) -> DataLoader:
    X, y = as_float_tensor(X), as_float_tensor(y)
    if X.ndim != 2:
        raise ValueError(f"X must be (n, n_features), and it is {tuple(X.shape)}")
    if y.ndim not in (1, 2) or y.numel() != y.shape[0]:
        raise ValueError(f"y must be (n,) or (n, 1), and it is {tuple(y.shape)}")
    if X.shape[0] != y.shape[0]:
        raise ValueError(f"X has {X.shape[0]} rows, y has {y.shape[0]}")
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, and it is {batch_size}")
    rows: Dataset = TensorDataset(X, y.reshape(-1))
    options = {"shuffle": True, "generator": torch.Generator().manual_seed(seed)} if shuffle else {"shuffle": False}
    return DataLoader(dataset=rows, batch_size=batch_size, drop_last=False, num_workers=0, **options)


def make_optimizer(model: nn.Module, kind: str, lr: float, weight_decay: float) -> torch.optim.Optimizer:
    if kind not in ("adamw", "sgd"):
        raise ValueError(f"optimizer must be 'adamw' or 'sgd', and it is {kind!r}")
    if lr < 0 or weight_decay < 0:
        raise ValueError(f"lr and weight_decay must not be negative: {lr}, {weight_decay}")
    named = list(model.named_parameters())
    groups = [
        {"params": [p for name, p in named if "bias" not in name], "weight_decay": weight_decay},
        {"params": [p for name, p in named if "bias" in name], "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    return (torch.optim.AdamW if kind == "adamw" else torch.optim.SGD)(groups, lr=lr)


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
    if epochs < 0:
        raise ValueError(f"epochs must not be negative, and it is {epochs}")
    prepared, stepper, batches = accelerator.prepare(
        model, make_optimizer(model, optimizer, lr, weight_decay), loader
    )
    stepper.zero_grad(set_to_none=True)
    history: list[float] = []
    # disable=None: no bar where nobody watches
    bar = tqdm(range(epochs), desc="training", leave=False, disable=None if accelerator.is_main_process else True)
    for epoch in bar:
        prepared.train()
        total, count = 0.0, 0
        for x, y in batches:
            with accelerator.accumulate(prepared):
                output = prepared(x)
                if output.shape != y.shape:
                    raise ValueError(f"the model gave {tuple(output.shape)} for targets {tuple(y.shape)}")
                loss = nn.functional.mse_loss(output, y, reduction="mean")
                accelerator.backward(loss)
                stepper.step()
                stepper.zero_grad(set_to_none=True)
            with torch.no_grad():
                met = accelerator.gather_for_metrics(nn.functional.mse_loss(output, y, reduction="none"))
            total += met.double().sum().item()
            count += met.numel()
        if count == 0:
            raise ValueError("the loader has no rows")
        history.append(total / count)
        bar.set_postfix(loss=history[-1])
        if not math.isfinite(history[-1]):
            log.warning("epoch %d: the loss is %s; try a smaller learning rate", epoch + 1, history[-1])
    model.train()
    return history
