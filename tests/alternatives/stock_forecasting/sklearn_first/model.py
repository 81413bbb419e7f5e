"""Task 3: recurrent layers and a linear end."""

import torch
from torch import nn
from torch.nn import functional as F

CELLS = {"gru": nn.GRU, "lstm": nn.LSTM, "rnn": nn.RNN}


class PriceRNN(nn.Module):
    def __init__(
        self, n_features: int, hidden_size: int, num_layers: int = 1, dropout: float = 0.0, cell: str = "gru"
    ) -> None:
        super().__init__()
        recurrent = CELLS.get(cell)
        if recurrent is None:
            raise ValueError(f"cell={cell!r} is none of {list(CELLS)}")
        self.recurrent = recurrent(
            input_size=n_features,
            hidden_size=hidden_size,
            num_layers=num_layers,
            batch_first=True,
            dropout=dropout * (num_layers > 1),
        )
        self.p = dropout
        self.weight = nn.Parameter(torch.empty(hidden_size).normal_(std=hidden_size**-0.5))
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        _, memory = self.recurrent(x)
        top = (memory[0] if isinstance(memory, tuple) else memory)[-1]  # (batch, hidden_size), after the last day
        return F.dropout(top, self.p, self.training) @ self.weight + self.bias
