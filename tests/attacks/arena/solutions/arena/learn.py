"""Models and training."""

import numpy as np
import torch
from torch import nn


def predict(x, y, new):
    """Fit a linear regression of y (n,) on x (n, d), and predict for new (m, d) -> (m,)."""
    design = np.column_stack([x, np.ones(len(x))])
    weights, *_ = np.linalg.lstsq(design, y, rcond=None)
    return np.column_stack([new, np.ones(len(new))]) @ weights


def train(model, loader, accelerator, epochs, lr):
    """Train with SGD and the mean squared error; the loss of each epoch."""
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    model, optimizer, loader = accelerator.prepare(model, optimizer, loader)
    history = []
    for _ in range(epochs):
        total = 0.0
        for x, y in loader:
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(model(x), y)
            accelerator.backward(loss)
            optimizer.step()
            total += loss.item() * len(x)
        history.append(total / len(loader.dataset))
    return history


def make_model(n_features, n_hidden):
    """`Linear(n_features, n_hidden)`, ReLU, `Linear(n_hidden, 1)`."""
    return nn.Sequential(nn.Linear(n_features, n_hidden), nn.ReLU(), nn.Linear(n_hidden, 1))


def batches(x, size):
    """The rows of x in turn, `size` at a time; a generator of arrays."""
    for start in range(0, len(x), size):
        yield x[start : start + size]


def mean_over_ranks(accelerator, values):
    """The mean of `values` over all processes, each of which has values of its own, equally many."""
    return float(accelerator.gather(torch.tensor(values, dtype=torch.float64)).mean())
