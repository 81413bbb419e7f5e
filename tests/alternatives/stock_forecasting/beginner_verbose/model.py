"""Task 3: the network."""

import torch
from torch import nn

CELLS = {"gru": nn.GRU, "lstm": nn.LSTM, "rnn": nn.RNN}


class PriceRNN(nn.Module):
    def __init__(
        self, n_features: int, hidden_size: int, num_layers: int = 1, dropout: float = 0.0, cell: str = "gru"
    ) -> None:
        super().__init__()
        if cell == "gru":
            layer_class = nn.GRU
        elif cell == "lstm":
            layer_class = nn.LSTM
        elif cell == "rnn":
            layer_class = nn.RNN
        else:
            raise ValueError("There is no cell '" + str(cell) + "', only gru, lstm and rnn.")
        self.layers = nn.ModuleList()
        input_size = n_features
        for _ in range(num_layers):
            layer = layer_class(input_size, hidden_size)  # wants (time, batch, ...)
            self.layers.append(layer)
            input_size = hidden_size
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(hidden_size, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        states = x.transpose(0, 1)  # (time, batch, n_features)
        for layer in self.layers:
            states, _ = layer(states)
            states = self.dropout(states)
        last_state = states[-1]  # (batch, hidden_size)
        answer = self.linear(last_state)  # (batch, 1)
        return answer.reshape(x.shape[0])
