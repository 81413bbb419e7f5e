"""Recurrent layers day by day, over cells of our own; the last day's features go around them to the end."""

import math

import torch
import torch.nn.functional as F
from torch import nn

CELLS = {"gru": nn.GRUCell, "lstm": nn.LSTMCell, "rnn": nn.RNNCell}


class Layer(nn.Module):
    """One cell over all days: (time, batch, n_in) -> (time, batch, n_out)."""

    def __init__(self, cell: str, n_in: int, n_out: int) -> None:
        super().__init__()
        self.cell = CELLS[cell](n_in, n_out)
        self.n_out = n_out

    def forward(self, days: torch.Tensor) -> torch.Tensor:
        state = days.new_zeros(days.shape[1], self.n_out)
        if isinstance(self.cell, nn.LSTMCell):
            state = state, torch.zeros_like(state)
        seen = []
        for day in days:
            state = self.cell(day, state)
            seen.append(state[0] if isinstance(state, tuple) else state)
        return torch.stack(seen)


class PriceRNN(nn.Module):
    def __init__(
        self, n_features: int, hidden_size: int, num_layers: int = 1, dropout: float = 0.0, cell: str = "gru"
    ) -> None:
        super().__init__()
        if cell not in CELLS.keys():
            raise ValueError(f"PriceRNN has no cell '{cell}'. It has: " + ", ".join(CELLS))
        self.p = dropout
        widths = [n_features] + [hidden_size] * num_layers
        self.layers = nn.Sequential(*(Layer(cell, widths[i], widths[i + 1]) for i in range(num_layers)))
        self.end = nn.Linear(hidden_size + n_features, 1)
        nn.init.normal_(self.end.weight, std=0.1 / math.sqrt(hidden_size))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        states = x.permute(1, 0, 2)
        for number, layer in enumerate(self.layers):
            if number:
                states = F.dropout(states, self.p, self.training)
            states = layer(states)
        last = torch.cat([states[-1], x[:, -1]], dim=-1)  # (batch, hidden_size + n_features)
        return self.end(F.dropout(last, self.p, self.training)).squeeze(1)
