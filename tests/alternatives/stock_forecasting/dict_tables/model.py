"""Network out of a table of cells and one of readings."""

from functools import partial

import torch
from torch import nn

CELLS = {"gru": nn.GRU, "lstm": nn.LSTM, "rnn": nn.RNN}
BUILD = {name: partial(cell, batch_first=True) for name, cell in CELLS.items()}
LAST = {"gru": lambda h: h[-1], "rnn": lambda h: h[-1], "lstm": lambda hc: hc[0][-1]}


class PriceRNN(nn.Module):
    def __init__(
        self, n_features: int, hidden_size: int, num_layers: int = 1, dropout: float = 0.0, cell: str = "gru"
    ) -> None:
        super().__init__()
        if cell not in BUILD:
            raise ValueError(f"{cell!r} is not in {set(CELLS)}")
        sizes = {"input_size": n_features, "hidden_size": hidden_size, "num_layers": num_layers}
        between = {True: {"dropout": dropout}, False: {}}[num_layers > 1]
        self.last = LAST[cell]
        self.parts = nn.ModuleDict(
            {
                "recurrent": BUILD[cell](**sizes, **between),
                "dropout": nn.Dropout(dropout),
                "end": nn.Linear(hidden_size, 1),
            }
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        _, state = self.parts["recurrent"](x)
        known = self.parts["dropout"](self.last(state))  # (batch, hidden_size)
        return self.parts["end"](known)[..., 0]
