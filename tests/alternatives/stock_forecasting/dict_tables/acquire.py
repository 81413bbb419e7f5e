"""Prices; what happens in which case stands in tables."""

import os
import time
from functools import partial
from pathlib import Path
from urllib.parse import quote

import pandas as pd
import yfinance as yf
from yfinance.data import YfData
from yfinance.exceptions import YFTickerMissingError

COLUMNS = ["Open", "High", "Low", "Close", "Volume"]
PRICES = ["Open", "High", "Low", "Close"]

ATTEMPTS = 4
PAUSE = 0.5
LONGEST_HOLE = 5

WANTED = {"interval": "1d", "auto_adjust": True, "actions": False}
KEPT = {"index_col": "Date", "parse_dates": ["Date"], "compression": "gzip", "float_precision": "round_trip"}
NO_PRICE = {
    "negative": lambda prices: prices < 0,
    "zero": lambda prices: prices == 0,
    "infinite": lambda prices: prices == float("inf"),
}


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
    steps = {
        "columns": lambda df: df[COLUMNS],
        "days": lambda df: df.set_axis(df.index.map(lambda stamp: pd.Timestamp(stamp.date()))).rename_axis("Date"),
        "order": lambda df: df.sort_index(),
    }
    kept = cache_dir and Path(cache_dir) / f"{quote(ticker, safe='')}@{start}@{end}.csv.gz"
    if not (kept and kept.exists()):
        df = ask_patiently(ticker, start, end)
        for step in steps.values():
            df = step(df)
        if not kept:
            return df
        kept.parent.mkdir(parents=True, exist_ok=True)
        aside = kept.with_name(f"{os.getpid()}-{time.time_ns()}.gz")
        df.to_csv(aside, compression="gzip")
        os.rename(aside, kept)
    return pd.read_csv(kept, **KEPT)


def ask_patiently(ticker: str, start: str, end: str) -> pd.DataFrame:
    yf.config.debug.hide_exceptions = False
    ask = partial(yf.Ticker(ticker).history, start=start, end=end, **WANTED)
    pauses = [PAUSE * 2**k for k in range(ATTEMPTS - 1)] + [None]
    for pause in pauses:
        forget_answers()
        try:
            df = ask()
        except YFTickerMissingError as error:
            raise ValueError(f"{ticker}: {error}") from error
        except Exception as error:
            if pause is None:
                raise ConnectionError(f"{ticker}: {len(pauses)} attempts, the last ended with {error!r}") from error
            time.sleep(pause)
        else:
            if not df.size:
                raise ValueError(f"{ticker}: no prices in {start} to {end}")
            return df


def clean_prices(df: pd.DataFrame) -> pd.DataFrame:
    found = {name: name in list(df.columns) for name in COLUMNS}
    if not all(found.values()):
        raise ValueError(f"missing columns: {[name for name in COLUMNS if not found[name]]}")
    days = [stamp.replace(hour=0, minute=0, second=0, microsecond=0, nanosecond=0, tzinfo=None) for stamp in df.index]
    rows = dict(zip(days, df[COLUMNS].astype("float64").to_dict("records")))  # the last row of a day stays
    table = pd.DataFrame.from_dict(rows, orient="index", columns=COLUMNS, dtype="float64").sort_index()
    table.index = pd.DatetimeIndex(table.index, name="Date")
    table = table.ffill(axis=0, limit=LONGEST_HOLE).dropna()
    for word, test in NO_PRICE.items():
        wrong = test(table[PRICES])
        if wrong.to_numpy().any():
            day = wrong.index[wrong.any(axis=1)][0]
            column = wrong.columns[wrong.loc[day]][0]
            raise ValueError(f"a {word} price: column {column}, {day:%Y-%m-%d}")
    return table
