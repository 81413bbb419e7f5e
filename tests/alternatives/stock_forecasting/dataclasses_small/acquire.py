"""Task 1: a question to Yahoo, its answer, and the table that comes out of it."""

import json
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pandas as pd
import yfinance as yf
from yfinance.data import YfData
from yfinance.exceptions import YFTickerMissingError

COLUMNS = ["Open", "High", "Low", "Close", "Volume"]
PRICES = ["Open", "High", "Low", "Close"]

ATTEMPTS = 4  # how often Yahoo is asked before `fetch_prices` gives up
PAUSE = 0.5  # seconds before the second attempt; twice as long before the third, and so on
LONGEST_HOLE = 5  # rows that a price may be carried forward


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


@dataclass(frozen=True)
class Question:
    ticker: str
    start: str
    end: str

    def __str__(self) -> str:
        return f"{self.ticker} ({self.start} up to {self.end})"

    def ask(self) -> pd.DataFrame:
        """Once."""
        try:
            return yf.Ticker(self.ticker).history(
                interval="1d", start=self.start, end=self.end, auto_adjust=False, back_adjust=False, actions=False
            )
        except YFTickerMissingError as error:
            raise LookupError(str(error)) from error


@dataclass(frozen=True)
class Shelf:
    """One JSON file for each question."""

    folder: Path

    def place(self, question: Question) -> Path:
        return self.folder / f"{quote(str(question), safe='')}.json"

    def get(self, question: Question) -> pd.DataFrame | None:
        path = self.place(question)
        if not path.exists():
            return None
        kept = json.loads(path.read_text())
        return pd.DataFrame(kept["rows"], index=as_index(pd.to_datetime(kept["days"])), columns=COLUMNS, dtype="float64")

    def put(self, question: Question, table: pd.DataFrame) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        aside = self.folder / f"{uuid.uuid4().hex}.tmp"
        days = [day.date().isoformat() for day in table.index]
        aside.write_text(json.dumps({"days": days, "rows": table.to_numpy().tolist()}))
        aside.replace(self.place(question))


def as_index(index: pd.DatetimeIndex) -> pd.DatetimeIndex:
    return pd.DatetimeIndex([pd.Timestamp(stamp.date()) for stamp in index], dtype="datetime64[ns]", name="Date")


def fetch_prices(ticker: str, start: str, end: str, cache_dir: str | Path | None = None) -> pd.DataFrame:
    question = Question(ticker, start, end)
    shelf = None if cache_dir is None else Shelf(Path(cache_dir))
    if shelf and (kept := shelf.get(question)) is not None:
        return kept
    raw = ask_patiently(ticker, start, end)
    if not len(raw):
        raise ValueError(f"no prices of {question}")
    adjustment = raw["Adj Close"] / raw["Close"]
    table = pd.DataFrame({name: raw[name] * adjustment for name in PRICES} | {"Volume": raw["Volume"]})
    table = table.set_axis(as_index(table.index)).sort_index(kind="stable").astype("float64")
    if shelf:
        shelf.put(question, table)
    return table


def ask_patiently(ticker: str, start: str, end: str) -> pd.DataFrame:
    question, failures = Question(ticker, start, end), []
    before, yf.config.debug.hide_exceptions = yf.config.debug.hide_exceptions, False
    try:
        while len(failures) < ATTEMPTS:
            if failures:
                forget_answers()
                time.sleep(PAUSE * (1 << len(failures) - 1))
            try:
                return question.ask()
            except LookupError as error:
                if isinstance(error.__cause__, YFTickerMissingError):
                    raise ValueError(f"no prices of {question}: {error}") from error
                failures.append(error)
            except Exception as error:
                failures.append(error)
    finally:
        yf.config.debug.hide_exceptions = before
    raise ConnectionError(f"{len(failures)} attempts to ask for {question} failed, the last one by {failures[-1]!r}")


@dataclass
class Carrier:
    """Hands on a column's last number, over `LONGEST_HOLE` rows at most."""

    value: float = np.nan
    rows: int = 0

    def step(self, value: float) -> float:
        self.rows = self.rows + 1 if np.isnan(value) else 0
        if self.rows == 0:
            self.value = value
        return self.value if self.rows <= LONGEST_HOLE else np.nan


def clean_prices(df: pd.DataFrame) -> pd.DataFrame:
    for name in COLUMNS:
        if name not in df:
            raise ValueError(f"column {name} is missing")
    table = pd.DataFrame({name: df[name].to_numpy("float64", na_value=np.nan) for name in COLUMNS}, index=as_index(df.index))
    for name in PRICES:
        wrong = table[name][(table[name] <= 0) | np.isinf(table[name])]
        if len(wrong):
            raise ValueError(f"column {name} has {wrong.iloc[0]} on {wrong.index[0].date()}, which is no price")
    table = table.groupby(level="Date", sort=True).tail(1).sort_index()
    columns = {}
    for name in COLUMNS:
        carrier = Carrier()
        columns[name] = [carrier.step(value) for value in table[name]]
    table = pd.DataFrame(columns, index=table.index, columns=COLUMNS, dtype="float64")
    return table[table.notna().all(axis="columns")]
