"""Task 3: a recurrent network that refuses what it cannot be."""

import torch
from torch import nn

CELLS = {"gru": nn.GRU, "lstm": nn.LSTM, "rnn": nn.RNN}


class PriceRNN(nn.Module):
    def __init__(
        self, n_features: int, hidden_size: int, num_layers: int = 1, dropout: float = 0.0, cell: str = "gru"
    ) -> None:
        super().__init__()
        if not isinstance(cell, str) or cell not in CELLS:
            raise ValueError(f"cell: expected one of {', '.join(CELLS)}; found {cell!r}.")
        for name, number in dict(n_features=n_features, hidden_size=hidden_size, num_layers=num_layers).items():
            if number < 1:
                raise ValueError(f"{name}: expected at least 1, found {number}.")
        if not 0.0 <= dropout <= 1.0:
            raise ValueError(f"dropout: expected a probability, found {dropout}.")
        self.n_features = n_features
        self.first = CELLS[cell](n_features, hidden_size, batch_first=True)
        self.others = nn.ModuleList([CELLS[cell](hidden_size, hidden_size, batch_first=True) for _ in range(1, num_layers)])
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(hidden_size, 1, bias=True)
        for name, weight in self.named_parameters():
            if name.rsplit(".", 1)[-1].startswith("weight_hh"):
                nn.init.orthogonal_(weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.dim() != 3 or x.size(-1) != self.n_features:
            raise ValueError(f"expected windows (batch, time, {self.n_features}), found {tuple(x.shape)}.")
        states = self.first(x)[0]
        for layer in self.others:
            states = layer(self.dropout(states))[0]
        last = states.select(1, -1)
        return self.linear(self.dropout(last)).select(1, 0)
