"""What the task files have in common, and the work behind them."""

import os
import shutil
import tempfile
import time

import numpy as np
import pandas as pd
import torch
from torch import nn


# --- prices ---------------------------------------------------------------------------------------------------------


def retry(ask, attempts, pause, final, between):
    """ask() until it answers. `final` exceptions pass at once, others after the last attempt."""
    left = attempts
    while True:
        try:
            return ask()
        except final:
            raise
        except Exception:
            left -= 1
            if left <= 0:
                raise
        time.sleep(pause * 2.0 ** (attempts - left - 1))
        between()


def exchange_days(index):
    """Midnights without a zone, of the days as they are written."""
    naive = pd.DatetimeIndex(index).tz_localize(None)
    return pd.DatetimeIndex(naive.values.astype("datetime64[D]").astype("datetime64[ns]"), name="Date")


def store(table, path):
    """A CSV file that is there as a whole or not at all."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    number, aside = tempfile.mkstemp(dir=os.path.dirname(path))
    with os.fdopen(number, "w", newline="") as file:
        table.to_csv(file)
    shutil.move(aside, path)


def one_row_a_day(table):
    """Ascending; of several rows the last."""
    order = np.argsort(table.index.values, kind="stable")
    table = table.iloc[order]
    last = np.append(table.index.values[1:] != table.index.values[:-1], True)
    return table.iloc[np.flatnonzero(last[: len(table)])]


def carry(values, limit):
    """Fill NaN in a (n,) array from before, over at most `limit` rows."""
    rows = np.arange(len(values))
    source = np.maximum.accumulate(np.where(np.isnan(values), -1, rows))  # row of the last known value
    return np.where((source >= 0) & (rows - source <= limit), values[source], np.nan)


def refuse_wrong_prices(table, columns):
    for day, row in zip(table.index, table[columns].to_numpy(), strict=True):
        for column, price in zip(columns, row, strict=True):
            if not np.isnan(price) and not 0 < price < np.inf:
                raise ValueError(f"{day.date()}: {column} is {price}; prices are positive and finite.")


# --- features -------------------------------------------------------------------------------------------------------


def recursive_average(values, alpha, first=None):
    """e = e + alpha (v - e), day by day, beginning with `first` or with the first value."""
    result = np.empty(len(values))
    level = values[0] if first is None and len(values) else first
    for i, value in enumerate(values):
        level = level + alpha * (value - level)
        result[i] = level
    return result


def trailing(values, window, of):
    """`of` the last `window` values along the last axis; NaN where there are fewer."""
    result = np.full(len(values), np.nan)
    if window <= len(values):
        result[window - 1 :] = of(np.lib.stride_tricks.sliding_window_view(values, window))
    return result


def sizes_of(n, *fractions):
    return [round(n * fraction) for fraction in fractions]


class Standard:
    """Mean and deviation of the columns of a (n, k) array."""

    def __init__(self, values):
        values = np.asarray(values, dtype=np.float64)
        self.mean = np.average(values, axis=0)
        varied = np.any(values != values[0], axis=0)
        self.deviation = np.sqrt(np.average((values - self.mean) ** 2, axis=0))
        self.deviation[~varied] = 1

    def scale(self, values):
        return np.asarray((values - self.mean) / self.deviation, dtype=np.float32)

    def unscale(self, values):
        return np.asarray(values, dtype=np.float64) * self.deviation + self.mean


# --- network and loop -----------------------------------------------------------------------------------------------


class RecurrentNet(nn.Module):
    """Recurrent layers, and a linear one on the mean of the last state and of all states."""

    def __init__(self, build, n_features, hidden_size, num_layers, dropout):
        super().__init__()
        between = dropout if num_layers > 1 else 0.0
        self.body = build(n_features, hidden_size, num_layers, batch_first=True, dropout=between)
        self.drop = nn.Dropout(dropout)
        self.value = nn.Linear(hidden_size, 1)

    def forward(self, x):
        states = self.body(x)[0]
        pooled = (states[:, -1] + states.mean(dim=1)) / 2
        return torch.squeeze(self.value(self.drop(pooled)), dim=1)


class Sums:
    """Sum and number of losses over the batches of one loader, each sample once, whatever process had it."""

    def __init__(self, accelerator):
        self.accelerator, self.all = accelerator, []

    def __iadd__(self, losses):
        self.all.append(self.accelerator.gather_for_metrics(losses.detach()).to("cpu", torch.float64))
        return self

    def mean(self):
        return float(sum(part.sum() for part in self.all) / sum(part.numel() for part in self.all))


class Keeper:
    """Copies of the best weights, and for how long they have been the best."""

    def __init__(self, model):
        self.model, self.copy = model, None
        self.lowest, self.epoch = float("inf"), 0

    def see(self, epoch, loss):
        if not loss < self.lowest:
            return
        self.lowest, self.epoch = loss, epoch
        self.copy = {name: tensor.detach().cpu().clone() for name, tensor in self.model.state_dict().items()}

    def load(self):
        if self.copy is not None:
            self.model.load_state_dict(self.copy)


# --- trials ---------------------------------------------------------------------------------------------------------


def score_folds(prices, known_settings, folds, accelerator, seed, loader_of):
    """The MAE of each fold; `known_settings` and `folds` as tune has them."""
    import evaluate
    import features
    import model
    import train

    lookback, batch_size, architecture, rest = known_settings
    target = features.future_return(prices["Close"])
    X, y, days = features.make_windows(features.build_features(prices), target, lookback)
    before = prices["Close"].to_numpy()[prices.index.get_indexer(days) - 1]
    for fit, val in folds(len(y), lookback):
        scaler = features.Scaler().fit(X[fit], y[fit])
        batches = {}
        for name, rows in (("fit", fit), ("val", val)):
            scaled = scaler.transform(X[rows]), scaler.transform_target(y[rows])
            batches[name] = loader_of(*scaled, batch_size, shuffle=name == "fit")
        torch.manual_seed(seed)
        network = model.PriceRNN(X.shape[-1], **architecture)
        train.train(network, batches["fit"], batches["val"], accelerator, train.TrainConfig(**rest, seed=seed))
        yield evaluate.evaluate(network, batches["val"], scaler, before[val], accelerator)["mae"]


def longest(seconds, accelerator):
    """The largest of all processes' times."""
    mine = torch.tensor([seconds], dtype=torch.float32, device=accelerator.device)
    return accelerator.gather(mine).max().item()


# --- answers --------------------------------------------------------------------------------------------------------


def answers(model, loader, accelerator):
    """(y, forecast) of all samples as arrays, on every process."""
    pairs = []
    for x, y in loader:
        forecast = model(x)
        pairs.append(accelerator.gather_for_metrics([y, forecast]))
    return tuple(np.concatenate([pair[side].cpu().numpy() for pair in pairs]) for side in (0, 1))
