"""Task 1: prices, cleaned as tensors."""

import os
import time
from pathlib import Path
from urllib.parse import quote_plus

import numpy as np
import pandas as pd
import torch
import yfinance as yf
from yfinance.data import YfData
from yfinance.exceptions import YFTickerMissingError

COLUMNS = ["Open", "High", "Low", "Close", "Volume"]
PRICES = ["Open", "High", "Low", "Close"]

ATTEMPTS = 4  # how often Yahoo is asked before `fetch_prices` gives up
PAUSE = 0.5  # seconds before the second attempt; twice as long before the third, and so on
LONGEST_HOLE = 5  # rows that a price may be carried forward

DAY = 86_400_000_000_000  # nanoseconds


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


def to_tensors(df: pd.DataFrame) -> tuple[torch.Tensor, torch.Tensor]:
    """Number of each row's day since 1970 (n,), and its `COLUMNS` (n, 5)."""
    index = pd.DatetimeIndex(df.index)
    if index.tz is not None:
        index = index.tz_localize(None)
    days = torch.from_numpy(index.as_unit("ns").asi8.copy()).div(DAY, rounding_mode="floor")
    return days, torch.from_numpy(np.array(df[COLUMNS].to_numpy("float64", na_value=np.nan), order="C"))


def to_table(days: torch.Tensor, values: torch.Tensor) -> pd.DataFrame:
    index = pd.to_datetime(days.numpy(), unit="D", origin="unix")
    table = pd.DataFrame(values.numpy().copy(), columns=COLUMNS, index=pd.DatetimeIndex(index, name="Date"))
    return table if table["Volume"].isna().any() else table.astype({"Volume": "int64"})


def fetch_prices(ticker: str, start: str, end: str, cache_dir: str | Path | None = None) -> pd.DataFrame:
    path = None if cache_dir is None else Path(cache_dir).joinpath(f"{quote_plus(ticker, safe='')}@{start}@{end}.pt")
    if path is not None and path.exists():
        kept = torch.load(path, weights_only=True)
        return to_table(kept["days"], kept["values"])
    answer = ask_patiently(ticker, start, end)
    if answer.shape[0] < 1:
        raise ValueError(f"nothing is known of {ticker} on the days from {start} to {end}")
    days, values = to_tensors(answer)
    days, order = torch.sort(days, stable=True)
    values = values[order]
    if path is not None:
        os.makedirs(path.parent, exist_ok=True)
        aside = path.with_suffix(f".{os.getpid()}")
        torch.save({"days": days, "values": values}, aside)
        os.replace(aside, path)
    return to_table(days, values)


def ask_patiently(ticker: str, start: str, end: str) -> pd.DataFrame:
    yf.config.debug.hide_exceptions = False
    errors = []
    for attempt in range(1, ATTEMPTS + 1):
        try:
            answer = yf.Ticker(ticker).history(start=start, end=end, actions=False, auto_adjust=True)
        except YFTickerMissingError as error:
            raise ValueError(f"{ticker} has no prices: {error}") from error
        except Exception as error:
            errors.append(f"{attempt}. {error!r}")
            forget_answers()
        else:
            return answer
        if attempt < ATTEMPTS:
            time.sleep(2 ** (attempt - 1) * PAUSE)
    raise ConnectionError(f"{ticker}: " + "; ".join(errors))


def clean_prices(df: pd.DataFrame) -> pd.DataFrame:
    lost = [name for name in COLUMNS if name not in df.columns]
    if lost:
        raise ValueError(f"there is no {' and no '.join(lost)} in the table")
    days, values = to_tensors(df)
    days, order = torch.sort(days, stable=True)
    last_of_day = torch.cat([days[1:] != days[:-1], torch.ones(min(len(days), 1), dtype=torch.bool)])
    days, values = days[last_of_day], values[order][last_of_day]
    known = ~values.isnan()
    positive = (values > 0) & values.isfinite()
    for row, column in (known & ~positive)[:, :4].nonzero().tolist():
        day = to_table(days[[row]], values[[row]].nan_to_num()).index[0]
        raise ValueError(f"{COLUMNS[column]} is {values[row, column].item()} on {day:%Y-%m-%d}; a price is above 0")
    rows = torch.arange(len(days)).unsqueeze(1).expand_as(values)
    source = torch.where(known, rows, -1)  # the row that a number is taken from
    if len(days):
        source = source.cummax(dim=0).values
    usable = (source >= 0) & (rows - source <= LONGEST_HOLE)
    filled = values.gather(0, source.clamp(min=0))
    whole = usable.all(dim=1)
    return to_table(days[whole], filled[whole])
