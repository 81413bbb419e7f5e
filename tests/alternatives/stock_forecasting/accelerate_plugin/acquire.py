"""Task 1: prices, kept in compressed files."""

import time
from pathlib import Path
from secrets import token_hex
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


def fetch_prices(ticker: str, start: str, end: str, cache_dir: str | Path | None = None) -> pd.DataFrame:
    if cache_dir is None:
        return from_network(ticker, start, end)
    cache = Path(cache_dir) / f"{start}_{end}_{quote(ticker, safe='')}.csv.gz"
    if cache.exists():
        return read_prices(cache)
    table = from_network(ticker, start, end)
    cache.parent.mkdir(parents=True, exist_ok=True)
    unfinished = cache.with_name(token_hex(8))
    table.to_csv(unfinished, compression="gzip")
    unfinished.replace(cache)
    return table


def from_network(ticker: str, start: str, end: str) -> pd.DataFrame:
    answer = ask_patiently(ticker, start, end)
    if answer.empty:
        raise ValueError(f"{ticker}: Yahoo answered with no prices from {start} up to {end}.")
    answer.index = pd.to_datetime(answer.index.strftime("%Y-%m-%d")).rename("Date")
    return answer.sort_index()[COLUMNS]


def ask_patiently(ticker: str, start: str, end: str) -> pd.DataFrame:
    yf.config.debug.hide_exceptions = False
    attempts_left, pause, problem = ATTEMPTS, PAUSE, None
    while attempts_left:
        if problem is not None:
            time.sleep(pause)
            pause += pause
        forget_answers()
        try:
            return yf.Ticker(ticker=ticker).history(
                start=start, end=end, interval="1d", auto_adjust=True, actions=False, keepna=False
            )
        except Exception as error:
            if isinstance(error, YFTickerMissingError):
                raise ValueError(f"{ticker}: Yahoo has no such prices. {error}") from error
            attempts_left, problem = attempts_left - 1, error
    raise ConnectionError(f"{ticker}: Yahoo cannot be reached, {problem}") from problem


def clean_prices(df: pd.DataFrame) -> pd.DataFrame:
    try:
        table = df[COLUMNS].copy()
    except KeyError:
        raise ValueError(f"Expected {COLUMNS}; absent: {[c for c in COLUMNS if c not in df]}.") from None
    table.index = pd.to_datetime(pd.DatetimeIndex(df.index).strftime("%Y-%m-%d"))
    table.index.name = "Date"
    table = table.groupby(level=0, sort=True).nth(-1).sort_index()
    for day, row in table[PRICES].iterrows():
        for column, price in row.items():
            if pd.notna(price) and not 0 < price < np.inf:
                raise ValueError(f"{day.date().isoformat()}: {column} cannot be {price}.")
    return table.fillna(table.ffill(limit=LONGEST_HOLE)).dropna(subset=COLUMNS)
