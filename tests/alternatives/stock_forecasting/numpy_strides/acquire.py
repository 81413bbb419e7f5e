"""Task 1: daily prices from Yahoo, as arrays as early as possible."""

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


def day_numbers(index: pd.Index) -> np.ndarray:
    """Days of the exchange as datetime64[D]: (n,)."""
    local = pd.DatetimeIndex(index)
    return (local if local.tz is None else local.tz_localize(None)).to_numpy().astype("datetime64[D]")


def as_table(days: np.ndarray, values: np.ndarray) -> pd.DataFrame:
    index = pd.DatetimeIndex(days.astype("datetime64[ns]"), name="Date")
    return pd.DataFrame(np.array(values, dtype="float64"), index=index, columns=COLUMNS)


def fetch_prices(ticker: str, start: str, end: str, cache_dir: str | Path | None = None) -> pd.DataFrame:
    """Adjusted prices; with a cache they are kept as .npz."""
    path = None
    if cache_dir is not None:
        folder = Path(cache_dir)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / ("-".join(quote(part, safe="") for part in (ticker, str(start), str(end))) + ".npz")
        if path.is_file():
            with np.load(path) as kept:
                return as_table(kept["days"], kept["values"])
    answer = ask_patiently(ticker, start, end)
    days, values = day_numbers(answer.index), answer.reindex(columns=COLUMNS).to_numpy("float64")
    within = np.flatnonzero((days >= np.datetime64(start, "D")) & (days < np.datetime64(end, "D")))
    within = within[np.argsort(days[within], kind="stable")]
    if within.size == 0:
        raise ValueError(f"no prices of {ticker} between {start} and {end}")
    days, values = days[within], values[within]
    if path is not None:
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".tmp", delete=False) as file:
            np.savez(file, days=days, values=values)
        Path(file.name).rename(path)
    return as_table(days, values)


def ask_patiently(ticker: str, start: str, end: str) -> pd.DataFrame:
    yf.config.debug.hide_exceptions = False
    pauses = PAUSE * 2.0 ** np.arange(ATTEMPTS - 1)  # between attempts
    for pause in [*pauses.tolist(), None]:
        try:
            return yf.Ticker(ticker).history(start=start, end=end, interval="1d", actions=False, auto_adjust=True)
        except YFTickerMissingError as error:
            raise ValueError(f"{ticker}: {error}") from None
        except Exception as error:
            if pause is None:
                raise ConnectionError(f"{ticker}: no answer in {ATTEMPTS} attempts ({error})") from error
        forget_answers()
        time.sleep(pause)
    raise AssertionError("not reached")


def clean_prices(df: pd.DataFrame) -> pd.DataFrame:
    lacking = sorted(set(COLUMNS) - set(df.columns))
    if lacking:
        raise ValueError(f"no column {', '.join(lacking)}")
    days, back = np.unique(day_numbers(df.index)[::-1], return_index=True)  # the last row of a day is the first backwards
    rows = len(df) - 1 - back
    values = np.column_stack([df[name].to_numpy("float64", na_value=np.nan) for name in COLUMNS])[rows]  # (n, 5)
    prices = values[:, : len(PRICES)]
    with np.errstate(invalid="ignore"):
        wrong = np.argwhere((prices <= 0) | np.isinf(prices))
    if len(wrong):
        row, column = wrong[0]
        raise ValueError(f"{PRICES[column]} on {days[row]}: {prices[row, column]} is not a positive finite price")
    place = np.arange(len(values))[:, None]
    known = np.maximum.accumulate(np.where(np.isnan(values), -1, place), axis=0)  # row of the last number so far
    near = (known >= 0) & (place - known <= LONGEST_HOLE)
    filled = np.where(near, np.take_along_axis(values, np.maximum(known, 0), axis=0), np.nan)
    complete = near.all(axis=1)
    return as_table(days[complete], filled[complete])
