"""Prices with loops: adjusted by hand, cleaned day by day, kept by the csv module."""

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


def read_prices(path):
    table = pd.read_csv(path)
    missing = [name for name in ("Date", *COLUMNS) if name not in table]
    if missing:
        raise ValueError(f"{path}: expected the columns Date, {', '.join(COLUMNS)}; found no {', '.join(missing)}.")
    table.index = pd.DatetimeIndex(pd.to_datetime(table["Date"]), name="Date")
    numbers = table[[name for name in ("Adj Close", *COLUMNS) if name in table]].apply(pd.to_numeric)
    if "Adj Close" in numbers:
        factor = numbers.pop("Adj Close") / numbers["Close"]
        numbers[PRICES] = numbers[PRICES].mul(factor, axis=0)
    return numbers


def forget_answers():
    YfData.cache_get.cache_clear()


class Drawer:
    """One csv file for one question to Yahoo."""

    def __init__(self, folder, ticker, start, end):
        self.folder = Path(folder)
        self.path = self.folder / f"{quote(ticker, safe='')}_{quote(str(start), safe='')}_{quote(str(end), safe='')}.csv"

    def has_it(self):
        return self.path.exists()

    def put(self, table):
        self.folder.mkdir(parents=True, exist_ok=True)
        aside = self.path.with_name(f"{self.path.name}.{os.getpid()}.part")
        with open(aside, "w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["Date", *COLUMNS])
            for day, row in zip(table.index, table.to_numpy(dtype="float64"), strict=True):
                writer.writerow([day.date().isoformat(), *(repr(float(number)) for number in row)])
        os.replace(aside, self.path)

    def get(self):
        days, rows = [], []
        with open(self.path, newline="") as file:
            reader = csv.reader(file)
            next(reader)
            for line in reader:
                days.append(line[0])
                rows.append([float(cell) for cell in line[1:]])
        return pd.DataFrame(rows, index=pd.DatetimeIndex(days, name="Date"), columns=COLUMNS)


def fetch_prices(ticker, start, end, cache_dir=None):
    drawer = None
    if cache_dir is not None:
        drawer = Drawer(cache_dir, ticker, start, end)
        if drawer.has_it():
            return drawer.get()

    raw = ask_patiently(ticker, start, end)
    first, behind = pd.Timestamp(start), pd.Timestamp(end)
    days, rows = [], []
    for i in range(len(raw)):
        day = raw.index[i].tz_localize(None).normalize()
        if day < first or day >= behind:
            continue
        line = raw.iloc[i]
        factor = float(line["Adj Close"]) / float(line["Close"])
        row = [float(line[name]) * factor for name in PRICES]
        row.append(float(line["Volume"]))
        days.append(day)
        rows.append(row)
    if len(rows) == 0:
        raise ValueError(f"Yahoo has no prices of {ticker} from {start} to {end}; look at the ticker and the days.")
    order = np.argsort(np.array(days, dtype="datetime64[s]"), kind="stable")
    table = pd.DataFrame(
        [rows[i] for i in order], index=pd.DatetimeIndex([days[i] for i in order], name="Date"), columns=COLUMNS
    )
    if drawer is not None:
        drawer.put(table)
    return table


def ask_patiently(ticker, start, end):
    yf.config.debug.hide_exceptions = False
    pause = PAUSE
    reason = None
    for attempt in range(1, ATTEMPTS + 1):
        if attempt > 1:
            time.sleep(pause)
            pause = pause * 2
        forget_answers()
        try:
            return yf.Ticker(ticker).history(start=start, end=end, interval="1d", auto_adjust=False, actions=False)
        except YFTickerMissingError as error:
            raise ValueError(f"Yahoo has no prices of {ticker} from {start} to {end}: {error}") from error
        except Exception as error:
            reason = error
    raise ConnectionError(f"Yahoo was asked {ATTEMPTS} times for {ticker} and never answered: {reason!r}") from reason


def clean_prices(df):
    for name in COLUMNS:
        if name not in df.columns:
            raise ValueError(f"expected a column {name}, found {list(df.columns)}")

    numbers = np.column_stack([df[name].to_numpy(dtype="float64", na_value=np.nan) for name in COLUMNS])
    index = pd.DatetimeIndex(df.index)
    if index.tz is not None:
        index = index.tz_localize(None)
    row_of_day = {}
    for day, row in zip(index.normalize(), numbers, strict=True):
        row_of_day[day] = row  # a later row for the same day takes the place of the earlier one

    days = sorted(row_of_day)
    for day in days:
        for name, number in zip(COLUMNS, row_of_day[day], strict=True):
            if name in PRICES and not math.isnan(number) and (number <= 0 or math.isinf(number)):
                raise ValueError(f"expected a positive finite {name} on {day.date()}, found {number}")

    known = [math.nan] * len(COLUMNS)
    age = [0] * len(COLUMNS)
    kept_days, kept_rows = [], []
    for day in days:
        filled = []
        for c, number in enumerate(row_of_day[day]):
            if not math.isnan(number):
                known[c], age[c] = number, 0
            else:
                age[c] += 1
            filled.append(known[c] if age[c] <= LONGEST_HOLE else math.nan)
        if not any(math.isnan(number) for number in filled):
            kept_days.append(day)
            kept_rows.append(filled)
    rows = np.array(kept_rows, dtype="float64").reshape(-1, len(COLUMNS))
    return pd.DataFrame(rows, index=pd.DatetimeIndex(kept_days, name="Date"), columns=COLUMNS)
