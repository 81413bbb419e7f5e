"""Daily prices from Yahoo Finance, as a value that keeps its promises."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote
from uuid import uuid4

import numpy as np
import pandas as pd
import yfinance as yf
from yfinance.data import YfData
from yfinance.exceptions import YFTickerMissingError

if TYPE_CHECKING:
    from collections.abc import Iterator

COLUMNS: Final = ["Open", "High", "Low", "Close", "Volume"]
PRICES: Final = ["Open", "High", "Low", "Close"]

ATTEMPTS = 4
PAUSE = 0.5
LONGEST_HOLE = 5


def read_prices(path: str | Path) -> pd.DataFrame:
    table = pd.read_csv(path)
    missing = [name for name in ("Date", *COLUMNS) if name not in table]
    if missing:
        raise ValueError(f"{path}: expected the columns Date, {', '.join(COLUMNS)}; found no {', '.join(missing)}.")
    table.index = pd.DatetimeIndex(pd.to_datetime(table["Date"]), name="Date")
    numbers = table[[name for name in ("Adj Close", *COLUMNS) if name in table]].apply(pd.to_numeric)
    if "Adj Close" in numbers:
        factor = numbers.pop("Adj Close") / numbers["Close"]  # (n,)
        numbers[PRICES] = numbers[PRICES].mul(factor, axis=0)
    return numbers


def forget_answers() -> None:
    YfData.cache_get.cache_clear()


@dataclass(frozen=True, slots=True)
class Question:
    ticker: str
    start: str
    end: str

    @property
    def file(self) -> Path:
        return Path(f"{quote(self.ticker, safe='')} {self.start} {self.end}.json")

    def __str__(self) -> str:
        return f"{self.ticker}, {self.start} to {self.end}"


@contextmanager
def loud() -> Iterator[None]:
    """yfinance raises what it would else only log."""
    debug = yf.config.debug
    before, debug.hide_exceptions = debug.hide_exceptions, False
    try:
        yield
    finally:
        debug.hide_exceptions = before


def fetch_prices(ticker: str, start: str, end: str, cache_dir: str | Path | None = None) -> pd.DataFrame:
    question = Question(ticker, start, end)
    match cache_dir:
        case None:
            path = None
        case folder:
            path = Path(folder).joinpath(question.file)
            if path.exists():
                return load(path)
    raw = ask_patiently(ticker, start, end)
    table = pd.DataFrame(
        {name: raw[name].to_numpy() for name in COLUMNS},
        index=pd.DatetimeIndex(raw.index.tz_localize(None).floor("D"), name="Date"),
    ).sort_index()
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f".{uuid4().hex}")
        aside.write_text(table.to_json(orient="split", date_format="iso", double_precision=15))
        aside.replace(path)
        return load(path)
    return table


def load(path: Path) -> pd.DataFrame:
    with path.open() as file:
        table = pd.read_json(file, orient="split", precise_float=True)
    return table.set_axis(pd.DatetimeIndex(pd.to_datetime(table.index).tz_localize(None), name="Date"))


def ask_patiently(ticker: str, start: str, end: str) -> pd.DataFrame:
    attempt, pause = 1, PAUSE
    while True:
        try:
            with loud():
                answer = yf.Ticker(ticker).history(start=start, end=end, auto_adjust=True, actions=False)
        except Exception as error:
            match error:
                case YFTickerMissingError():
                    raise ValueError(f"no prices of {Question(ticker, start, end)}: {error}") from error
                case _ if attempt < ATTEMPTS:
                    time.sleep(pause)
                    forget_answers()
                    attempt, pause = attempt + 1, pause * 2
                case _:
                    forget_answers()
                    raise ConnectionError(f"no answer about {Question(ticker, start, end)}: {error!r}") from error
        else:
            match len(answer):
                case 0:
                    raise ValueError(f"no prices of {Question(ticker, start, end)}")
                case _:
                    return answer


def clean_prices(df: pd.DataFrame) -> pd.DataFrame:
    match [name for name in COLUMNS if name not in df.columns]:
        case [first, *_]:
            raise ValueError(f"the prices have no column {first}")
    index = pd.DatetimeIndex(df.index)
    days = (index if index.tz is None else index.tz_localize(None)).normalize()
    table = (
        df.reset_index(drop=True)
        .reindex(columns=COLUMNS)
        .astype("float64")
        .assign(Date=days)
        .drop_duplicates("Date", keep="last")
        .set_index("Date")
        .sort_index()
    )
    table = table.ffill(limit=LONGEST_HOLE)
    table = table.loc[table.notna().all(axis=1)]
    good = table[PRICES].gt(0) & table[PRICES].lt(np.inf)
    if (bad := good.stack()[lambda cell: ~cell]).size:
        day, column = bad.index[0]
        raise ValueError(f"{column} on {day:%Y-%m-%d} is {table.at[day, column]}, expected a positive finite number")
    return table
