"""The network as a chain of recurrent layers."""

from collections.abc import Iterator
from itertools import pairwise, repeat

import torch
from torch import nn

CELLS = {"gru": nn.GRU, "lstm": nn.LSTM, "rnn": nn.RNN}


class PriceRNN(nn.Module):
    def __init__(
        self, n_features: int, hidden_size: int, num_layers: int = 1, dropout: float = 0.0, cell: str = "gru"
    ) -> None:
        super().__init__()
        try:
            build = CELLS[cell]
        except KeyError:
            raise ValueError(f"There is no cell {cell!r}; there are {', '.join(sorted(CELLS))}.") from None

        def layers() -> Iterator[nn.Module]:
            for width, hidden in pairwise([n_features, *repeat(hidden_size, num_layers)]):
                yield build(width, hidden, batch_first=True)

        self.layers = nn.ModuleList(layers())
        self.drop = nn.Dropout(dropout)
        self.out = nn.Linear(hidden_size, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer in self.layers:
            states, _ = layer(x)
            x = self.drop(states)  # (batch, time, hidden_size)
        return self.out(x[:, -1]).squeeze(1)
