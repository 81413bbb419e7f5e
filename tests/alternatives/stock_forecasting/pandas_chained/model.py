"""Task 3: a recurrent network over a window of days."""

import torch
from torch import nn

CELLS = {"gru": nn.GRU, "lstm": nn.LSTM, "rnn": nn.RNN}


class PriceRNN(nn.Module):
    def __init__(
        self, n_features: int, hidden_size: int, num_layers: int = 1, dropout: float = 0.0, cell: str = "gru"
    ) -> None:
        super().__init__()
        if cell not in CELLS:
            raise ValueError(f"expected a cell out of {', '.join(CELLS)}; found {cell!r}.")
        between = dropout if num_layers > 1 else 0.0
        self.layers = CELLS[cell](n_features, hidden_size, num_layers, batch_first=True, dropout=between)
        self.drop = nn.Dropout(dropout)
        self.head = nn.Linear(hidden_size, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        states, _ = self.layers(x)  # (batch, time, hidden_size)
        return self.head(self.drop(states[:, -1])).squeeze(-1)
