"""A recurrent network with one number at its end."""

import torch
from torch import nn

CELLS = {"gru": nn.GRU, "lstm": nn.LSTM, "rnn": nn.RNN}


class PriceRNN(nn.Module):
    def __init__(
        self, n_features: int, hidden_size: int, num_layers: int = 1, dropout: float = 0.0, cell: str = "gru"
    ) -> None:
        super().__init__()
        if cell not in CELLS:
            raise ValueError(f"no cell {cell!r}, only {', '.join(CELLS)}")
        between = dropout if num_layers > 1 else 0.0
        self.rnn = CELLS[cell](n_features, hidden_size, num_layers, batch_first=True, dropout=between)
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(hidden_size, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.rnn(x)[0][:, -1]).squeeze(-1)
