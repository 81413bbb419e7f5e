"""Task 1: prices by yf.download, one row a day."""

import os
import time
from functools import reduce
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
import yfinance as yf
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
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
        return ask_and_shape(ticker, start, end)
    name = sha256(repr((ticker, start, end)).encode()).hexdigest()[:24]
    path = Path(cache_dir, f"prices-{name}.pkl")
    try:
        return pd.read_pickle(path)
    except FileNotFoundError:
        table = ask_and_shape(ticker, start, end)
    path.parent.mkdir(parents=True, exist_ok=True)
    half = f"{path}.{os.getpid()}"
    table.to_pickle(half)
    os.replace(half, path)
    return table


def ask_and_shape(ticker: str, start: str, end: str) -> pd.DataFrame:
    answer = ask_patiently(ticker, start, end)
    if answer.empty:
        raise ValueError(f"Yahoo answers without prices of {ticker} ({start} to {end})")
    return make_pipeline(FunctionTransformer(by_day), FunctionTransformer(last_of_each_day)).fit_transform(answer)


def ask_patiently(ticker: str, start: str, end: str) -> pd.DataFrame:
    yf.config.debug.hide_exceptions = False
    span = {"start": start, "end": end, "auto_adjust": True, "actions": False}
    for pause in (0.0, *(PAUSE * 2**i for i in range(ATTEMPTS - 1))):
        if pause:
            time.sleep(pause)
            forget_answers()
        table = yf.download(ticker, progress=False, threads=False, multi_level_index=False, **span)
        if len(table):
            return table
        try:
            return yf.Ticker(ticker).history(**span)  # tells why it is empty, download does not
        except YFTickerMissingError as why:
            raise ValueError(f"no such prices of {ticker}: {why}") from why
        except Exception as why:
            reason = why
    raise ConnectionError(f"could not reach Yahoo for {ticker}") from reason


def by_day(df: pd.DataFrame) -> pd.DataFrame:
    days = pd.to_datetime(df.index)
    days = days if days.tz is None else days.tz_localize(None)
    return df[COLUMNS].assign(Date=days.floor("D")).reset_index(drop=True)


def last_of_each_day(df: pd.DataFrame) -> pd.DataFrame:
    return df.drop_duplicates("Date", keep="last").sort_values("Date").set_index("Date").rename_axis(columns=None)


def positive(df: pd.DataFrame) -> pd.DataFrame:
    for name in PRICES:
        numbers = df[name].astype("float64")
        bad = numbers[numbers.notna() & ~(numbers.gt(0) & np.isfinite(numbers))]
        for day, number in bad.items():
            raise ValueError(f"{name} is {number} on {day.strftime('%Y-%m-%d')}")
    return df


def carried(df: pd.DataFrame) -> pd.DataFrame:
    """Holes filled from the row before, or the one before that, and so on."""
    return reduce(lambda table, rows: table.fillna(df.shift(rows)), range(1, LONGEST_HOLE + 1), df)


def complete(df: pd.DataFrame) -> pd.DataFrame:
    return df.dropna(how="any")


def clean_prices(df: pd.DataFrame) -> pd.DataFrame:
    gone = set(COLUMNS).difference(df.columns)
    if gone:
        raise ValueError(f"missing: {', '.join(sorted(gone))}")
    steps = (by_day, last_of_each_day, positive, carried, complete)
    return make_pipeline(*map(FunctionTransformer, steps)).fit_transform(df)
