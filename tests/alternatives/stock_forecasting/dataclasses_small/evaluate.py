"""Task 5: a forecast and its measures."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from accelerate import Accelerator
from matplotlib.figure import Figure
from torch import nn
from torch.utils.data import DataLoader

if TYPE_CHECKING:
    from features import Scaler


@dataclass(frozen=True, eq=False)
class Forecast:
    true: np.ndarray
    said: np.ndarray

    def __post_init__(self) -> None:
        for name in ("true", "said"):
            object.__setattr__(self, name, np.array(getattr(self, name), dtype="float64"))

    @property
    def off(self) -> np.ndarray:
        return abs(self.true - self.said)

    def mae(self) -> float:
        return float(np.average(self.off))

    def rmse(self) -> float:
        return float(np.linalg.norm(self.off) / len(self.off) ** 0.5)

    def mape(self) -> float:
        return float(np.average(self.off / self.true) * 100)

    def direction(self, last: np.ndarray) -> float:
        last = np.asarray(last, dtype="float64")
        up, down = self.true > last, self.true < last
        days = np.count_nonzero(up | down)
        right = np.count_nonzero(up & (self.said > last)) + np.count_nonzero(down & (self.said < last))
        return right / days if days else float("nan")


def mae(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    return Forecast(y_true, y_pred).mae()


def rmse(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    return Forecast(y_true, y_pred).rmse()


def mape(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    return Forecast(y_true, y_pred).mape()


def directional_accuracy(last: np.ndarray, y_true: np.ndarray, y_pred: np.ndarray) -> float:
    return Forecast(y_true, y_pred).direction(last)


def naive_forecast(close: pd.Series, horizon: int = 1) -> pd.Series:
    return pd.Series(close.to_list(), index=range(horizon, horizon + len(close)), dtype="float64").reindex(
        range(len(close))
    ).set_axis(close.index)


@contextmanager
def answering(model: nn.Module) -> Iterator[None]:
    """Eval mode without gradients; every part of the model has its own mode again afterwards."""
    modes = [(part, part.training) for part in model.modules()]
    try:
        model.eval()
        with torch.no_grad():
            yield
    finally:
        for part, mode in modes:
            part.training = mode


def predict(model: nn.Module, loader: DataLoader, accelerator: Accelerator) -> tuple[np.ndarray, np.ndarray]:
    network, batches = accelerator.prepare(model, loader)
    y_true, y_pred = torch.empty(0), torch.empty(0)
    with answering(model), answering(network):
        for X, y in batches:
            y, said = accelerator.gather_for_metrics((y, network(X)))
            y_true, y_pred = torch.cat([y_true, y.cpu()]), torch.cat([y_pred, said.float().cpu()])
    return y_true.numpy(), y_pred.numpy()


@dataclass(frozen=True)
class Measures:
    mae: float
    rmse: float
    mape: float
    directional_accuracy: float
    naive_mae: float

    @property
    def skill(self) -> float:
        return 1 - self.mae / self.naive_mae if self.naive_mae else float("nan")


def evaluate(
    model: nn.Module, loader: DataLoader, scaler: "Scaler", close: np.ndarray, accelerator: Accelerator
) -> dict[str, float]:
    last = np.asarray(close)
    scaled = predict(model, loader, accelerator)
    network = Forecast(*(last * np.exp(scaler.inverse_target(side)) for side in scaled))
    naive = Forecast(network.true, last)
    measures = Measures(network.mae(), network.rmse(), network.mape(), network.direction(last), naive.mae())
    return asdict(measures) | {"skill": measures.skill}


def plot_forecast(dates: pd.DatetimeIndex, actual: np.ndarray, predicted: np.ndarray, currency: str = "USD") -> Figure:
    figure = Figure(figsize=(8, 4), layout="tight")
    axis = figure.subplots()
    lines = [*axis.plot(dates, actual, lw=1.2), *axis.plot(dates, predicted, lw=1.2, alpha=0.8)]
    axis.legend(lines, ["what came", "what was forecast"])
    axis.set(xlabel="day", ylabel=f"{currency} a share", title="Prices and their forecasts")
    return figure
