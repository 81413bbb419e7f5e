"""Task 3 in its shortest form, for the checks of tasks that build on it: one process, the same batches each epoch."""

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class LinearRegression(nn.Module):
    def __init__(self, n_features, bias_init=0.0):
        super().__init__()
        self.linear = nn.Linear(n_features, 1)
        nn.init.zeros_(self.linear.weight)
        nn.init.constant_(self.linear.bias, bias_init)

    def forward(self, x):
        return self.linear(x).squeeze(-1)


def make_loader(X, y, batch_size, shuffle, seed=0):
    X, y = (torch.tensor(np.asarray(part, dtype="float32")) for part in (X, y))
    generator = torch.Generator().manual_seed(seed)
    return DataLoader(TensorDataset(X, y.reshape(-1)), batch_size=batch_size, shuffle=shuffle, generator=generator)


def train(model, loader, accelerator, *, epochs, lr, weight_decay=0.0, optimizer="adamw"):
    weights = [{"params": [p], "weight_decay": weight_decay if p.ndim > 1 else 0.0} for p in model.parameters()]
    stepper = {"adamw": torch.optim.AdamW, "sgd": torch.optim.SGD}[optimizer](weights, lr=lr)
    model.train()
    history, batches = [], list(loader)
    for _ in range(epochs):
        total = rows = 0
        for x, y in batches:
            loss = nn.functional.mse_loss(model(x), y)
            stepper.zero_grad()
            loss.backward()
            stepper.step()
            total, rows = total + loss.item() * len(y), rows + len(y)
        history.append(total / rows)
    return history
