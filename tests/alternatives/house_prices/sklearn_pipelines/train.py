"""nn.Linear, and a loop for Accelerate."""

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class LinearRegression(nn.Module):
    """One linear layer; its weights start at zero."""

    def __init__(self, n_features, bias_init=0.0):
        super().__init__()
        self.linear = nn.Linear(n_features, 1)
        nn.init.zeros_(self.linear.weight)
        nn.init.constant_(self.linear.bias, bias_init)

    def forward(self, x):
        return self.linear(x).squeeze(-1)


def as_float_tensor(values):
    if isinstance(values, torch.Tensor):
        return values.detach().cpu().float()
    return torch.tensor(np.asarray(values, dtype="float32"))


def make_loader(X, y, batch_size, shuffle, seed=0):
    X, y = as_float_tensor(X), as_float_tensor(y).flatten()
    if len(X) != len(y):
        raise ValueError(f"X has {len(X)} rows and y has {len(y)}")
    generator = torch.Generator().manual_seed(seed)
    return DataLoader(TensorDataset(X, y), batch_size=batch_size, shuffle=shuffle, generator=generator)


def make_optimizer(model, name, lr, weight_decay):
    kinds = {"adamw": torch.optim.AdamW, "sgd": torch.optim.SGD}
    if name not in kinds:
        raise ValueError(f"unknown optimizer {name!r}")
    weights = [p for n, p in model.named_parameters() if not n.endswith("bias")]
    biases = [p for n, p in model.named_parameters() if n.endswith("bias")]
    groups = [{"params": weights, "weight_decay": weight_decay}, {"params": biases, "weight_decay": 0.0}]
    return kinds[name](groups, lr=lr)


def train(model, loader, accelerator, *, epochs, lr, weight_decay=0.0, optimizer="adamw"):
    opt = make_optimizer(model, optimizer, lr, weight_decay)
    model, opt, loader = accelerator.prepare(model, opt, loader)
    criterion = nn.MSELoss()
    history = []
    model.train()
    opt.zero_grad()
    for _ in range(epochs):
        total, count = 0.0, 0
        for x, y in loader:
            with accelerator.accumulate(model):
                y_pred = model(x)
                loss = criterion(y_pred, y)
                accelerator.backward(loss)
                opt.step()
                opt.zero_grad()
            errors = accelerator.gather_for_metrics((y_pred.detach() - y) ** 2)
            total += errors.sum().item()
            count += len(errors)
        history.append(total / count)
    return history
