"""Fetch and clean."""

import datetime
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
    if cache_dir is not None:
        os.makedirs(cache_dir, exist_ok=True)
        path = os.path.join(cache_dir, f"{start}--{end}--{quote(ticker, safe='')}.npz")
        if os.path.exists(path):
            with np.load(path) as kept:
                index = pd.DatetimeIndex(kept["days"], name="Date")
                return pd.DataFrame({name: kept[name] for name in COLUMNS}, index=index)
    df = ask_patiently(ticker, start, end)
    if isinstance(df.columns, pd.MultiIndex):
        df = df.droplevel("Ticker", axis="columns")
    df = df[COLUMNS].rename_axis(columns=None)
    if df.index.tz is not None:
        df = df.tz_localize(None)
    df.index = df.index.normalize()
    df.index.name = "Date"
    df = df[(df.index >= pd.Timestamp(start)) & (df.index < pd.Timestamp(end))]
    df = df[~df.index.duplicated(keep="last")].sort_index()
    if df.empty:
        raise ValueError(f"{ticker}: nothing between {start} and {end}")
    if cache_dir is not None:
        aside = f"{path}.{os.getpid()}.tmp"
        with open(aside, "wb") as file:
            np.savez(file, days=df.index.to_numpy(), **{name: df[name].to_numpy() for name in COLUMNS})
        os.replace(aside, path)
    return df


def ask_patiently(ticker: str, start: str, end: str) -> pd.DataFrame:
    yf.config.debug.hide_exceptions = False
    pause = PAUSE
    for attempt in range(1, ATTEMPTS + 1):
        forget_answers()
        try:
            # download swallows every error; Ticker.history tells which one it was
            df = yf.download(
                ticker, start=start, end=end, auto_adjust=True, actions=False, progress=False, threads=False
            )
            if df.empty:
                df = yf.Ticker(ticker).history(start=start, end=end, auto_adjust=True, actions=False)
            return df
        except YFTickerMissingError:
            raise ValueError(f"{ticker}: Yahoo has no such prices")
        except Exception as error:
            if attempt == ATTEMPTS:
                raise ConnectionError(f"{ticker}: {type(error).__name__}, {error}")
            time.sleep(pause)
            pause = 2 * pause


def clean_prices(df: pd.DataFrame) -> pd.DataFrame:
    columns = df.columns.tolist()
    for name in COLUMNS:
        if name not in columns:
            raise ValueError(f"column {name} is missing")
    rows = {}
    for stamp, *values in df[COLUMNS].itertuples(name=None):
        rows[datetime.date(stamp.year, stamp.month, stamp.day)] = values
    kept, before, age = {}, [np.nan] * 5, [0] * 5
    for day in sorted(rows):
        today = []
        for i, value in enumerate(rows[day]):
            if pd.isna(value):
                age[i] += 1
                today.append(before[i] if age[i] <= LONGEST_HOLE else np.nan)
                continue
            value = float(value)
            if COLUMNS[i] in PRICES and (value <= 0 or value == np.inf):
                raise ValueError(f"column {COLUMNS[i]}, day {day}: {value} is no price")
            before[i], age[i] = value, 0
            today.append(value)
        if not np.isnan(today).any():
            kept[pd.Timestamp(day)] = today
    table = pd.DataFrame(list(kept.values()), columns=COLUMNS, dtype="float64")
    table.index = pd.DatetimeIndex(list(kept), name="Date")
    return table
