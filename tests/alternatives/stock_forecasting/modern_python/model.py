"""Recurrent layers, chosen by name."""

from __future__ import annotations

import torch
from torch import Tensor, nn

CELLS: dict[str, type[nn.RNNBase]] = {"gru": nn.GRU, "lstm": nn.LSTM, "rnn": nn.RNN}


class PriceRNN(nn.Module):
    recurrent: nn.RNNBase

    def __init__(
        self, n_features: int, hidden_size: int, num_layers: int = 1, dropout: float = 0.0, cell: str = "gru"
    ) -> None:
        super().__init__()
        match cell:
            case "gru" | "lstm" | "rnn":
                layers = CELLS[cell]
            case other:
                raise ValueError(f"unknown cell {other!r}, expected one of {list(CELLS)}")
        self.recurrent = layers(
            input_size=n_features,
            hidden_size=hidden_size,
            num_layers=num_layers,
            dropout=dropout * (num_layers > 1),
        )
        self.dropout = nn.Dropout(p=dropout)
        self.linear = nn.Linear(hidden_size, 1)

    def forward(self, x: Tensor) -> Tensor:
        match self.recurrent(x.transpose(0, 1)):  # (time, batch, n_features)
            case _, (hidden, _):
                last = hidden[-1]
            case _, hidden:
                last = hidden[-1]  # (batch, hidden_size)
        return self.linear(self.dropout(last)).flatten()
