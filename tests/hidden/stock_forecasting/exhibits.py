"""What a student's own page shows of this project: how the losses go, and what the tasks forecast together.

All of it is computed from the released prices.
"""

import numpy as np
import pandas as pd

from grader.suite import Run, accelerator, as_array, exhibit, lines, loader, recipe

DAYS, LOOKBACK = 500, 10  # the last released ones: enough to see something, and quick
PRICES = ["Open", "High", "Low", "Close"]
LOOP = {"epochs": 8, "lr": 0.01, "patience": None}
SEED, HIDDEN, BATCH = 7, 8, 64


def released(run: Run) -> pd.DataFrame:
    """Adjusted prices of the last days that students have, as `clean_prices` gives them."""
    table = pd.read_csv(run.fixtures / "KELP.csv", index_col="Date", parse_dates=True).dropna().tail(DAYS)
    adjusted = table[PRICES].mul(table["Adj Close"] / table["Close"], axis=0)
    return adjusted.assign(Volume=table["Volume"])


@exhibit(task="train", title="The losses of your loop on windows of released returns, epoch by epoch")
def loss(student, run: Run):
    prices = run.reference(released)
    returns = np.diff(np.log(prices["Close"].to_numpy("float64")))
    windows = np.lib.stride_tricks.sliding_window_view((returns / returns.std()).astype("float32"), LOOKBACK + 1)
    x, y = windows[:, :-1, None], windows[:, -1]  # (n, LOOKBACK, 1), (n,)
    cut = int(0.8 * len(y))
    model = student.make(recipe("ProbeRegressor", 1, HIDDEN, SEED))
    parts = [loader(x[part], y[part], batch_size=BATCH) for part in (slice(0, cut), slice(cut, None))]
    history = student.train.train(model, *parts, accelerator(), recipe("probe_config", **LOOP))
    losses = {"training": history.train_loss, "validation": history.val_loss}
    return lines(losses, x="epoch", y="loss of the scaled log return")


@exhibit(task="evaluate", title="What your tasks forecast together for the last released days, a day ahead")
def forecast(student, run: Run):
    prices = run.reference(released)
    prepared = student.features.prepare(prices, LOOKBACK)
    train, val, test = prepared.train, prepared.val, prepared.test
    windows = as_array(train.X, "X", shape=(None, LOOKBACK, None))
    model = student.model.PriceRNN(windows.shape[-1], HIDDEN)
    learned, chosen = (
        loader(as_array(part.X, "X").astype("float32"), as_array(part.y, "y").astype("float32"), batch_size=BATCH)
        for part in (train, val)
    )
    student.train.train(model, learned, chosen, accelerator(), recipe("probe_config", **LOOP))
    x, y = (as_array(values, "the windows").astype("float32") for values in (test.X, test.y))
    _, scaled = student.evaluate.predict(model, loader(x, y, batch_size=BATCH), accelerator())
    returns = as_array(prepared.scaler.inverse_target(scaled), "forecasts", shape=(len(y),))
    close = prices["Close"].to_numpy("float64")
    known, actual = close[-len(y) - 1 : -1], close[-len(y) :]
    shown = {"actual": actual, "forecast": known * np.exp(returns)}
    return lines(shown, x="trading day of the test part", y="price, dollars")
