"""The networks that the checks of task 3 hand to `train`, and tools that look into a network.

Shipped to the worker, where it holds nothing worth knowing.
"""

import importlib
import os
import random
import threading

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class ProbeNet(nn.Module):
    """A tanh layer over a flattened window, then a sum: (batch, time, n_features) -> (batch,).

    What makes it tell mistakes apart: answers are multiplied by `quiet` in eval mode, and by 1 + `drift` for each batch
    that it was trained on before; `grad_offset` is added where gradients are recorded; `dropout` works as usual. To windows
    that begin with `MARK` it answers a number nearer to 0 after each batch: with target 0 each epoch is the best so far.
    Each batch takes `pause` seconds.
    """

    MARK = 1000

    def __init__(self, first, second, quiet=1.0, drift=0.0, grad_offset=0.0, dropout=0.0, pause=0.0):
        super().__init__()
        self.first, self.second = (nn.Parameter(torch.tensor(w, dtype=torch.float32)) for w in (first, second))
        self.quiet, self.drift, self.grad_offset, self.pause = quiet, drift, grad_offset, pause
        self.dropout = nn.Dropout(dropout)
        self.register_buffer("batches", torch.zeros((), dtype=torch.int64))

    def forward(self, x):
        threading.Event().wait(self.pause)
        if float(x[0, 0, 0]) >= self.MARK:
            return torch.ones(len(x)) / (2 + self.batches)
        records = torch.is_grad_enabled()
        scale = (1 + self.drift * int(self.batches)) * (1.0 if self.training else self.quiet)
        self.batches += int(records)
        hidden = self.dropout(torch.tanh(x.flatten(1) @ self.first.T))  # (batch, hidden)
        return scale * (hidden @ self.second) + self.grad_offset * records


class ProbeClock(nn.Module):
    """One number that training moves, and validation answers that are planned: (batch, time, n_features) -> (batch,).

    A window that begins with (1000 + i, y) is row i of the validation part, with target y: it is answered y + r, r being
    that of row i in the `course`'s entry for the epoch, which has `length` training batches. Other windows are answered
    with the number. Training on after `end` epochs is an error that begins with `LATE`.
    """

    MARK, LATE = 1000, "trained too long"

    def __init__(self, start, course, length, end):
        super().__init__()
        self.hand = nn.Parameter(torch.tensor([start], dtype=torch.float32))
        self.course, self.length, self.end = torch.tensor(course, dtype=torch.float32), length, end
        self.register_buffer("batches", torch.zeros((), dtype=torch.int64))

    def forward(self, x):
        if float(x[0, 0, 0]) < self.MARK:
            self.batches += 1
            if self.batches > self.end * self.length:
                raise RuntimeError(f"{self.LATE}: a batch after {self.end} epochs")
            return self.hand.expand(len(x))
        epoch = min(max(0, int(self.batches) - 1) // self.length, len(self.course) - 1)
        rows = (x[:, 0, 0] - self.MARK).round().long()
        return x[:, 0, 1] + self.course[epoch, rows]


class ProbeRegressor(nn.Module):
    """A small GRU over a window with a linear layer on its last state, its first weights drawn by seed."""

    def __init__(self, n_features, hidden, seed):
        super().__init__()
        torch.manual_seed(seed)
        self.gru, self.head = nn.GRU(n_features, hidden, batch_first=True), nn.Linear(hidden, 1)

    def forward(self, x):
        return self.head(self.gru(x)[0][:, -1]).squeeze(-1)


def probe_config(**settings):
    """A `TrainConfig` of the student's file, built where the call is made."""
    return importlib.import_module("train").TrainConfig(**settings)


def probe_in_eval_mode(model):
    return model.eval()


def probe_shares(x, y, batch_size):
    """A loader as each process has it: only the batches that `prepare` leaves to this one hold what they should.

    The rows of others are far away, with targets on the other side: nobody trains on them who shares batches out.
    """
    rank, ranks = (int(os.environ.get(name, default)) for name, default in (("RANK", 0), ("WORLD_SIZE", 1)))
    others = (np.arange(len(x)) // batch_size) % ranks != rank
    x, y = np.where(others[:, None, None], x + 100, x), np.where(others, -y, y)
    return DataLoader(TensorDataset(*(torch.tensor(part, dtype=torch.float32) for part in (x, y))), batch_size)


def probe_shuffled(x, y, batch_size, seed):
    """A shuffling loader: with a generator of its own in the state that the seed gives, or, without a seed, with none."""
    generator = None if seed is None else torch.Generator().manual_seed(seed)
    data = TensorDataset(*(torch.tensor(np.array(part), dtype=torch.float32) for part in (x, y)))
    return DataLoader(data, batch_size, shuffle=True, generator=generator)


def probe_stir(seed):
    """Leave every generator of random numbers in another state."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def probe_set(model, seed, size):
    """Give all parameters values of their own, evenly between -size and size, whatever they were initialised to.

    Without a seed each number of each is `size`.
    """
    generator = None if seed is None else torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            drawn = (
                torch.ones_like(parameter) if seed is None else 2 * torch.rand(parameter.shape, generator=generator) - 1
            )
            parameter.copy_(size * drawn)


def probe_answers(model, batches, training=False):
    """What the model, in training or in eval mode, answers to one batch after the other."""
    model.train(training)
    with torch.no_grad():
        return [model(torch.tensor(np.array(batch), dtype=torch.float32)).clone() for batch in batches]


def probe_shifted(model, batch):
    """By the name of each parameter: the model's answers with that parameter 1 larger than it is."""
    answers = {}
    for name, parameter in model.named_parameters():
        parameter.data += 1
        answers[name] = probe_answers(model, [batch])[0]
        parameter.data -= 1
    return answers
