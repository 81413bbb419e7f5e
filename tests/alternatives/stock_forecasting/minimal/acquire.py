"""Daily prices: asked of Yahoo, kept in a folder, cleaned."""

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
    if cache_dir is None:
        return ask_patiently(ticker, start, end)
    path = Path(cache_dir) / f"{quote(ticker, safe='')}_{start}_{end}.csv"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_suffix(f".{os.getpid()}")
        ask_patiently(ticker, start, end).to_csv(aside)
        aside.replace(path)
    return read_prices(path)


def ask_patiently(ticker: str, start: str, end: str) -> pd.DataFrame:
    yf.config.debug.hide_exceptions = False
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(PAUSE * 2 ** (attempt - 1))
        forget_answers()
        try:
            df = yf.Ticker(ticker).history(start=start, end=end, auto_adjust=True, actions=False)
            break
        except YFTickerMissingError as error:
            raise ValueError(f"{ticker}: {error}") from error
        except Exception as error:
            failure = error
    else:
        raise ConnectionError(f"{ticker}: no answer in {ATTEMPTS} attempts ({failure})") from failure
    if df.empty:
        raise ValueError(f"{ticker}: no prices from {start} to {end}")
    df.index = df.index.tz_localize(None).normalize().rename("Date")
    return df[COLUMNS].sort_index()


def clean_prices(df: pd.DataFrame) -> pd.DataFrame:
    if missing := [c for c in COLUMNS if c not in df.columns]:
        raise ValueError(f"no column {', '.join(missing)}")
    new = df[COLUMNS].astype(float)
    new.index = pd.DatetimeIndex(df.index).tz_localize(None).normalize().rename("Date")
    new = new[~new.index.duplicated(keep="last")].sort_index()
    for column in PRICES:
        wrong = new.index[(new[column] <= 0) | np.isinf(new[column])]
        if len(wrong):
            raise ValueError(f"{column} is no price on {wrong[0].date()}")
    return new.ffill(limit=LONGEST_HOLE).dropna()
