"""Task 1: prices."""

import os
from pathlib import Path
from urllib.parse import quote

import pandas as pd
import yfinance as yf
from helpers import carry, exchange_days, one_row_a_day, refuse_wrong_prices, retry, store
from yfinance.data import YfData
from yfinance.exceptions import YFTickerMissingError

COLUMNS = ["Open", "High", "Low", "Close", "Volume"]
PRICES = ["Open", "High", "Low", "Close"]

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


def fetch_prices(ticker: str, start: str, end: str, cache_dir: str | Path | None = None) -> pd.DataFrame:
    path = cache_dir and os.path.join(cache_dir, quote(ticker, safe=""), f"{start}_{end}.csv")
    if path and os.path.exists(path):
        return read_prices(path)
    table = ask_patiently(ticker, start, end)
    if table.shape[0] == 0:
        raise ValueError(f"{ticker} has no prices between {start} and {end}.")
    table = one_row_a_day(table[COLUMNS].set_axis(exchange_days(table.index)))
    if path:
        store(table, path)
    return table


def ask_patiently(ticker: str, start: str, end: str) -> pd.DataFrame:
    def ask():
        return yf.Ticker(ticker).history(start=start, end=end, auto_adjust=True, actions=False)

    yf.config.debug.hide_exceptions = False
    forget_answers()
    try:
        return retry(ask, ATTEMPTS, PAUSE, YFTickerMissingError, forget_answers)
    except YFTickerMissingError as error:
        raise ValueError(f"{ticker} is unknown, or has no prices between {start} and {end}.") from error
    except Exception as error:
        raise ConnectionError(f"Asked {ATTEMPTS} times for {ticker}: {error}") from error


def clean_prices(df: pd.DataFrame) -> pd.DataFrame:
    missing = set(COLUMNS) - set(df.columns)
    if missing:
        raise ValueError(f"Columns are missing: {sorted(missing)}.")
    table = one_row_a_day(df[COLUMNS].astype("float64").set_axis(exchange_days(df.index)))
    refuse_wrong_prices(table, PRICES)
    filled = {name: carry(table[name].to_numpy(), LONGEST_HOLE) for name in COLUMNS}
    return pd.DataFrame(filled, index=table.index).dropna(how="any")
