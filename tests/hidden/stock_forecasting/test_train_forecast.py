"""Task 3, the whole: a small network of the suite's own learns, through the student's loop, what can be learned.

The markets' best possible forecast is known, so a mean absolute error can be too large, and too small.
"""

from dataclasses import dataclass

import numpy as np

from grader.suite import Run, accelerator, as_array, check, loader, recipe, reference

LOOKBACK, MONTH = 3, 20  # days of a window; of the mean volume
HIDDEN, BATCH = 8, 96
LEARNED, VALIDATED, ASKED = (24, 120), (6, 120), (1000, MONTH + LOOKBACK + 1)  # markets, and days of each


@dataclass(frozen=True)
class Windows:
    """Windows (n, LOOKBACK, 2) of returns and unusual volume, with the log return of the day after each, and the best guess."""

    x: np.ndarray
    y: np.ndarray
    best: np.ndarray


@dataclass(frozen=True)
class Task:
    """Windows to learn from and to validate on, scaled, and windows of other markets to forecast."""

    learned: Windows
    validated: Windows
    asked: Windows
    mean: float
    std: float

    def mae(self, forecasts: np.ndarray) -> float:
        """Mean absolute error of the next close, in units of the last one, relative to that of the best possible forecast."""
        closes, own, best = (np.exp(r) for r in (self.asked.y, self.mean + self.std * forecasts, self.asked.best))
        return float(np.abs(own - closes).mean() / np.abs(best - closes).mean())


def windows_of(markets: list) -> Windows:
    """Each window of each market. A market of MONTH + LOOKBACK + 1 days has one, so that no later one tells its answer."""
    closes, volumes = (np.stack([m.prices[name].to_numpy("float64") for m in markets]) for name in ("Close", "Volume"))
    returns = np.diff(np.log(closes))[:, MONTH - 1 :]  # (markets, days): from day MONTH on
    months = np.lib.stride_tricks.sliding_window_view(volumes, MONTH, axis=1).mean(axis=-1)[:, 1:]
    unusual = np.log(volumes[:, MONTH:] / months)
    days = np.stack([returns, unusual], axis=-1)  # (markets, days, 2)
    windows = np.lib.stride_tricks.sliding_window_view(days[:, :-1], LOOKBACK, axis=1)  # (markets, n, 2, LOOKBACK)
    best = np.stack([m.drift for m in markets])[:, MONTH + LOOKBACK :]
    return Windows(windows.swapaxes(2, 3).reshape(-1, LOOKBACK, 2), returns[:, LOOKBACK:].reshape(-1), best.reshape(-1))


@reference
def forecasting(run: Run) -> Task:
    """Markets that know nothing of each other."""
    rng, generator = run.rng("forecasting"), run.generator()
    learned, validated, asked = (
        windows_of(generator.draw_markets(n, days, rng)) for n, days in (LEARNED, VALIDATED, ASKED)
    )
    scale = learned.x.reshape(-1, 2).std(axis=0)
    mean, std = float(learned.y.mean()), float(learned.y.std())
    learned, validated, asked = (Windows(part.x / scale, part.y, part.best) for part in (learned, validated, asked))
    return Task(learned, validated, asked, mean, std)


@check(
    title="A recurrent network learns what can be known about the next day",
    hint="Every batch a step, in training mode; the best epoch's weights in the end: see the checks above.",
)
def test_forecast(student, forecasting, rng, thresholds, gauge):
    model = student.make(recipe("ProbeRegressor", 2, HIDDEN, int(rng.integers(2**31))))
    parts = forecasting.learned, forecasting.validated
    batches, val = (loader(part.x, (part.y - forecasting.mean) / forecasting.std, batch_size=BATCH) for part in parts)
    config = recipe("probe_config", epochs=5, lr=0.03, patience=3, seed=int(rng.integers(2**31)))
    student.train.train(model, batches, val, accelerator(), config)
    forecasts = as_array(student.tools.probe_answers(model, [forecasting.asked.x])[0], "forecasts", shape=(ASKED[0],))
    ratio, most, least = forecasting.mae(forecasts), thresholds["forecast_mae"], thresholds["possible_mae"]
    case, unit = f"{ASKED[0]} windows of other markets", " times that of the best possible forecast"
    gauge(ratio, "the mean absolute error is small", at_most=most, unit=unit, case=case)
    gauge(ratio, "nothing has seen the future", at_least=least, unit=unit, case=case)
