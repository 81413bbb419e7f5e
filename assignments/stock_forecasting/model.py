"""Task 3 · A recurrent network that reads a window of days and says one number."""

import torch
from torch import nn

CELLS = {"gru": nn.GRU, "lstm": nn.LSTM, "rnn": nn.RNN}


class PriceRNN(nn.Module):
    """Recurrent layers over the days of a window, then a linear layer on what they know after the last day."""

    def __init__(
        self, n_features: int, hidden_size: int, num_layers: int = 1, dropout: float = 0.0, cell: str = "gru"
    ) -> None:
        """Build the layers.

        Args:
            n_features: numbers of one day.
            hidden_size: numbers that a layer remembers from day to day.
            num_layers: recurrent layers, one on top of the other.
            dropout: probability with which a number is dropped in training, between the layers and before the linear one.
            cell: `gru`, `lstm` or `rnn` (`CELLS`).

        Raises:
            ValueError: another cell; the text names it and those that there are.
        """
        super().__init__()
        raise NotImplementedError("Task 3: write PriceRNN.__init__().")

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Forecasts (batch,) for windows (batch, time, n_features).

        Each begins with nothing remembered and depends on its own window alone, on the order of the days in it, and on the
        first of them as on the last.
        """
        raise NotImplementedError("Task 3: write PriceRNN.forward().")
