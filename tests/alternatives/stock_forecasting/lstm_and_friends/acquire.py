"""From Yahoo to a clean table."""

import random
import sqlite3
import time
from contextlib import closing
from pathlib import Path
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


def adjusted(raw: pd.DataFrame) -> pd.DataFrame:
    """Yahoo's columns, prices on the scale of `Adj Close`."""
    factor = raw["Adj Close"].div(raw["Close"])
    prices = raw.drop(columns="Adj Close")
    prices[PRICES] = prices[PRICES].multiply(factor, axis="index")
    return prices.loc[:, COLUMNS]


def fetch_prices(ticker: str, start: str, end: str, cache_dir: str | Path | None = None) -> pd.DataFrame:
    path = None
    if cache_dir is not None:
        path = Path(cache_dir, quote(ticker, safe="") + f".{start}.{end}.sqlite")
        if path.exists():
            with closing(sqlite3.connect(path)) as base:
                table = pd.read_sql("select * from prices order by Date", base, index_col="Date", parse_dates=["Date"])
            return table
    prices = adjusted(ask_patiently(ticker, start, end))
    prices.index = pd.to_datetime(prices.index.strftime("%Y-%m-%d")).rename("Date")
    prices = prices.sort_index()
    if path is not None:
        Path(cache_dir).mkdir(parents=True, exist_ok=True)
        aside = path.with_suffix(f".{random.SystemRandom().getrandbits(32)}")
        with closing(sqlite3.connect(aside)) as base:
            prices.to_sql("prices", base)
            base.commit()
        aside.rename(path)
    return prices


def ask_patiently(ticker: str, start: str, end: str) -> pd.DataFrame:
    yf.config.debug.hide_exceptions = False
    failures = []
    while len(failures) < ATTEMPTS:
        if failures:
            time.sleep(PAUSE * 2 ** len(failures) / 2)
        YfData.cache_get.cache_clear()
        try:
            raw = yf.Ticker(ticker).history(start=start, end=end, interval="1d", auto_adjust=False, actions=False)
        except Exception as failure:
            if isinstance(failure, YFTickerMissingError):
                raise ValueError(f"{ticker}: {failure}") from None
            failures.append(failure)
            continue
        if raw.empty:
            raise ValueError(f"{ticker}: an empty table from {start} to {end}")
        return raw
    raise ConnectionError(f"{ticker}: Yahoo was not reached, {failures[0]}, ..., {failures[-1]}") from failures[-1]


def clean_prices(df: pd.DataFrame) -> pd.DataFrame:
    absent = pd.Index(COLUMNS).difference(df.columns)
    if not absent.empty:
        raise ValueError("The table lacks " + " and ".join(absent))
    index = pd.to_datetime(df.index)
    if index.tz is not None:
        index = index.tz_localize(None)
    table = df[COLUMNS].reset_index(drop=True).apply(pd.to_numeric).astype("float64")
    table["Date"] = index.floor("D").to_numpy()
    for name in PRICES:
        for day, price in zip(table["Date"], table[name]):
            if not pd.isna(price) and (price <= 0 or np.isinf(price)):
                raise ValueError(f"{name} on {day:%Y-%m-%d}: {price}")
    table = table.groupby("Date", sort=True).tail(1).set_index("Date").sort_index()  # tail keeps holes, last() would not
    return table.ffill(limit=LONGEST_HOLE).dropna(axis=0, how="any")
