"""Task 1: prices as float64, days as datetime64[ns]."""

import contextlib
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


def nanosecond_days(index: pd.Index) -> pd.DatetimeIndex:
    """Midnight of the exchange's own day, without zone."""
    stamps = pd.DatetimeIndex(index)
    with contextlib.suppress(TypeError):
        stamps = stamps.tz_localize(None)
    return stamps.as_unit("ns").normalize().rename("Date")


def fetch_prices(ticker: str, start: str, end: str, cache_dir: str | Path | None = None) -> pd.DataFrame:
    kept = None
    if cache_dir is not None:
        kept = Path(cache_dir) / quote(ticker, safe="") / f"{start}...{end}.txt"
        kept.parent.mkdir(parents=True, exist_ok=True)
        if kept.exists():
            kinds = dict.fromkeys(COLUMNS, "float64")
            table = pd.read_csv(kept, sep=" ", index_col="Date", dtype=kinds, float_precision="round_trip")
            return table.set_axis(nanosecond_days(table.index))
    table = ask_patiently(ticker, start, end)
    if table.shape[0] == 0:
        raise ValueError(f"{ticker} has no prices from {start} to {end} (exclusive).")
    table = table.loc[:, COLUMNS].astype(np.float64)
    table.index = nanosecond_days(table.index)
    table.sort_index(kind="mergesort", inplace=True)
    if kept is not None:
        aside = kept.with_name(f"{time.time_ns()}.part")
        table.to_csv(aside, sep=" ", float_format="%.17g", na_rep="nan")
        aside.rename(kept)
    return table


def ask_patiently(ticker: str, start: str, end: str) -> pd.DataFrame:
    setattr(yf.config.debug, "hide_exceptions", False)

    def attempt(number: int) -> pd.DataFrame:
        try:
            return yf.Ticker(ticker).history(start=start, end=end, auto_adjust=True, actions=False, rounding=False)
        except YFTickerMissingError as error:
            raise ValueError(f"{ticker} is not known, or has no prices then: {error}") from error
        except Exception as error:
            if number == ATTEMPTS:
                raise ConnectionError(f"{ticker}: gave up after {number} attempts; {error!r}") from error
        forget_answers()
        time.sleep(PAUSE * 2.0 ** (number - 1))
        return attempt(number + 1)

    return attempt(1)


def clean_prices(df: pd.DataFrame) -> pd.DataFrame:
    missing = [name for name in COLUMNS if name not in set(df.columns)]
    if missing:
        raise ValueError(f"Columns that are missing: {missing}.")
    table = df[COLUMNS].astype(np.float64)  # a new table
    table.index = nanosecond_days(df.index)
    table = table.iloc[np.flatnonzero(~table.index.duplicated(keep="last"))]
    table = table.iloc[np.argsort(table.index.asi8, kind="stable")]
    numbers = table[PRICES].to_numpy()
    good = np.isnan(numbers) | ((0 < numbers) & (numbers < np.inf))
    if not good.all():
        i, j = np.unravel_index(np.argmin(good), good.shape)
        raise ValueError(f"{PRICES[j]} of {table.index[i].date()}: {numbers[i, j]!r} is no positive, finite price.")
    for name in COLUMNS:
        column = table[name]
        known = column.notna().cumsum()  # the number of the last row that is known
        hole = column.groupby(known).cumcount()  # rows since then
        table = table.assign(**{name: column.ffill().where(hole <= LONGEST_HOLE)})
    return table.loc[~table.isna().any(axis=1)]
