"""What the tests of project 3's reference solution share: its modules, drawn prices, a small network, Yahoo's stand-in."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import unquote, urlsplit

import curl_cffi
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch
import yfinance as yf
from accelerate import Accelerator
from accelerate.state import AcceleratorState, GradientState
from curl_cffi.requests import Response, Session
from solved import modules_of
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

ROOT = Path(__file__).resolve().parents[1]
SOLUTION = ROOT / "solutions/stock_forecasting"
FIXTURE = ROOT / "fixtures/stock_forecasting"
MODULES = ("acquire", "features", "model", "train", "evaluate", "tune", "bonus", "main")

DAYS, FEATURES = 5, 3  # of the windows below
WINDOWS = torch.randn(24, DAYS, FEATURES, generator=torch.Generator().manual_seed(0))
TARGETS = 2 * torch.randn(24, generator=torch.Generator().manual_seed(1))  # many beyond 1, where Huber's loss bends


@pytest.fixture(scope="module")
def solved() -> SimpleNamespace:
    return modules_of("stock_forecasting", MODULES)


@pytest.fixture
def accelerator():
    """Builds an Accelerator on the CPU, the only one alive; none survives the test."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)

    def build(**settings: object) -> Accelerator:
        forget()
        return Accelerator(cpu=True, **settings)

    yield build
    forget()
    torch.set_num_threads(threads)


def forget() -> None:
    """Let the next Accelerator begin anew."""
    AcceleratorState._reset_state(True)
    GradientState._reset_state()


@pytest.fixture(autouse=True)
def close_figures():
    plt.switch_backend("agg")
    yield
    plt.close("all")


class Line(nn.Module):
    """Forecasts (batch,) of windows (batch, DAYS, FEATURES) by a weighted sum, always with the same first weights."""

    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__()
        self.dropout, self.sum = nn.Dropout(dropout), nn.Linear(DAYS * FEATURES, 1)
        with torch.no_grad():
            self.sum.weight.copy_(torch.linspace(-0.5, 0.5, DAYS * FEATURES)[None])
            self.sum.bias.zero_()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.sum(self.dropout(x).flatten(1)).squeeze(-1)


def loader(n: int = 24, batch_size: int = 4, *, start: int = 0, seed: int | None = None) -> DataLoader:
    """n windows in batches, in their order, or shuffled by a generator of the loader's own."""
    chance = {} if seed is None else {"shuffle": True, "generator": torch.Generator().manual_seed(seed)}
    rows = slice(start, start + n)
    return DataLoader(TensorDataset(WINDOWS[rows], TARGETS[rows]), batch_size=batch_size, **chance)


def draw_prices(n: int, seed: int = 0) -> pd.DataFrame:
    """n weekdays of a random walk, as `clean_prices` returns them."""
    rng = np.random.default_rng(seed)
    close = 50 * np.exp(rng.normal(0, 0.02, n).cumsum())
    opened = close * np.exp(rng.normal(0, 0.01, n))
    high, low = (
        np.maximum(opened, close) * (1 + rng.random(n) / 50),
        np.minimum(opened, close) * (1 - rng.random(n) / 50),
    )
    table = {"Open": opened, "High": high, "Low": low, "Close": close, "Volume": rng.integers(1, 10**6, n)}
    return pd.DataFrame(table, pd.bdate_range("2021-01-04", periods=n, name="Date"))


@dataclass
class Yahoo:
    """Plays Yahoo below yfinance: each chart is answered by the next of `answers`, the last one for good.

    An answer is the body of a chart, or one of `UNKNOWN`, `NOTHING`, `PAGE`, `BUSY`, `DOWN`.
    """

    answers: list = field(default_factory=list)
    asked: list = field(default_factory=list)  # (ticker, parameters) of each chart
    pauses: list = field(default_factory=list)  # seconds

    def request(self, url: str, **options: object) -> Response:
        response = Response()
        response.url, response.status_code, response.content, response.request = url, 200, b"{}", None
        path = urlsplit(url).path
        if self.answers and self.answers[0] is DOWN and "/v8/finance/chart/" not in path:
            raise curl_cffi.requests.exceptions.ConnectionError("no network")
        if "/v8/finance/chart/" in path:
            self.asked.append((unquote(path.rsplit("/", 1)[1]), options.get("params", {})))
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            if answer is DOWN:
                raise curl_cffi.requests.exceptions.ConnectionError("no network")
            response.status_code, response.content = answer if isinstance(answer, tuple) else (200, answer)
        elif path.endswith("getcrumb"):
            response.content = b"crumb"
        return response


def _chart(result: object, error: object) -> bytes:
    return json.dumps({"chart": {"result": result, "error": error}}).encode()


META = {"exchangeTimezoneName": "America/New_York", "validRanges": [], "instrumentType": "EQUITY", "currency": "USD"}
UNKNOWN = 404, _chart(None, {"code": "Not Found", "description": "No data found, symbol may be delisted"})
NOTHING = 200, _chart([{"meta": META, "indicators": {"quote": [{}], "adjclose": [{}]}}], None)
PAGE, BUSY, DOWN = (500, b"<html>Internal Server Error</html>"), (429, b"Too Many Requests"), object()


@pytest.fixture
def yahoo(solved, monkeypatch, tmp_path_factory) -> Yahoo:
    """Nothing leaves this machine, nothing is remembered, and no pause takes time."""
    stand_in = Yahoo()
    monkeypatch.setattr(Session, "request", lambda _, method, url, **options: stand_in.request(url, **options))
    monkeypatch.setattr(solved.acquire.time, "sleep", stand_in.pauses.append)
    monkeypatch.setitem(yf.config.debug.data, "hide_exceptions", True)
    yf.set_tz_cache_location(str(tmp_path_factory.mktemp("time_zones")))
    solved.acquire.forget_answers()
    yield stand_in
    solved.acquire.forget_answers()
