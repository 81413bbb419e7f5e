"""What this suite's checks hand to student code; shipped to the worker, where it holds nothing worth knowing."""

import torch
from torch import nn


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


def in_mode(model, training):
    """The model in training or in eval mode."""
    return model.train(training)
