"""Prices through layers of functions: ask, ask again, keep."""

import time
from collections.abc import Callable, Iterator
from functools import wraps
from itertools import chain, islice, repeat
from pathlib import Path
from tempfile import NamedTemporaryFile
from urllib.parse import quote

import numpy as np
import pandas as pd
import yfinance as yf
from yfinance.data import YfData
from yfinance.exceptions import YFTickerMissingError

COLUMNS = ["Open", "High", "Low", "Close", "Volume"]
PRICES = ["Open", "High", "Low", "Close"]

ATTEMPTS = 4
PAUSE = 0.5
LONGEST_HOLE = 5

Ask = Callable[[str, str, str], pd.DataFrame]


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


def pauses() -> Iterator[float]:
    pause = PAUSE
    while True:
        yield pause
        pause += pause


def patient(ask: Ask) -> Ask:
    @wraps(ask)
    def asking(ticker: str, start: str, end: str) -> pd.DataFrame:
        reasons = []
        for pause in chain([0.0], islice(pauses(), ATTEMPTS - 1)):
            if reasons:
                time.sleep(pause)
                forget_answers()  # an error page would be told again
            try:
                return ask(ticker, start, end)
            except YFTickerMissingError as unknown:
                raise ValueError(f"Yahoo has no prices of {ticker} from {start} to {end}.") from unknown
            except Exception as reason:
                reasons.append(reason)
        raise ConnectionError(f"{ticker}: {'; '.join(map(repr, reasons))}") from reasons[-1]

    return asking


def kept_in(folder: Path, ask: Ask) -> Ask:
    @wraps(ask)
    def asking(*key: str) -> pd.DataFrame:
        place = folder / ("~".join(quote(part, safe="") for part in key) + ".pickle")
        if place.is_file():
            return pd.read_pickle(place)
        answer = ask(*key)
        folder.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=folder, suffix=".part", delete=False) as aside:
            answer.to_pickle(aside)
        Path(aside.name).rename(place)
        return answer

    return asking


def fetch_prices(ticker: str, start: str, end: str, cache_dir: str | Path | None = None) -> pd.DataFrame:
    def ask(ticker: str, start: str, end: str) -> pd.DataFrame:
        answer = ask_patiently(ticker, start, end)
        if not len(answer):
            raise ValueError(f"Yahoo's table of {ticker} from {start} to {end} is empty.")
        days = pd.DatetimeIndex([stamp.date() for stamp in answer.index], name="Date")
        return answer.set_axis(days).loc[:, COLUMNS].sort_index(kind="stable")

    asked = ask if cache_dir is None else kept_in(Path(cache_dir), ask)
    return asked(ticker, start, end)


@patient
def ask_patiently(ticker: str, start: str, end: str) -> pd.DataFrame:
    yf.config.debug.hide_exceptions = False
    return yf.Ticker(ticker).history(
        interval="1d", start=start, end=end, auto_adjust=True, back_adjust=False, actions=False
    )


def clean_prices(df: pd.DataFrame) -> pd.DataFrame:
    for absent in (name for name in COLUMNS if name not in list(df)):
        raise ValueError(f"The column {absent} is missing.")
    days = pd.to_datetime([stamp.date() for stamp in df.index])
    table = df.filter(COLUMNS).apply(pd.to_numeric).set_axis(pd.DatetimeIndex(days, name="Date"))[COLUMNS]

    def wrong() -> Iterator[str]:
        for name in PRICES:
            for day, price in table[name].items():
                if price <= 0 or abs(price) == np.inf:
                    yield f"{name} of {day:%Y-%m-%d} is {price}, not a price."

    for complaint in wrong():
        raise ValueError(complaint)
    last = dict(zip(table.index, range(len(table)), strict=True))  # a later row takes the day
    table = table.iloc[[last[day] for day in sorted(last)]]

    def carried(values: pd.Series) -> Iterator[float]:
        known, age = np.nan, repeat(0)
        for value in values:
            if value == value:
                known, age = value, iter(range(LONGEST_HOLE))
                yield value
            else:
                yield known if next(age, None) is not None else np.nan

    table = table.apply(lambda column: pd.Series(list(carried(column)), column.index, dtype="float64"))
    return table[table.notna().all(axis="columns")]
