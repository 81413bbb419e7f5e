"""PyTorch's layers, their states averaged over the days."""

from torch import nn

CELLS = {"gru": nn.GRU, "lstm": nn.LSTM, "rnn": nn.RNN}


class PriceRNN(nn.Module):
    def __init__(self, n_features, hidden_size, num_layers=1, dropout=0.0, cell="gru"):
        super().__init__()
        if cell not in CELLS:
            raise ValueError(f"expected a cell out of {', '.join(CELLS)}; found {cell!r}.")
        between = dropout if num_layers > 1 else 0.0
        self.rnn = CELLS[cell](n_features, hidden_size, num_layers, batch_first=True, dropout=between)
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(hidden_size, 1), nn.Flatten(0))

    def forward(self, x):
        return self.head(self.rnn(x)[0].mean(1))
