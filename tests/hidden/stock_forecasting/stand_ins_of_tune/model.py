"""Task 3's network, played by one number, which `train` sets.

A "gru" says that number. An "lstm" looks at the window's features, too; an "rnn" adds what it was drawn with.
"""

import torch
from torch import nn

CELLS = {"gru": nn.GRU, "lstm": nn.LSTM, "rnn": nn.RNN}


class PriceRNN(nn.Module):
    def __init__(self, n_features, hidden_size, num_layers=1, dropout=0.0, cell="gru"):
        super().__init__()
        if cell not in CELLS:
            raise ValueError(f"expected a cell out of {', '.join(CELLS)}; found {cell!r}.")
        self.n_features, self.cell = n_features, cell
        self.architecture = 0.005 * hidden_size + 0.03 * num_layers + 0.4 * dropout
        self.answer = nn.Parameter(torch.zeros(()))
        self.drawn = nn.Parameter(torch.randn(()))

    def forward(self, x):
        if x.ndim != 3 or x.shape[-1] != self.n_features:
            raise ValueError(f"expected (batch, time, {self.n_features}), found {tuple(x.shape)}")
        answers = self.answer + torch.zeros(len(x))
        if self.cell == "lstm":
            answers = answers + 0.3 * (x[:, 0, 0] - x[:, -1, 1])
        return answers + self.drawn if self.cell == "rnn" else answers
