"""Task 1: fetch and clean daily prices."""

import math
import os
import time
from pathlib import Path
from urllib.parse import quote

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


def fetch_prices(ticker: str, start: str, end: str, cache_dir: str | Path | None = None) -> pd.DataFrame:
    # 1. look into the cache
    file = None
    if cache_dir is not None:
        folder = Path(cache_dir)
        if not folder.exists():
            os.makedirs(folder, exist_ok=True)
        safe_ticker = quote(ticker, safe="")
        file = folder / (safe_ticker + " " + start + " " + end + ".csv")
        if file.exists():
            return read_prices(file)

    # 2. ask Yahoo
    answer = ask_patiently(ticker, start, end)
    if len(answer) == 0:
        raise ValueError("There are no prices of " + ticker + " from " + start + " to " + end + ".")

    # 3. bring it into the promised form
    prices = pd.DataFrame()
    for name in COLUMNS:
        prices[name] = answer[name]
    days = []
    for stamp in answer.index:
        day = pd.Timestamp(year=stamp.year, month=stamp.month, day=stamp.day)
        days.append(day)
    prices.index = pd.DatetimeIndex(days, name="Date")
    prices = prices.sort_index(kind="stable")

    # 4. keep it
    if file is not None:
        temporary_file = folder / (file.name + ".tmp" + str(os.getpid()))
        prices.to_csv(temporary_file)
        os.replace(temporary_file, file)
    return prices


def ask_patiently(ticker: str, start: str, end: str) -> pd.DataFrame:
    yf.config.debug.hide_exceptions = False
    attempt = 1
    pause = PAUSE
    while True:
        try:
            share = yf.Ticker(ticker)
            answer = share.history(start=start, end=end, auto_adjust=True, actions=False)
            return answer
        except YFTickerMissingError as error:
            message = "Yahoo knows no prices of " + ticker + ": " + str(error)
            raise ValueError(message)
        except Exception as error:
            last_error = error
        if attempt == ATTEMPTS:
            break
        forget_answers()
        time.sleep(pause)
        pause = pause * 2
        attempt = attempt + 1
    message = "Yahoo was not reached for " + ticker + " in " + str(attempt) + " attempts: " + str(last_error)
    raise ConnectionError(message)


def clean_prices(df: pd.DataFrame) -> pd.DataFrame:
    for name in COLUMNS:
        if name not in df.columns:
            raise ValueError("The column " + name + " is missing.")

    # one row a day: later rows of the table overwrite earlier ones
    rows_by_day = {}
    values = df[COLUMNS].to_numpy(dtype="float64")
    for i in range(len(df)):
        stamp = pd.Timestamp(df.index[i])
        day = pd.Timestamp(stamp.year, stamp.month, stamp.day)
        rows_by_day[day] = list(values[i])

    clean_days = []
    clean_rows = []
    last_known = {}
    age = {}  # rows since the last number of a column
    for day in sorted(rows_by_day):
        row = rows_by_day[day]
        complete = True
        for k in range(len(COLUMNS)):
            name = COLUMNS[k]
            value = row[k]
            if math.isnan(value):
                age[name] = age.get(name, 0) + 1
                if name in last_known and age[name] <= LONGEST_HOLE:
                    row[k] = last_known[name]
                else:
                    complete = False
            else:
                if name in PRICES:
                    if value <= 0 or math.isinf(value):
                        raise ValueError(name + " of " + str(day.date()) + " is " + str(value) + ", not a price.")
                last_known[name] = value
                age[name] = 0
        if complete:
            clean_days.append(day)
            clean_rows.append(row)

    index = pd.DatetimeIndex(clean_days, name="Date")
    return pd.DataFrame(clean_rows, index=index, columns=COLUMNS, dtype="float64")
