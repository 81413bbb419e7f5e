"""A linear model, and a generator of epochs that trains it."""

from contextlib import contextmanager
from functools import partial

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class LinearRegression(nn.Module):
    def __init__(self, n_features, bias_init=0.0):
        super().__init__()
        layer = nn.Linear(n_features, 1)
        nn.init.zeros_(layer.weight)
        nn.init.constant_(layer.bias, bias_init)
        self.net = nn.Sequential(layer, nn.Flatten(0))

    def forward(self, x):
        return self.net(x)


class Pairs(Dataset):
    def __init__(self, X, y):
        self.X, self.y = X, y

    def __len__(self):
        return len(self.y)

    def __getitem__(self, row):
        return self.X[row], self.y[row]


def floats(values):
    if torch.is_tensor(values):
        return values.detach().clone().float()
    return torch.tensor(np.asarray(values, dtype=np.float32))


def make_loader(X, y, batch_size, shuffle, seed=0):
    X, y = floats(X), floats(y).reshape(-1)
    if X.shape[0] != y.shape[0]:
        raise ValueError(f"X has {X.shape[0]} rows and y {y.shape[0]}")
    generator = torch.Generator()
    generator.manual_seed(seed)
    return DataLoader(Pairs(X, y), batch_size=batch_size, shuffle=shuffle, generator=generator, drop_last=False)


def optimizer_for(kind, lr, weight_decay):
    kinds = {"adamw": partial(torch.optim.AdamW, lr=lr), "sgd": partial(torch.optim.SGD, lr=lr, momentum=0.0)}
    if kind not in kinds:
        raise ValueError(f"optimizer must be one of {sorted(kinds)}, not {kind}")

    def build(model):
        def named(bias):
            return [p for name, p in model.named_parameters() if (name.rpartition(".")[2] == "bias") is bias]

        weights, biases = named(False), named(True)
        return kinds[kind]([{"params": weights, "weight_decay": weight_decay}, {"params": biases, "weight_decay": 0}])

    return build


def stepper(model, optimizer, accelerator):
    @contextmanager
    def window():
        with accelerator.accumulate(model):
            yield
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)

    def step(x, y):
        with window():
            squares = (model(x) - y).square()
            accelerator.backward(squares.mean())
        return squares.detach()

    return step


def train(model, loader, accelerator, *, epochs, lr, weight_decay=0.0, optimizer="adamw"):
    model, optim, batches = accelerator.prepare(model, optimizer_for(optimizer, lr, weight_decay)(model), loader)
    step = stepper(model.train(), optim, accelerator)

    def squares():
        for x, y in batches:
            yield from accelerator.gather_for_metrics(step(x, y)).tolist()

    return [float(np.fromiter(squares(), dtype="float64").mean()) for _ in range(epochs)]
