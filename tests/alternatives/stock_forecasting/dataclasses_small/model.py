"""Task 3: recurrent cells, called once a day."""

from dataclasses import dataclass

import torch
from torch import nn

CELLS = {"gru": nn.GRU, "lstm": nn.LSTM, "rnn": nn.RNN}
ONE_DAY = {"gru": nn.GRUCell, "lstm": nn.LSTMCell, "rnn": nn.RNNCell}


@dataclass(frozen=True)
class Shape:
    n_features: int
    hidden_size: int
    num_layers: int
    cell: str

    def __post_init__(self) -> None:
        if self.cell not in ONE_DAY:
            raise ValueError(f"unknown cell {self.cell!r}, there are {', '.join(sorted(ONE_DAY))}")

    def layers(self) -> list[nn.Module]:
        widths = (self.n_features, *[self.hidden_size] * self.num_layers)
        return [ONE_DAY[self.cell](wide, after) for wide, after in zip(widths, widths[1:])]


class PriceRNN(nn.Module):
    def __init__(
        self, n_features: int, hidden_size: int, num_layers: int = 1, dropout: float = 0.0, cell: str = "gru"
    ) -> None:
        super().__init__()
        self.shape = Shape(n_features, hidden_size, num_layers, cell)
        self.cells = nn.ModuleList(self.shape.layers())
        self.drops = nn.ModuleList(nn.Dropout(dropout) for _ in self.cells)
        self.end = nn.Linear(hidden_size, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        memory = [None] * len(self.cells)  # None: zeros
        for today in x.unbind(dim=1):
            for i, (cell, drop) in enumerate(zip(self.cells, self.drops)):
                memory[i] = cell(today, memory[i])
                state = memory[i][0] if self.shape.cell == "lstm" else memory[i]
                today = drop(state)
        return self.end(today).flatten()
