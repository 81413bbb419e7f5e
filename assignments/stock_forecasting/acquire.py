"""Task 1 · From Yahoo Finance to a table that can be trusted.

Prices come over a network that fails, from a service that limits, repeats and leaves out. What goes on from here is one
table a ticker, always of the same form.
"""

import time
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
    """Read daily prices from a CSV file, such as Yahoo's own export or the one that `fetch_prices` keeps. Given.

    A column `Adj Close` adjusts the other prices for splits and dividends, and is left out then.

    Args:
        path: of a file with the columns `Date` and `COLUMNS`, in any order.

    Returns:
        `COLUMNS` by `Date`, as they are in the file: call `clean_prices` next.

    Raises:
        ValueError: columns that are missing, or a date or number that is none.
        OSError: no such file.
    """
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
    """Make yfinance ask again: it remembers what Yahoo said about the past, and an error page is an answer, too. Given."""
    YfData.cache_get.cache_clear()


def fetch_prices(ticker: str, start: str, end: str, cache_dir: str | Path | None = None) -> pd.DataFrame:
    """Daily prices of one ticker from Yahoo Finance, through yfinance.

    Args:
        ticker: Yahoo's symbol, such as `AAPL`, `BRK-B` or `^GSPC`.
        start: the first day, as `2020-01-31`.
        end: the day after the last one, as for yfinance.
        cache_dir: folder in which answers are kept, one file for a ticker, start and end; made if need be, with the folders
            above it. What is in it is not asked for again. None: nothing is kept.

    Returns:
        `COLUMNS`, flat and in this order, adjusted for splits and dividends, not rounded; the index is named `Date` and holds
        days without time zone, ascending. From the cache it is the same table as from the network.

    Raises:
        ValueError: at once, if Yahoo does not know the ticker, or has no prices of these days; the text names it.
        ConnectionError: Yahoo could not be reached in `ATTEMPTS` attempts (no network, a time-out, an error page, too many
            requests), with the pauses before them doubling from `PAUSE` on; the text names the ticker.
    """
    raise NotImplementedError("Task 1: write fetch_prices().")


def ask_patiently(ticker: str, start: str, end: str) -> pd.DataFrame:
    """yfinance's own table, after as many attempts as it takes, up to `ATTEMPTS`; raises as `fetch_prices` does."""
    # Hint: with yf.config.debug.hide_exceptions = False, Ticker.history raises instead of answering an empty table:
    # YFTickerMissingError says that there are no such prices, anything else that something went wrong on the way.
    raise NotImplementedError("Task 1: write ask_patiently().")


def clean_prices(df: pd.DataFrame) -> pd.DataFrame:
    """One complete row a day, in order, with nothing in it that was not known on that day.

    Args:
        df: `COLUMNS`, and perhaps others, by date; it is not changed.

    Returns:
        `COLUMNS`; the index is named `Date`, holds days without time and time zone (an exchange's day is the one in its own
        time zone), each once, ascending: of several rows for one day the one furthest down in `df` counts. What is missing
        is carried over from the row before, over at most `LONGEST_HOLE` rows in a row, and never from a later one; rows that
        are still incomplete then are left out.

    Raises:
        ValueError: a column is missing, or a price is not a positive finite number; the text names the column and, of a
            price, the day.
    """
    raise NotImplementedError("Task 1: write clean_prices().")
