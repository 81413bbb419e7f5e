"""Cells of our own, one day at a time, in a registry."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn


class Layer(nn.Module):
    """One recurrent layer: (batch, time, n_in) -> (batch, time, hidden_size)."""

    sets: ClassVar[int]
    registry: ClassVar[dict[str, type[Layer]]] = {}

    def __init_subclass__(cls, *, name: str, sets: int) -> None:
        cls.sets = sets
        Layer.registry[name] = cls

    def __init__(self, n_in: int, hidden_size: int) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        self.of_today = nn.Linear(n_in, self.sets * hidden_size)
        self.of_before = nn.Linear(hidden_size, self.sets * hidden_size)
        for block in self.of_before.weight.data.chunk(self.sets):
            nn.init.orthogonal_(block)
        nn.init.xavier_uniform_(self.of_today.weight)

    def day(self, today: Tensor, states: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        nothing = x.new_zeros(len(x), self.hidden_size)
        states: tuple[Tensor, ...] = (nothing, nothing)
        seen = []
        for today in self.of_today(x).unbind(dim=1):
            states = self.day(today, states)
            seen.append(states[0])
        return torch.stack(seen, dim=1)


class PlainLayer(Layer, name="rnn", sets=1):
    def day(self, today: Tensor, states: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return (torch.tanh(today + self.of_before(states[0])),)


class GatedLayer(Layer, name="gru", sets=3):
    def day(self, today: Tensor, states: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        h = states[0]
        (r, z, n), (of_r, of_z, of_n) = today.chunk(3, dim=1), self.of_before(h).chunk(3, dim=1)
        r, z = torch.sigmoid(r + of_r), torch.sigmoid(z + of_z)
        n = torch.tanh(n + r * of_n)
        return ((1 - z) * n + z * h,)


class LongShortLayer(Layer, name="lstm", sets=4):
    def day(self, today: Tensor, states: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        h, s = states
        i, f, g, o = (today + self.of_before(h)).chunk(4, dim=1)
        s = torch.sigmoid(f) * s + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(s), s


class PriceRNN(nn.Module):
    def __init__(
        self, n_features: int, hidden_size: int, num_layers: int = 1, dropout: float = 0.0, cell: str = "gru"
    ) -> None:
        super().__init__()
        try:
            kind = Layer.registry[cell]
        except KeyError:
            raise ValueError(f"cell {cell!r} is not one of {sorted(Layer.registry)}.") from None
        widths = [n_features] + [hidden_size] * num_layers
        stages: list[nn.Module] = []
        for n_in, n_out in zip(widths, widths[1:], strict=False):
            stages += [kind(n_in, n_out), nn.Dropout(dropout)]
        self.stages = nn.Sequential(*stages)
        self.linear = nn.Linear(hidden_size, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(self.stages(x)[:, -1]).squeeze(-1)
