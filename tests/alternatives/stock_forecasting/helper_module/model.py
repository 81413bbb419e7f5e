"""Task 3: the network."""

from helpers import RecurrentNet
from torch import nn

CELLS = {"gru": nn.GRU, "lstm": nn.LSTM, "rnn": nn.RNN}


class PriceRNN(RecurrentNet):
    def __init__(
        self, n_features: int, hidden_size: int, num_layers: int = 1, dropout: float = 0.0, cell: str = "gru"
    ) -> None:
        if CELLS.get(cell) is None:
            raise ValueError(f"cell={cell!r} is none of {tuple(CELLS)}.")
        super().__init__(CELLS[cell], n_features, hidden_size, num_layers, dropout)
