"""Layers stacked by hand; the linear end sees the last state and the mean of all."""

import torch
from torch import nn

CELLS = {"gru": nn.GRU, "lstm": nn.LSTM, "rnn": nn.RNN}


class PriceRNN(nn.Module):
    def __init__(self, n_features, hidden_size, num_layers=1, dropout=0.0, cell="gru"):
        super().__init__()
        if cell not in CELLS:
            raise ValueError(f"unknown cell {cell!r}; there are gru, lstm and rnn")
        layers = []
        for i in range(num_layers):
            layers.append(CELLS[cell](n_features if i == 0 else hidden_size, hidden_size))
        self.layers = nn.ModuleList(layers)
        self.drop = nn.Dropout(dropout)
        self.end = nn.Linear(2 * hidden_size, 1)

    def forward(self, x):
        h = x.transpose(0, 1)  # (time, batch, n_features), as the layers want it
        for i, layer in enumerate(self.layers):
            if i > 0:
                h = self.drop(h)
            h, _ = layer(h)
        seen = torch.cat([h[-1], h.mean(dim=0)], dim=1)  # (batch, 2 hidden_size)
        return self.end(self.drop(seen))[:, 0]
