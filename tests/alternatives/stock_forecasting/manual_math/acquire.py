"""Prices from Yahoo, checked number by number."""

import csv
import math
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


def write_rows(table: pd.DataFrame, path: Path) -> None:
    half = path.parent / (path.name + ".half")
    with half.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["Date", *COLUMNS])
        for day, row in zip(table.index, table.to_numpy(dtype="float64"), strict=True):
            writer.writerow([day.date().isoformat(), *("" if math.isnan(value) else repr(float(value)) for value in row)])
    os.replace(half, path)


def read_rows(path: Path) -> pd.DataFrame:
    with path.open(newline="") as file:
        rows = [[float(cell) if cell else math.nan for cell in row[1:]] + [row[0]] for row in list(csv.reader(file))[1:]]
    days = pd.DatetimeIndex([row[-1] for row in rows], name="Date")
    return pd.DataFrame([row[:-1] for row in rows], columns=COLUMNS, index=days)


def fetch_prices(ticker: str, start: str, end: str, cache_dir: str | Path | None = None) -> pd.DataFrame:
    path = None if cache_dir is None else Path(cache_dir) / quote(ticker, safe="") / start / f"{end}.csv"
    if path is not None and path.exists():
        return read_rows(path)
    answer = ask_patiently(ticker, start, end)
    first, after = pd.Timestamp(start), pd.Timestamp(end)
    by_day = {}
    for stamp, *numbers in answer[COLUMNS].itertuples(name=None):
        day = pd.Timestamp(stamp.year, stamp.month, stamp.day)
        if first <= day < after:
            by_day[day] = numbers
    if not by_day:
        raise ValueError(f"Yahoo gave no prices of {ticker} from {start} up to {end}")
    days = sorted(by_day)
    table = pd.DataFrame([by_day[day] for day in days], pd.DatetimeIndex(days, name="Date"), COLUMNS, dtype="float64")
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_rows(table, path)
    return table


def ask_patiently(ticker: str, start: str, end: str) -> pd.DataFrame:
    yf.config.debug.hide_exceptions = False
    attempt = 0
    while True:
        attempt += 1
        try:
            return yf.Ticker(ticker).history(start=start, end=end, auto_adjust=True, actions=False, keepna=False)
        except YFTickerMissingError as error:
            raise ValueError(f"Yahoo does not know {ticker}, or nothing about these days: {error}") from error
        except Exception as error:
            forget_answers()
            if attempt >= ATTEMPTS:
                raise ConnectionError(f"Yahoo was asked {attempt} times for {ticker}, in vain: {error}") from error
        time.sleep(PAUSE * 2 ** (attempt - 1))


def clean_prices(df: pd.DataFrame) -> pd.DataFrame:
    for name in COLUMNS:
        if not (df.columns == name).any():
            raise ValueError(f"there is no column {name}")
    values = np.column_stack([pd.to_numeric(df[name]).to_numpy(dtype="float64", na_value=np.nan) for name in COLUMNS])
    days = np.array([(stamp.year, stamp.month, stamp.day) for stamp in df.index]).reshape(-1, 3)
    order = np.lexsort((np.arange(len(days)), days[:, 2], days[:, 1], days[:, 0]))
    days, values = days[order], values[order]
    last_of_day = np.ones(len(days), dtype=bool)
    last_of_day[:-1] = (days[1:] != days[:-1]).any(axis=1)
    days, values = days[last_of_day], values[last_of_day]
    for column in range(5):
        hole = 0
        for row in range(len(values)):
            value = values[row, column]
            if not math.isnan(value):
                hole = 0
                if column < 4 and not (0 < value < math.inf):
                    raise ValueError("{} on {}-{:02}-{:02} is {}".format(COLUMNS[column], *days[row], value))
            elif row > 0:
                hole += 1
                values[row, column] = values[row - 1, column] if hole <= LONGEST_HOLE else math.nan
    complete = ~np.isnan(values).any(axis=1)
    index = pd.to_datetime(pd.DataFrame(days[complete], columns=["year", "month", "day"]))
    return pd.DataFrame(values[complete], index=pd.DatetimeIndex(index, name="Date"), columns=COLUMNS)
