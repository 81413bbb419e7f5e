"""Task 3: recurrent layers, and all their states weighed against each other."""

import torch
import torch.nn.functional as F
from torch import nn

CELLS = {"gru": nn.GRU, "lstm": nn.LSTM, "rnn": nn.RNN}


class PriceRNN(nn.Module):
    def __init__(
        self, n_features: int, hidden_size: int, num_layers: int = 1, dropout: float = 0.0, cell: str = "gru"
    ) -> None:
        super().__init__()
        if cell not in CELLS:
            raise ValueError(f"{cell!r}: the cells are {', '.join(CELLS)}")
        self.dropout = float(dropout)
        self.layers = nn.ModuleList()
        for width in [n_features, *[hidden_size] * (num_layers - 1)]:
            self.layers.append(CELLS[cell](width, hidden_size, batch_first=True))
        self.interest = nn.Parameter(torch.randn(hidden_size) / hidden_size)
        self.w = nn.Parameter(torch.randn(1, hidden_size) / hidden_size**0.5)
        self.b = nn.Parameter(torch.zeros(1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer in self.layers:
            x = F.dropout(layer(x)[0], p=self.dropout, training=self.training)
        weight = F.softmax(x @ self.interest, dim=1)  # (batch, time)
        pooled = torch.einsum("bt,bth->bh", weight, x) + x[:, -1]
        return F.linear(pooled, self.w, self.b).squeeze(1)
