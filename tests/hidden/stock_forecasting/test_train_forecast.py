"""Task 3, the whole: a small network of the suite's own learns, through the student's loop, what can be learned.

How well is what the suite's own loop, in plain PyTorch, makes of the same network. And the markets' best possible forecast is
known, so that a mean absolute error can be too small as well.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from grader.suite import Run, accelerator, as_array, check, loader, recipe, reference, require

LOOKBACK, MONTH = 3, 20  # days of a window; of the mean volume
HIDDEN, BATCH, EPOCHS, LR = 8, 96, 5, 0.03
CLIPPED = 1.0  # the config's own largest norm of the gradients
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
    seed: int
    """Of the network's first weights."""

    def targets(self, part: Windows) -> np.ndarray:
        """The log returns, scaled."""
        return (part.y - self.mean) / self.std

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
    return Task(learned, validated, asked, mean, std, int(rng.integers(2**31)))


def layers() -> dict[str, nn.Module]:
    """Those of a `ProbeRegressor`, by its names."""
    return {"gru": nn.GRU(2, HIDDEN, batch_first=True), "head": nn.Linear(HIDDEN, 1)}


def forecasts_of(model: nn.ModuleDict, x: torch.Tensor) -> torch.Tensor:
    """What its layers say: (n, LOOKBACK, 2) -> (n,)."""
    return model["head"](model["gru"](x)[0][:, -1]).squeeze(-1)


def forecasts_by(state: object, x: np.ndarray) -> np.ndarray:
    """What a network with these weights says, whatever it says itself."""
    model = nn.ModuleDict(layers())
    for name, parameter in model.state_dict().items():
        kept = isinstance(state, dict) and name in state
        require(kept, "the model that was passed in keeps its parameters", expected=name, got=state)
        parameter.copy_(torch.tensor(as_array(state[name], f"parameter {name}", shape=tuple(parameter.shape))))
    with torch.no_grad():
        return forecasts_of(model, torch.tensor(x, dtype=torch.float32)).double().numpy()


@reference
def own_mae(run: Run) -> float:
    """What the same network reaches by a loop of the suite's own: the weights of its best epoch."""
    task = run.reference(forecasting.build_reference)
    torch.manual_seed(task.seed)
    model, loss_of = nn.ModuleDict(layers()), nn.HuberLoss()
    optimizer = torch.optim.AdamW(model.parameters(), LR, weight_decay=0.0)
    parts = (task.learned, task.validated, task.asked)
    learned, validated, asked = (torch.tensor(part.x, dtype=torch.float32) for part in parts)
    y, y_val = (torch.tensor(task.targets(part), dtype=torch.float32) for part in parts[:2])
    epochs = []
    for _ in range(EPOCHS):
        for at in range(0, len(y), BATCH):
            optimizer.zero_grad()
            loss_of(forecasts_of(model, learned[at : at + BATCH]), y[at : at + BATCH]).backward()
            nn.utils.clip_grad_norm_(model.parameters(), CLIPPED)
            optimizer.step()
        with torch.no_grad():
            loss = loss_of(forecasts_of(model, validated), y_val).item()
            epochs.append((loss, forecasts_of(model, asked).double().numpy()))
    return task.mae(min(epochs, key=lambda epoch: epoch[0])[1])


@check(
    title="A recurrent network learns what can be known about the next day",
    hint="Every batch a step, at config.lr, in training mode; the best epoch's weights in the end: see above.",
)
def test_forecast(student, forecasting, own_mae, rng, thresholds, gauge):
    model = student.make(recipe("ProbeRegressor", 2, HIDDEN, forecasting.seed))
    parts = forecasting.learned, forecasting.validated
    batches, val = (loader(part.x, forecasting.targets(part), batch_size=BATCH) for part in parts)
    config = recipe("probe_config", epochs=EPOCHS, lr=LR, patience=None, seed=int(rng.integers(2**31)))
    student.train.train(model, batches, val, accelerator(), config)
    mae, case = (
        forecasting.mae(forecasts_by(model.state_dict(), forecasting.asked.x)),
        f"{ASKED[0]} windows of other markets",
    )
    rule, unit = "the mean absolute error is small", " times that of a loop of the suite's own"
    gauge(mae / own_mae, rule, at_most=thresholds["forecast_mae"], unit=unit, case=case)
    rule, unit = "nothing has seen the future", " times that of the best possible forecast"
    gauge(mae, rule, at_least=thresholds["possible_mae"], unit=unit, case=case)
