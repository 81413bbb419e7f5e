"""Task 3: each part is prepared by its own method, and gradients are synchronised by hand."""

from contextlib import nullcontext

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.data_loader import SeedableRandomSampler
from torch import nn
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import DataLoader, TensorDataset


class LinearRegression(nn.Linear):
    def __init__(self, n_features: int, bias_init: float = 0.0) -> None:
        super().__init__(n_features, 1)
        nn.init.constant_(self.bias, bias_init)  # the weights start at random, as nn.Linear likes it

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x).squeeze(dim=-1)


def as_float_tensor(values: object) -> torch.Tensor:
    if isinstance(values, torch.Tensor):
        return values.detach().to("cpu", torch.float32, copy=True)
    return torch.tensor(np.asarray(values, dtype="float32"))


def make_loader(X: object, y: object, batch_size: int, shuffle: bool, seed: int = 0) -> DataLoader:
    X, y = as_float_tensor(X), as_float_tensor(y).reshape(-1)
    if X.size(0) != y.size(0):
        raise ValueError(f"expected as many targets as rows, found {y.size(0)} for {X.size(0)}")
    rows = TensorDataset(X, y)
    # Its order follows from the seed and the number of the epoch, on every process alike.
    sampler = SeedableRandomSampler(rows, data_seed=seed) if shuffle else None
    return DataLoader(rows, batch_size=batch_size, sampler=sampler)


def make_optimizer(model: nn.Module, kind: str, lr: float, weight_decay: float) -> torch.optim.Optimizer:
    if kind not in {"adamw", "sgd"}:
        raise ValueError(f"unknown optimizer: {kind}")
    is_bias = {name: name.split(".")[-1] == "bias" for name, _ in model.named_parameters()}
    groups = [
        {"params": [p for name, p in model.named_parameters() if is_bias[name] is bias], "weight_decay": decay}
        for bias, decay in ((False, weight_decay), (True, 0.0))
    ]
    return torch.optim.AdamW(groups, lr=lr) if kind == "adamw" else torch.optim.SGD(groups, lr=lr)


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
    loader = accelerator.prepare_data_loader(loader)
    model = accelerator.prepare_model(model)
    stepper = accelerator.prepare_optimizer(make_optimizer(model, optimizer, lr, weight_decay))
    schedule = accelerator.prepare_scheduler(LambdaLR(stepper.optimizer, lambda step: 1.0))  # constant
    loss_function = nn.MSELoss(reduction="none")
    state, window, history = accelerator.gradient_state, 0, []
    model.train()
    for _ in range(epochs):
        losses = []
        for x, y in loader:
            window += 1
            last = state.end_of_dataloader and state.sync_with_dataloader
            accelerator.sync_gradients = last or window % accelerator.gradient_accumulation_steps == 0
            window = 0 if last else window
            with nullcontext() if accelerator.sync_gradients else accelerator.no_sync(model):
                loss = loss_function(model(x), y)
                accelerator.backward(loss.mean())
            if accelerator.sync_gradients:
                stepper.step()
                schedule.step()
                stepper.zero_grad()
            everyone = accelerator.gather(loss.detach())
            if state.end_of_dataloader and state.remainder > 0:
                everyone = everyone[: state.remainder]  # the rest are repeats
            losses.append(everyone.double())
        history.append(torch.cat(losses).mean().item())
    accelerator.sync_gradients = True
    return history


if __name__ == "__main__":
    from accelerate.utils import GradientAccumulationPlugin

    plugin = GradientAccumulationPlugin(num_steps=2, sync_each_batch=True)
    x = torch.randn(64, 3)
    batches = make_loader(x, x @ torch.tensor([1.0, 2.0, 3.0]) + 4, 8, shuffle=True)
    line = LinearRegression(3)
    print(train(line, batches, Accelerator(gradient_accumulation_plugin=plugin), epochs=30, lr=0.1, optimizer="sgd"))
    print(line.weight, line.bias)
