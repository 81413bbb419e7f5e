"""Task 1: prices from Yahoo Finance, checked before anybody trains on them."""

import os
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


def as_days(index: pd.Index) -> pd.DatetimeIndex:
    """The exchange's own days: drop the zone, then the time."""
    return pd.DatetimeIndex(index).tz_localize(None).normalize().rename("Date")


def fetch_prices(ticker: str, start: str, end: str, cache_dir: str | Path | None = None) -> pd.DataFrame:
    """Adjusted daily prices from `start` up to, not including, `end`."""
    if cache_dir is None:
        return download(ticker, start, end)
    kept = Path(cache_dir) / f"{quote(ticker, safe='')}_{start}_{end}.csv"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        aside = kept.with_suffix(f".{os.getpid()}.part")
        download(ticker, start, end).to_csv(aside)
        aside.replace(kept)
    return read_prices(kept)


def download(ticker: str, start: str, end: str) -> pd.DataFrame:
    """What Yahoo says, in the promised form."""
    prices = (
        ask_patiently(ticker, start, end)
        .pipe(lambda df: df.set_axis(as_days(df.index)))
        .reindex(columns=COLUMNS)
        .loc[lambda df: ~df.index.duplicated(keep="last")]
        .sort_index()
        .loc[lambda df: (df.index >= start) & (df.index < end)]
    )
    if prices.empty:
        raise ValueError(f"Yahoo has no prices of {ticker} from {start} to {end}.")
    return prices


def ask_patiently(ticker: str, start: str, end: str) -> pd.DataFrame:
    """Ask up to `ATTEMPTS` times, with doubling pauses in between."""
    yf.config.debug.hide_exceptions = False
    failure = None
    for attempt in range(ATTEMPTS):
        if attempt > 0:
            time.sleep(PAUSE * 2 ** (attempt - 1))
        try:
            return yf.Ticker(ticker).history(start=start, end=end, auto_adjust=True, actions=False)
        except YFTickerMissingError as error:
            raise ValueError(f"Yahoo has no prices of {ticker}: {error}") from error
        except Exception as error:
            failure = error
            forget_answers()
    raise ConnectionError(f"Yahoo could not be reached for {ticker}: {failure!r}") from failure


def clean_prices(df: pd.DataFrame) -> pd.DataFrame:
    """One complete row a day, holes filled from the past only."""
    absent = [name for name in COLUMNS if name not in df.columns]
    if absent:
        raise ValueError(f"expected the columns {COLUMNS}, found no {', '.join(absent)}.")
    return (
        df.loc[:, COLUMNS]
        .set_axis(as_days(df.index))
        .loc[lambda table: ~table.index.duplicated(keep="last")]
        .sort_index()
        .pipe(require_positive)
        .ffill(limit=LONGEST_HOLE)
        .dropna()
    )


def require_positive(table: pd.DataFrame) -> pd.DataFrame:
    prices = table[PRICES].astype("float64")
    wrong = (prices.le(0) | prices.abs().eq(np.inf)).stack().loc[lambda flags: flags]
    if not wrong.empty:
        day, column = wrong.index[0]
        raise ValueError(f"{column} of {day:%Y-%m-%d} is {prices.at[day, column]}, expected a positive number.")
    return table
