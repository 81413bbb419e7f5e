"""Task 3: a recurrent network, pooled over its days."""

import torch
from torch import nn

CELLS = {"gru": nn.GRU, "lstm": nn.LSTM, "rnn": nn.RNN}


class PriceRNN(nn.Module):
    def __init__(
        self, n_features: int, hidden_size: int, num_layers: int = 1, dropout: float = 0.0, cell: str = "gru"
    ) -> None:
        super().__init__()
        if cell not in CELLS.keys():
            raise ValueError(f"cell must be one of {', '.join(map(repr, CELLS))}, not {cell!r}.")
        self.rnn = CELLS[cell](n_features, hidden_size, num_layers=num_layers, dropout=dropout if num_layers >= 2 else 0)
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(hidden_size, 1), nn.Flatten(start_dim=0))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        states = self.rnn(x.permute(1, 0, 2))[0]  # (time, batch, hidden_size)
        return self.head(states.mean(dim=0))
