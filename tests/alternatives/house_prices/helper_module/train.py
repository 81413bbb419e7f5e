import numpy as np
import torch
from helpers import every_row
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

OPTIMIZERS = {"adamw": torch.optim.AdamW, "sgd": torch.optim.SGD}


class LinearRegression(nn.Module):
    def __init__(self, n_features, bias_init=0.0):
        super().__init__()
        self.linear = nn.Linear(n_features, 1)
        with torch.no_grad():
            self.linear.weight.zero_()
            self.linear.bias.fill_(bias_init)

    def forward(self, x):
        return self.linear(x).squeeze(1)


def as_float_tensor(values):
    if isinstance(values, torch.Tensor):
        return values.detach().to("cpu", torch.float32, copy=True)
    return torch.tensor(np.asarray(values, dtype="float32"))


class Rows(TensorDataset):
    def __getitems__(self, rows):
        return self[rows]


def make_loader(X, y, batch_size, shuffle, seed=0):
    X, y = as_float_tensor(X), as_float_tensor(y).reshape(-1)
    try:
        rows = Rows(X, y)
    except AssertionError:
        raise ValueError(f"X has {len(X)} rows, y has {len(y)}") from None
    generator = torch.Generator().manual_seed(seed)
    return DataLoader(rows, batch_size, shuffle=shuffle, generator=generator, collate_fn=tuple)


def train(model, loader, accelerator, *, epochs, lr, weight_decay=0.0, optimizer="adamw"):
    if optimizer not in OPTIMIZERS:
        raise ValueError(f"optimizer is {optimizer!r}, must be one of {list(OPTIMIZERS)}")
    optim = OPTIMIZERS[optimizer](model.parameters(), lr=lr, weight_decay=weight_decay)
    model, optim, loader = accelerator.prepare(model, optim, loader)
    criterion = nn.MSELoss()
    model.train()

    def step(x, y):
        with accelerator.accumulate(model):
            predicted = model(x)
            accelerator.backward(criterion(predicted, y))
            optim.step()
            optim.zero_grad()
        return predicted

    history = []
    for _ in range(epochs):
        total, n = 0.0, 0
        for predicted, y in every_row(loader, accelerator, step):
            total += nn.functional.mse_loss(predicted, y, reduction="sum").item()
            n += len(y)
        history.append(total / n)
    return history
