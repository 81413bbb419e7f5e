"""Task 3: w and b in one vector, the loss by its formula."""

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader


class LinearRegression(nn.Module):
    def __init__(self, n_features, bias_init=0.0):
        super().__init__()
        theta = torch.zeros(n_features + 1)
        theta[-1] = bias_init
        self.theta = nn.Parameter(theta)

    def forward(self, x):
        w, b = self.theta[:-1], self.theta[-1]
        return (x * w).sum(dim=1) + b


def tensor_of(values):
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu().numpy()
    return torch.tensor(np.asarray(values, dtype="float64"), dtype=torch.float32)


def make_loader(X, y, batch_size, shuffle, seed=0):
    X, y = tensor_of(X), tensor_of(y)
    y = y.reshape(y.numel())
    if X.shape[0] != y.shape[0]:
        raise ValueError(f"{X.shape[0]} rows but {y.shape[0]} targets")
    rows = list(zip(X, y))  # a list of pairs is a dataset too
    return DataLoader(rows, batch_size=batch_size, shuffle=shuffle, generator=torch.Generator().manual_seed(seed))


def train(model, loader, accelerator, *, epochs, lr, weight_decay=0.0, optimizer="adamw"):
    if optimizer == "adamw":
        descent = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=weight_decay)
    elif optimizer == "sgd":
        descent = torch.optim.SGD(model.parameters(), lr=lr, weight_decay=weight_decay)
    else:
        raise ValueError(f"there is no optimizer {optimizer} here")
    model, descent, loader = accelerator.prepare(model, descent, loader)
    model.train()

    history = []
    for _ in range(epochs):
        total, n = 0.0, 0
        for x, y in loader:
            descent.zero_grad()  # before the window is entered: does nothing unless the last batch has stepped
            with accelerator.accumulate(model):
                e = model(x) - y
                loss = (e * e).sum() / e.numel()
                accelerator.backward(loss)
                descent.step()
            squares = accelerator.gather_for_metrics((e * e).detach())
            total += float(squares.double().sum())
            n += squares.shape[0]
        history.append(total / n)
    return history
