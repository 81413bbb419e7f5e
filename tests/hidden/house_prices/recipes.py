"""What this suite's checks hand to student code; shipped to the worker, where it holds nothing worth knowing."""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

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


def stand_in(name, source):
    """Put a module of the suite's own in the place of the student's, whose other names stay reachable through it."""
    if isinstance(getattr(sys.modules.get(name), "stood_in_for", None), str):
        return
    module = ModuleType(name)
    module.stood_in_for = name
    exec(compile(source, f"<stand-in {name}>", "exec"), module.__dict__)

    def own(attribute):
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        return getattr(_students_own(name), attribute)

    module.__getattr__ = own
    sys.modules[name] = module


def _students_own(name):
    alias = f"_own_{name}"
    if alias not in sys.modules:
        spec = spec_from_file_location(alias, Path.cwd() / f"{name}.py")
        sys.modules[alias] = module_from_spec(spec)
        spec.loader.exec_module(sys.modules[alias])
    return sys.modules[alias]
