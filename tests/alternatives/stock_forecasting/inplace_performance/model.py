"""One fused recurrent module; last and largest states go to the end."""

import torch
from torch import nn

CELLS = {"gru": nn.GRU, "lstm": nn.LSTM, "rnn": nn.RNN}


class PriceRNN(nn.Module):
    def __init__(
        self, n_features: int, hidden_size: int, num_layers: int = 1, dropout: float = 0.0, cell: str = "gru"
    ) -> None:
        super().__init__()
        make = CELLS.get(cell)
        if make is None:
            raise ValueError(f"cell {cell!r}; possible are {'/'.join(CELLS)}")
        self.rnn = make(n_features, hidden_size, num_layers, batch_first=True)
        if num_layers > 1:
            self.rnn.dropout = float(dropout)
        self.drop = nn.Dropout(dropout)
        self.end = nn.Linear(2 * hidden_size, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        states = self.rnn(x)[0]  # (batch, time, hidden_size)
        both = torch.cat((states[:, -1], states.amax(dim=1)), dim=1)
        return self.end(self.drop(both)).reshape(-1)
