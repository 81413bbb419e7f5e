"""yf.download, whose log tells what it does not raise; the cache is a pickle."""

import contextlib
import logging
import os
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pandas as pd
import yfinance as yf
from yfinance.data import YfData

COLUMNS = ["Open", "High", "Low", "Close", "Volume"]
PRICES = COLUMNS[:4]
ATTEMPTS, PAUSE, LONGEST_HOLE = 4, 0.5, 5


def read_prices(path):
    table = pd.read_csv(path)
    if missing := [name for name in ("Date", *COLUMNS) if name not in table]:
        raise ValueError(f"{path}: expected the columns Date, {', '.join(COLUMNS)}; found no {', '.join(missing)}.")
    table.index = pd.DatetimeIndex(pd.to_datetime(table["Date"]), name="Date")
    numbers = table[[name for name in ("Adj Close", *COLUMNS) if name in table]].apply(pd.to_numeric)
    if "Adj Close" in numbers:
        factor = numbers.pop("Adj Close") / numbers["Close"]
        numbers[PRICES] = numbers[PRICES].mul(factor, axis=0)
    return numbers


def forget_answers():
    YfData.cache_get.cache_clear()


@contextlib.contextmanager
def overheard(name):
    lines, handler = [], logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())
    logging.getLogger(name).addHandler(handler)
    try:
        yield lines
    finally:
        logging.getLogger(name).removeHandler(handler)


def days(index):
    return pd.DatetimeIndex(index).tz_localize(None).normalize().rename("Date")


def download(ticker, start, end):
    yf.config.debug.hide_exceptions = False
    for pause in (0, *(PAUSE * 2**i for i in range(ATTEMPTS - 1))):
        if pause:
            time.sleep(pause)
        forget_answers()
        with overheard("yfinance") as lines:
            df = yf.download(
                ticker, start=start, end=end, auto_adjust=True, actions=False, progress=False, multi_level_index=False
            )
        if len(df):
            return df[COLUMNS].set_axis(days(df.index)).sort_index()
        if not lines or any("MissingError" in line for line in lines):
            raise ValueError(f"Yahoo has no prices of {ticker} from {start} until {end}.")
    raise ConnectionError(f"No answer about {ticker} in {ATTEMPTS} attempts: {' '.join(lines)}")


def fetch_prices(ticker, start, end, cache_dir=None):
    if cache_dir is None:
        return download(ticker, start, end)
    path = Path(cache_dir) / ("_".join(quote(str(part), safe="") for part in (ticker, start, end)) + ".pickle")
    if not path.exists():
        df = download(ticker, start, end)
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, aside = tempfile.mkstemp(dir=path.parent)
        os.close(handle)
        df.to_pickle(aside)
        os.replace(aside, path)
    return pd.read_pickle(path)


def clean_prices(df):
    if missing := [name for name in COLUMNS if name not in df]:
        raise ValueError(f"expected the columns {', '.join(COLUMNS)}, found no {', '.join(missing)}.")
    df = df[COLUMNS].astype("float64").set_axis(days(df.index))
    if (wrong := df[PRICES].le(0) | np.isinf(df[PRICES])).any(axis=None):
        (day, column), *_ = wrong.stack().loc[lambda cell: cell].index
        raise ValueError(f"{column} of {day:%Y-%m-%d} is not a positive finite price; mend or leave out that row.")
    return df[~df.index.duplicated(keep="last")].sort_index().ffill(limit=LONGEST_HOLE).dropna()
