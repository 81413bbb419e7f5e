"""RNN, GRU and LSTM as the formulas have them."""

import torch
from torch import nn

CELLS = {"gru": 3, "lstm": 4, "rnn": 1}  # sets of weights


class Layer(nn.Module):
    def __init__(self, cell: str, n_in: int, n_hidden: int) -> None:
        super().__init__()
        self.kind, self.n_hidden = cell, n_hidden
        sets, bound = CELLS[cell], n_hidden**-0.5

        def weights(*shape: int) -> nn.Parameter:
            return nn.Parameter(torch.empty(*shape).uniform_(-bound, bound))

        self.W, self.U = weights(n_in, sets * n_hidden), weights(n_hidden, sets * n_hidden)
        self.b, self.c = weights(sets * n_hidden), weights(sets * n_hidden)

    def rnn(self, wx: torch.Tensor, uh: torch.Tensor, h: torch.Tensor, s: torch.Tensor) -> tuple:
        return torch.tanh(wx + uh), s

    def gru(self, wx: torch.Tensor, uh: torch.Tensor, h: torch.Tensor, s: torch.Tensor) -> tuple:
        (xr, xz, xn), (hr, hz, hn) = wx.chunk(3, 1), uh.chunk(3, 1)
        r, z = torch.sigmoid(xr + hr), torch.sigmoid(xz + hz)
        n = torch.tanh(xn + r * hn)
        return (1 - z) * n + z * h, s

    def lstm(self, wx: torch.Tensor, uh: torch.Tensor, h: torch.Tensor, s: torch.Tensor) -> tuple:
        i, f, o, g = (wx + uh).chunk(4, 1)
        s = torch.sigmoid(f) * s + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(s), s

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(batch, time, n_in) -> (batch, time, n_hidden)"""
        step = getattr(self, self.kind)
        wx = x @ self.W + self.b
        h = s = torch.zeros(len(x), self.n_hidden, dtype=x.dtype, device=x.device)
        states = []
        for t in range(x.shape[1]):
            h, s = step(wx[:, t], h @ self.U + self.c, h, s)
            states += [h]
        return torch.stack(states, dim=1)


class PriceRNN(nn.Module):
    def __init__(
        self, n_features: int, hidden_size: int, num_layers: int = 1, dropout: float = 0.0, cell: str = "gru"
    ) -> None:
        super().__init__()
        if cell not in CELLS:
            raise ValueError(f"the cell {cell} is not among gru, lstm, rnn")
        self.layers = nn.ModuleList([Layer(cell, n_features, hidden_size)])
        for _ in range(1, num_layers):
            self.layers.append(Layer(cell, hidden_size, hidden_size))
        self.dropout = nn.Dropout(dropout)
        self.weight = nn.Parameter(torch.randn(hidden_size) * hidden_size**-0.5)
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer in self.layers:
            x = self.dropout(layer(x))
        return x[:, -1] @ self.weight + self.bias
