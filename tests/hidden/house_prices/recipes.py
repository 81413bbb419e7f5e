"""What this suite's checks hand to student code; shipped to the worker, where it holds nothing worth knowing."""

import os

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def same(value):
    """The value itself, kept in the worker."""
    return value


class Linear(nn.Module):
    """A linear model with given weights: (batch, features) -> (batch,)."""

    def __init__(self, weight, bias):
        super().__init__()
        self.linear = nn.Linear(len(weight), 1)
        self.linear.weight.data = torch.tensor(weight, dtype=torch.float32).reshape(1, -1)
        self.linear.bias.data = torch.tensor([bias], dtype=torch.float32)

    def forward(self, x):
        return self.linear(x).squeeze(-1)


class Moody(Linear):
    """Answers `quiet` times as much in eval mode as in training mode, and adds 100 where gradients are recorded."""

    def __init__(self, weight, bias, quiet=1.0, grad_offset=0.0):
        super().__init__(weight, bias)
        self.quiet, self.grad_offset = quiet, grad_offset

    def forward(self, x):
        scale = 1.0 if self.training else self.quiet
        return super().forward(x) * scale + self.grad_offset * torch.is_grad_enabled()


class Centred(Linear):
    """Answers by how far each row is from its batch's mean: batches put together are another batch."""

    def forward(self, x):
        return super().forward(x - x.mean(dim=0))


class TwoLayers(nn.Module):
    """Two layers with a tanh between, so that lower precision inside shows: (batch, features) -> (batch,)."""

    def __init__(self, first, second):
        super().__init__()
        self.first = nn.Linear(first.shape[1], first.shape[0], bias=False)
        self.second = nn.Linear(first.shape[0], 1, bias=False)
        self.first.weight.data = torch.tensor(first, dtype=torch.float32)
        self.second.weight.data = torch.tensor(second, dtype=torch.float32).reshape(1, -1)

    def forward(self, x):
        return self.second(torch.tanh(self.first(x))).squeeze(-1)


def shared(X, y, batch_size):
    """A loader over the rows; those that Accelerate gives to other processes are spoilt in this process's own copy."""
    rank, processes = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    others = torch.arange(len(X)) // batch_size % processes != rank
    X, y = (torch.tensor(part, dtype=torch.float32) for part in (X, y))
    X[others] += 100
    y[others] -= 100
    return DataLoader(TensorDataset(X, y), batch_size=batch_size)


def move(model, numbers):
    """Add to the entries of the model's parameters one number each; should there be more entries, again from the first."""
    entries = nn.utils.parameters_to_vector(model.parameters()).detach()
    added = torch.tensor(np.resize(numbers, len(entries)), dtype=torch.float32)
    nn.utils.vector_to_parameters(entries + added, model.parameters())


def in_mode(model, training):
    """The model in training or in eval mode."""
    return model.train(training)
