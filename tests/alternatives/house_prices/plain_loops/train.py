"""A linear model made of two parameters, and its training loop."""

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class LinearRegression(nn.Module):
    """Weights (n_features,) and a bias (), all weights 0 at first."""

    def __init__(self, n_features, bias_init=0.0):
        super().__init__()
        self.weights = nn.Parameter(torch.zeros(n_features))
        self.bias = nn.Parameter(torch.tensor(float(bias_init)))

    def forward(self, x):
        return (x * self.weights).sum(dim=1) + self.bias


class Houses(Dataset):
    """Features and target of one house at a time."""

    def __init__(self, X, y):
        self.X, self.y = X, y

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return self.X[i], self.y[i]


def to_tensor(values):
    if torch.is_tensor(values):
        values = values.detach().cpu().numpy()
    return torch.tensor(np.array(values, dtype=np.float32))


def make_loader(X, y, batch_size, shuffle, seed=0):
    X = to_tensor(X)
    y = to_tensor(y).reshape(-1)
    if X.shape[0] != y.shape[0]:
        raise ValueError("X and y must have the same number of rows.")
    generator = torch.Generator()
    generator.manual_seed(seed)
    return DataLoader(Houses(X, y), batch_size=batch_size, shuffle=shuffle, generator=generator)


def train(model, loader, accelerator, *, epochs, lr, weight_decay=0.0, optimizer="adamw"):
    if optimizer == "adamw":
        optim = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=weight_decay)
    elif optimizer == "sgd":
        optim = torch.optim.SGD(model.parameters(), lr=lr, weight_decay=weight_decay)
    else:
        raise ValueError("optimizer must be adamw or sgd")
    optim.zero_grad()
    model, optim, loader = accelerator.prepare(model, optim, loader)

    losses = []
    for _epoch in range(epochs):
        model.train()
        sum_of_squares = torch.zeros((), device=accelerator.device)
        count = torch.zeros((), device=accelerator.device)
        for x, y in loader:
            with accelerator.accumulate(model):
                squares = (model(x) - y) ** 2
                accelerator.backward(squares.mean())
                optim.step()
                optim.zero_grad()
            sum_of_squares += squares.detach().sum()
            count += y.shape[0]
        sum_of_squares = accelerator.reduce(sum_of_squares, reduction="sum")
        count = accelerator.reduce(count, reduction="sum")
        losses.append(sum_of_squares.item() / count.item())
    return losses
