"""What checks of one task share: Yahoo's answers to task 1; stand-ins for the files that tune.py imports, and the prices that
it searches."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
import torch

from grader.errors import StudentFault
from grader.suite import CheckFailed, Run, Student, StudentError, as_frame, folder, recipe, reference, require

DAYS, FIRST, LAST = 130, 10, 109  # of the listing; places of the first and last day that are asked for
LETTERS = list("BCDFGHJKLMNPQRSTVWXZ")  # no vowel: nobody's word
PAUSES = 3.5  # seconds of all three

# Of the stand-ins for tune.py.
FOLDS, WARM_UP, TREND_DAYS = 3, 5, 5
TARGET_SHIFT, TARGET_SCALE = 0.004, 40.0
DEFAULTS = {
    **{"lookback": 20, "batch_size": 64, "hidden_size": 16, "num_layers": 1, "dropout": 0.0, "cell": "gru"},
    **{"epochs": 60, "lr": 0.003, "optimizer": "adamw", "weight_decay": 0.0, "loss": "huber"},
    **{"max_grad_norm": 1.0, "patience": 8},
}


@dataclass(frozen=True, eq=False)
class Quoted:
    """A company on an exchange: Yahoo's whole answer about it, and the adjusted table that it stands for."""

    symbol: str
    body: dict
    prices: pd.DataFrame

    @property
    def asked(self) -> tuple[str, str, str]:
        """Ticker, start and end: `end` is a day of trading, too, and not asked for."""
        return self.symbol, self.day(FIRST), self.day(LAST + 1)

    @property
    def answer(self) -> pd.DataFrame:
        return self.prices.iloc[FIRST : LAST + 1]

    def day(self, place: int) -> str:
        return f"{self.prices.index[place]:%Y-%m-%d}"


@reference
def quoted(run: Run) -> dict[str, Quoted]:
    """Companies in three time zones, over both changes to daylight-saving time, with dividends and a split."""
    rng, generator = run.rng("quoted"), run.generator()
    zones = ("America/New_York", "Asia/Tokyo", "Europe/London")
    result = {}
    for tz, market in zip(zones, generator.draw_markets(3, DAYS, rng, "2021-01-11"), strict=True):
        symbol = "".join(rng.choice(LETTERS, 5))
        listing = generator.with_actions(market.prices, rng, dividend=0.02)
        # While a day is traded Yahoo has it twice; yfinance makes one of them.
        body = generator.chart_json(symbol, listing, tz=tz, live=tz == "Asia/Tokyo")
        result[tz] = Quoted(symbol, body, market.prices)
    return result


@pytest.fixture
def newyork(quoted: dict[str, Quoted]) -> Quoted:
    return quoted["America/New_York"]


class Yahoo:
    """The server that yfinance reaches, and the student's `fetch_prices` in front of it."""

    def __init__(self, student: Student) -> None:
        self.student = student

    def serves(self, bodies: dict[str, dict], **settings: object) -> None:
        """From now on; yfinance remembers nothing of what it was told before."""
        self.student.tools.yahoo_serves(bodies, **settings)

    def fetch(self, *asked: object, **cache: object) -> pd.DataFrame:
        return as_frame(self.student.acquire.fetch_prices(*asked, **cache), "fetch_prices' result")

    def fetch_of(self, company: Quoted) -> pd.DataFrame:
        """The days in the middle, asked for once."""
        self.serves({company.symbol: company.body})
        return self.student.once(f"prices of {company.symbol}", lambda: self.fetch(*company.asked))

    def restart(self, path: str) -> str:
        """A new process, to which nothing goes along but a folder's files: its path there. Yahoo has to be served anew."""
        files = self.student.tools.yahoo_files(path)
        rule = "what is kept lies in files"
        require(isinstance(files, dict) and len(files) > 0, rule, expected="a file for each question", got=files)
        self.student.tools.yahoo_withdraws()
        self.student.restart()
        return self.student.make(folder(files))

    def refuses(self, kind: type[Exception], *asked: str, case: str, **cache: object) -> None:
        """`fetch_prices` raises `kind`, and not the other of the two errors, in time, with the ticker in its text."""
        rule = f"a {kind.__name__} is raised"
        try:
            got = self.student.acquire.fetch_prices(*asked, **cache)
        except StudentError as error:
            if error.not_implemented or error.importing:
                raise
            types, text = error.types, error.text
        else:
            got = f"a table of {len(got)} rows" if isinstance(got, pd.DataFrame) else repr(got)
            raise CheckFailed(rule, expected=kind.__name__, got=got, case=case)
        require(kind.__name__ in types, rule, expected=kind.__name__, got=f"{types[0]}: {text}", case=case)
        other = {"ValueError": "ConnectionError", "ConnectionError": "ValueError"}[kind.__name__]
        require(other not in types, f"it is a {kind.__name__}, no {other}", got=" < ".join(types[:3]), case=case)
        require(asked[0] in text, "the text names the ticker", expected=asked[0], got=text, case=case)
        paused = self.student.tools.yahoo_heard()
        got = f"{paused:g} seconds of pauses"
        if kind is ValueError:
            require(paused == 0, "what Yahoo has answered is raised at once", got=got, case=case)
        else:
            require(paused < PAUSES + 0.25, "no pause comes after the last attempt", got=got, case=case)


@pytest.fixture
def yahoo(student: Student) -> Iterator[Yahoo]:
    yield Yahoo(student)
    student.tools.yahoo_withdraws()


@pytest.fixture
def tuner(request: pytest.FixtureRequest, student) -> Iterator:
    """The student, whose tune.py imports the suite's stand-ins for as long as the check runs."""
    files = (request.path.parent / "stand_ins_of_tune").glob("*.py")
    stand_ins = student.make(recipe("StandInsOfTune", {path.stem: path.read_text("utf-8") for path in files}))
    yield student
    with suppress(StudentFault):  # a worker that was ended has taken its stand-ins along
        stand_ins.leave()


@reference
def walk(run: Run) -> pd.DataFrame:
    """102 days, of which 15.3 and so 15 are the test's."""
    return _random_walk(102, run.rng("walk"))


@reference
def long_walk(run: Run) -> pd.DataFrame:
    """104 days, of which 15.6 and so 16 are the test's."""
    return _random_walk(104, run.rng("long walk"))


def _random_walk(days: int, rng: np.random.Generator) -> pd.DataFrame:
    """A random walk, as `clean_prices` returns it."""
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.02, days)))
    index = pd.bdate_range("2021-03-01", periods=days, name="Date")
    low, high = close * 0.99, close * 1.01
    volume = rng.integers(1000, 9000, days)
    return pd.DataFrame({"Open": low, "High": high, "Low": low, "Close": close, "Volume": volume}, index=index)


@pytest.fixture
def errors_of() -> Callable[..., Iterator[list[float]]]:
    """What the errors of a trial's folds are, by `(known, settings, seed, accumulation)`."""
    return _errors_of


def _told(settings: dict, seed: int, accumulation: int) -> float:
    """What the stand-ins make of everything but the data."""
    s = DEFAULTS | settings
    network = 0.005 * s["hidden_size"] + 0.03 * s["num_layers"] + 0.4 * s["dropout"]
    clipped = -0.11 if pd.isna(s["max_grad_norm"]) else 0.05 * s["max_grad_norm"]
    patient = 0.09 if pd.isna(s["patience"]) else 0.003 * s["patience"]
    kind = 0.15 * (s["optimizer"] == "sgd") + 0.07 * (s["loss"] == "mse")
    loop = 3 * s["lr"] + 0.001 * s["epochs"] + 0.2 * s["weight_decay"] + 0.01 * (seed % 10)
    return network + clipped + patient + kind + loop + 0.013 * accumulation + 0.017 * s["lookback"]


def _errors_of(known: pd.DataFrame, settings: dict, seed: int, accumulation: int) -> Iterator[list[float]]:
    """The folds' errors, in units of price: first as they usually are, then with what else the task leaves open.

    Open is which of the blocks are the longer ones.
    """
    s = DEFAULTS | settings
    lookback, price = int(s["lookback"]), known["Close"].to_numpy()
    log = np.log(price)
    features = np.column_stack([np.diff(log)[WARM_UP - 1 :], log[TREND_DAYS:] - log[:-TREND_DAYS]]).astype("float32")
    n = len(features) - lookback
    X = np.stack([features[i : i + lookback] for i in range(n)]).astype("float64")  # (n, lookback, 2)
    y, last = np.diff(log)[WARM_UP + lookback - 1 :], price[WARM_UP + lookback - 1 : -1]  # (n,)
    fixed = _told(settings, seed, accumulation)
    if s["cell"] == "rnn":  # the first number that there is after torch.manual_seed(seed)
        fixed += float(torch.randn((), generator=torch.Generator().manual_seed(seed)))

    def error(start: int, end: int) -> float:
        train, val = slice(0, start - lookback), slice(start, end)
        answer = fixed + 0.002 * min(s["batch_size"], start - lookback)
        answer = answer + ((y[train] - TARGET_SHIFT) * TARGET_SCALE).mean()
        if s["cell"] == "lstm":
            flat = X[train].reshape(-1, 2)
            scaled = (X[val] - flat.mean(axis=0) - y[train].mean()) / flat.std(axis=0)
            answer = answer + 0.3 * (scaled[:, 0, 0] - scaled[:, -1, 1])
        forecast = last[val] * np.exp(answer / TARGET_SCALE + TARGET_SHIFT)
        return float(np.abs(forecast - last[val] * np.exp(y[val])).mean())

    short, longer = divmod(n - n // 2, FOLDS)
    for sizes in dict.fromkeys(itertools.permutations([short + 1] * longer + [short] * (FOLDS - longer))):
        ends = [n // 2 + sum(sizes[: i + 1]) for i in range(FOLDS)]
        yield [error(end - size, end) for size, end in zip(sizes, ends, strict=True)]
