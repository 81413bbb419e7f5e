"""What the checks of evaluate hand to student code; shipped to the worker, where it holds nothing worth knowing."""

import numpy as np
import torch
from torch import nn


class Forecaster(nn.Module):
    """One number for a window, from its first and its last day: (batch, time, features) -> (batch,).

    `quiet` multiplies its answers in eval mode; `grad_offset` is added where gradients are recorded.
    """

    def __init__(self, weight, bias, quiet=1.0, grad_offset=0.0):
        super().__init__()
        self.linear = nn.Linear(len(weight), 1)
        self.linear.weight.data = torch.tensor(weight, dtype=torch.float32).reshape(1, -1)
        self.linear.bias.data = torch.tensor([bias], dtype=torch.float32)
        self.quiet, self.grad_offset = quiet, grad_offset

    def forward(self, x):
        days = x[:, -1] - 0.5 * x[:, 0]  # (batch, features)
        scale = 1.0 if self.training else self.quiet
        return self.linear(days).squeeze(-1) * scale + self.grad_offset * torch.is_grad_enabled()


def forecaster_in_mode(training, *arguments, **settings):
    """A `Forecaster` in training or in eval mode."""
    return Forecaster(*arguments, **settings).train(training)


class TargetScale:
    """The half of a fitted `Scaler` that takes targets back to log returns."""

    def __init__(self, mean, std):
        self.mean, self.std = mean, std

    def inverse_target(self, y):
        return np.asarray(y, dtype="float64") * self.std + self.mean
