"""Prices in few copies."""

import os
import tempfile
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

RECORD = np.dtype([("Date", "M8[s]"), *((name, "f8") for name in COLUMNS)])


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


def as_table(records: np.ndarray) -> pd.DataFrame:
    index = pd.DatetimeIndex(records["Date"], name="Date")
    return pd.DataFrame({name: records[name] for name in COLUMNS}, index=index)


def fetch_prices(ticker: str, start: str, end: str, cache_dir: str | Path | None = None) -> pd.DataFrame:
    folder = None if cache_dir is None else os.fspath(cache_dir)
    name = f"{quote(f'{ticker} {start} {end}', safe='')}.npy"
    if folder is not None and name in (os.listdir(folder) if os.path.isdir(folder) else ()):
        return as_table(np.load(os.path.join(folder, name)))
    raw = ask_patiently(ticker, start, end)
    records = np.empty(len(raw), RECORD)
    records["Date"] = raw.index.tz_localize(None).to_numpy().astype("M8[D]")
    for column in COLUMNS:
        records[column] = raw[column]
    records.sort(order="Date", kind="stable")
    if folder is not None:
        os.makedirs(folder, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as aside:
            half = os.path.join(aside, name)
            np.save(half, records)
            os.replace(half, os.path.join(folder, name))
    return as_table(records)


def ask_patiently(ticker: str, start: str, end: str) -> pd.DataFrame:
    yf.config.debug.hide_exceptions = False
    share = yf.Ticker(ticker)
    reason = None
    for k in range(ATTEMPTS):
        if k > 0:
            time.sleep(PAUSE * (1 << (k - 1)))
        forget_answers()
        try:
            raw = share.history(start=start, end=end, auto_adjust=True, actions=False)
        except YFTickerMissingError as error:
            raise ValueError(f"Yahoo: no {ticker} from {start} to {end}") from error
        except Exception as error:
            reason = error
            continue
        if len(raw) == 0:
            raise ValueError(f"Yahoo: nothing of {ticker} from {start} to {end}")
        return raw
    raise ConnectionError(f"Yahoo: {ticker} could not be had, {reason}") from reason


def clean_prices(df: pd.DataFrame) -> pd.DataFrame:
    have = frozenset(df.columns)
    for name in COLUMNS:
        if name not in have:
            raise ValueError(f"{name}: no such column")
    index = pd.DatetimeIndex(df.index)
    days = index.tz_localize(None).to_numpy().astype("M8[D]")
    unique, from_the_end = np.unique(days[::-1], return_index=True)
    values = np.empty((len(unique), len(COLUMNS)))
    for i, name in enumerate(COLUMNS):
        values[:, i] = df[name].to_numpy(dtype="float64", na_value=np.nan)[::-1][from_the_end]
    prices = values[:, : len(PRICES)]
    wrong = np.argwhere((prices <= 0) | np.isposinf(prices))
    if len(wrong):
        row, i = wrong[0]
        raise ValueError(f"{COLUMNS[i]}: {prices[row, i]} on {unique[row]}")
    for _ in range(LONGEST_HOLE):  # one row further each time
        np.copyto(values[1:], values[:-1].copy(), where=np.isnan(values[1:]))
    whole = ~np.isnan(values).any(axis=1)
    return pd.DataFrame(values[whole], pd.DatetimeIndex(unique[whole].astype("M8[s]"), name="Date"), COLUMNS)
