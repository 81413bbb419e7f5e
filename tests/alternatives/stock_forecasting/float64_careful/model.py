"""Task 3: recurrent cells of my own, by the formulas."""

import torch
from torch import nn

GATES = {"gru": 3, "lstm": 4, "rnn": 1}


class Layer(nn.Module):
    """h_t of every day, for (batch, time, n) inputs."""

    def __init__(self, n: int, hidden: int, cell: str) -> None:
        super().__init__()
        rows = GATES[cell] * hidden
        self.cell, self.hidden = cell, hidden
        self.W, self.U = nn.Parameter(torch.empty(rows, n)), nn.Parameter(torch.empty(rows, hidden))
        self.b, self.c = nn.Parameter(torch.zeros(rows)), nn.Parameter(torch.zeros(rows))
        nn.init.xavier_uniform_(self.W)
        for block in self.U.data.split(hidden):
            nn.init.orthogonal_(block)
        if cell == "lstm":
            self.b.data[hidden : 2 * hidden] = 1.0  # at first the forget gate lets nearly everything pass

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        inputs = x @ self.W.T + self.b  # (batch, time, rows)
        h = s = x.new_zeros(len(x), self.hidden)
        states = []
        for t in range(x.shape[1]):
            a, u = inputs[:, t], h @ self.U.T + self.c
            if self.cell == "rnn":
                h = torch.tanh(a + u)
            elif self.cell == "gru":
                (ar, az, an), (ur, uz, un) = a.chunk(3, dim=-1), u.chunk(3, dim=-1)
                r, z = torch.sigmoid(ar + ur), torch.sigmoid(az + uz)
                n = torch.tanh(an + r * un)
                h = n + z * (h - n)
            else:
                i, f, g, o = (a + u).chunk(4, dim=-1)
                s = torch.sigmoid(f) * s + torch.sigmoid(i) * torch.tanh(g)
                h = torch.sigmoid(o) * torch.tanh(s)
            states.append(h)
        return torch.stack(states, dim=1)


class PriceRNN(nn.Module):
    def __init__(
        self, n_features: int, hidden_size: int, num_layers: int = 1, dropout: float = 0.0, cell: str = "gru"
    ) -> None:
        super().__init__()
        if cell not in GATES:
            raise ValueError(f"The cells are {' / '.join(GATES)}; {cell!r} is not among them.")
        blocks = []
        for number in range(num_layers):
            blocks += [Layer(n_features if number == 0 else hidden_size, hidden_size, cell), nn.Dropout(dropout)]
        self.body = nn.Sequential(*blocks)
        self.head = nn.Sequential(nn.Linear(hidden_size, 4), nn.Linear(4, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.body(x)[:, -1]).view(-1)
