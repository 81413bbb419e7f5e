"""The network."""

import torch
from torch import nn

CELLS = {"gru": nn.GRU, "lstm": nn.LSTM, "rnn": nn.RNN}


class PriceRNN(nn.Module):
    def __init__(
        self, n_features: int, hidden_size: int, num_layers: int = 1, dropout: float = 0.0, cell: str = "gru"
    ) -> None:
        super().__init__()
        if cell == "gru":
            self.rnn = nn.GRU(n_features, hidden_size, num_layers, batch_first=True)
        elif cell == "lstm":
            self.rnn = nn.LSTM(n_features, hidden_size, num_layers, batch_first=True)
        elif cell == "rnn":
            self.rnn = nn.RNN(n_features, hidden_size, num_layers, batch_first=True)
        else:
            raise ValueError(f"cell must be gru, lstm or rnn, not {cell}")
        if num_layers > 1:
            self.rnn.dropout = dropout
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(hidden_size, 1)
        nn.init.xavier_uniform_(self.fc.weight)
        nn.init.zeros_(self.fc.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        outputs, state = self.rnn(x)
        last = outputs.select(1, -1)
        return self.fc(self.dropout(last)).view(x.size(0))
