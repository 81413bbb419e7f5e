"""A client that asks, a cupboard that keeps, a cleaner that mends."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

import numpy as np
import pandas as pd
import yfinance
from yfinance.data import YfData
from yfinance.exceptions import YFTickerMissingError

COLUMNS: list[str] = ["Open", "High", "Low", "Close", "Volume"]
PRICES: list[str] = ["Open", "High", "Low", "Close"]

ATTEMPTS: int = 4
PAUSE: float = 0.5
LONGEST_HOLE: int = 5


def read_prices(path: str | Path) -> pd.DataFrame:
    table = pd.read_csv(path)
    missing = [name for name in ("Date", *COLUMNS) if name not in table]
    if missing:
        raise ValueError(f"{path}: expected the columns Date, {', '.join(COLUMNS)}; found no {', '.join(missing)}.")
    table.index = pd.DatetimeIndex(pd.to_datetime(table["Date"]), name="Date")
    numbers = table[[name for name in ("Adj Close", *COLUMNS) if name in table]].apply(pd.to_numeric)
    if "Adj Close" in numbers:
        factor = numbers.pop("Adj Close") / numbers["Close"]
        numbers[PRICES] = numbers[PRICES].mul(factor, axis=0)
    return numbers


def forget_answers() -> None:
    YfData.cache_get.cache_clear()


@dataclass(frozen=True)
class Question:
    ticker: str
    start: str
    end: str

    def __str__(self) -> str:
        return f"{self.ticker} ({self.start} to {self.end})"

    @property
    def file_name(self) -> str:
        return "@".join(quote(str(part), safe="") for part in (self.ticker, self.start, self.end)) + ".npz"


@dataclass(frozen=True)
class Client:
    """Asks Yahoo, and asks again where there was no answer."""

    attempts: int
    pause: float

    @staticmethod
    @contextmanager
    def loud() -> Iterator[None]:
        before = yfinance.config.debug.hide_exceptions
        yfinance.config.debug.hide_exceptions = False
        try:
            yield
        finally:
            yfinance.config.debug.hide_exceptions = before

    def ask(self, question: Question) -> pd.DataFrame:
        for attempt in range(self.attempts):
            try:
                with self.loud():
                    table = yfinance.Ticker(question.ticker).history(
                        start=question.start, end=question.end, auto_adjust=True, actions=False, keepna=True
                    )
            except YFTickerMissingError as error:
                raise ValueError(f"{question}: Yahoo has no such prices. {error}") from error
            except Exception as error:
                forget_answers()
                if attempt + 1 == self.attempts:
                    raise ConnectionError(f"{question}: no answer in {self.attempts} attempts. {error}") from error
                time.sleep(self.pause * 2**attempt)
            else:
                if table["Close"].isna().all():  # of no days, too
                    raise ValueError(f"{question}: Yahoo has no prices.")
                return table
        raise ConnectionError(f"{question}: nobody was asked, ATTEMPTS is {self.attempts}.")


@dataclass(frozen=True)
class Cupboard:
    """Tables in a folder, as arrays that come back bit by bit the same."""

    folder: Path

    def path(self, question: Question) -> Path:
        return self.folder / question.file_name

    def get(self, question: Question) -> pd.DataFrame | None:
        if not self.path(question).is_file():
            return None
        with np.load(self.path(question)) as arrays:
            index = pd.DatetimeIndex(arrays["days"], name="Date")
            return pd.DataFrame(arrays["numbers"], index=index, columns=COLUMNS)

    def put(self, question: Question, table: pd.DataFrame) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=self.folder) as aside:
            half = Path(aside) / "half.npz"
            np.savez(half, days=table.index.to_numpy("datetime64[ns]"), numbers=table.to_numpy("float64"))
            half.replace(self.path(question))


def to_days(index: pd.Index) -> pd.DatetimeIndex:
    stamps = pd.DatetimeIndex(index)
    return (stamps if stamps.tz is None else stamps.tz_localize(None)).normalize().as_unit("ns").rename("Date")


def fetch_prices(ticker: str, start: str, end: str, cache_dir: str | Path | None = None) -> pd.DataFrame:
    question = Question(ticker, start, end)
    cupboard = None if cache_dir is None else Cupboard(Path(cache_dir))
    if cupboard is not None and (kept := cupboard.get(question)) is not None:
        return kept
    table = ask_patiently(ticker, start, end)[COLUMNS].astype("float64")
    table = table.set_axis(to_days(table.index), axis=0).sort_index(kind="stable")
    if cupboard is not None:
        cupboard.put(question, table)
    return table


def ask_patiently(ticker: str, start: str, end: str) -> pd.DataFrame:
    return Client(ATTEMPTS, PAUSE).ask(Question(ticker, start, end))


@dataclass(frozen=True)
class Cleaner:
    longest_hole: int

    @staticmethod
    def check(table: pd.DataFrame) -> None:
        for column in PRICES:
            prices = table[column]
            bad = prices.notna() & ~(np.isfinite(prices) & (prices > 0))
            if bad.any():
                day = table.index[bad.to_numpy().argmax()]
                found = prices[bad.to_numpy()].iloc[0]
                raise ValueError(f"expected positive finite prices; found {found} as {column} on {day.date()}.")

    def clean(self, df: pd.DataFrame) -> pd.DataFrame:
        absent = [column for column in COLUMNS if column not in df.columns]
        if absent:
            raise ValueError(f"expected the columns {COLUMNS}; {absent} are missing.")
        table = df.loc[:, COLUMNS].astype("float64").set_axis(to_days(df.index), axis=0)
        table = table.groupby(level=0, sort=True).tail(1).sort_index()
        self.check(table)
        return table.ffill(limit=self.longest_hole).dropna(how="any")


def clean_prices(df: pd.DataFrame) -> pd.DataFrame:
    return Cleaner(LONGEST_HOLE).clean(df)
