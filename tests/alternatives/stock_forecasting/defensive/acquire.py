"""Task 1: a table that keeps its promises, or an error that says what is wrong."""

import logging
import os
import tempfile
import time
from datetime import date
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

log = logging.getLogger(__name__)


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


def check_span(ticker: str, start: str, end: str) -> None:
    if not isinstance(ticker, str) or not ticker.strip():
        raise ValueError(f"expected a ticker, found {ticker!r}.")
    try:
        first, after = date.fromisoformat(str(start)[:10]), date.fromisoformat(str(end)[:10])
    except ValueError as error:
        raise ValueError(f"{ticker}: expected start and end as YYYY-MM-DD: {error}.") from None
    if first >= after:
        raise ValueError(f"{ticker}: no days from {start} up to, not including, {end}.")


def promised_form(answer: pd.DataFrame, ticker: str, start: str, end: str) -> pd.DataFrame:
    lost = [name for name in COLUMNS if name not in answer.columns]
    if lost:
        raise ConnectionError(f"{ticker}: Yahoo's table has no {', '.join(lost)}.")
    stamps = pd.DatetimeIndex(answer.index)
    days = pd.DatetimeIndex([stamp.replace(tzinfo=None) for stamp in stamps], name="Date").normalize()
    table = answer[COLUMNS].set_index(days)
    if table.index.has_duplicates:
        log.info("%s: days that came twice are kept once", ticker)
        table = table[~table.index.duplicated(keep="last")]
    table = table.sort_index().truncate(before=start, after=pd.Timestamp(end) - pd.Timedelta(days=1))
    if table.empty:
        raise ValueError(f"{ticker}: no prices from {start} up to, not including, {end}.")
    return table


def fetch_prices(ticker: str, start: str, end: str, cache_dir: str | Path | None = None) -> pd.DataFrame:
    check_span(ticker, start, end)
    path = None
    if cache_dir is not None:
        path = Path(cache_dir) / f"{quote(ticker, safe='')}.{start}.{end}.csv"
        if path.is_file():
            try:
                kept = read_prices(path)
            except (ValueError, OSError) as error:
                log.info("%s cannot be read and is fetched again: %s", path, error)
            else:
                if not kept.empty:
                    return kept
    table = promised_form(ask_patiently(ticker, start, end), ticker, start, end)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, aside = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".csv")
        try:
            with os.fdopen(handle, "w", newline="", encoding="utf-8") as file:
                table.to_csv(file, date_format="%Y-%m-%d")
            os.replace(aside, path)
        except BaseException:
            os.unlink(aside)
            raise
        return read_prices(path)
    return table


def ask_patiently(ticker: str, start: str, end: str) -> pd.DataFrame:
    yf.config.debug.hide_exceptions = False
    cause: Exception | None = None
    for attempt, pause in enumerate([None] + [PAUSE * 2**doublings for doublings in range(ATTEMPTS - 1)], start=1):
        if pause is not None:
            log.info("%s: attempt %d in %g s", ticker, attempt, pause)
            time.sleep(pause)
        try:
            answer = yf.Ticker(ticker).history(start=start, end=end, interval="1d", auto_adjust=True, actions=False)
            if answer is None:
                raise RuntimeError("yfinance returned no table at all")
        except YFTickerMissingError as error:
            raise ValueError(f"{ticker}: not known to Yahoo, or not traded on these days ({error}).") from error
        except Exception as error:  # the network's, a time-out, a page that is no JSON, too many requests ...
            log.info("%s: attempt %d failed: %r", ticker, attempt, error)
            cause = error
            forget_answers()
            continue
        if len(answer.index) == 0:
            raise ValueError(f"{ticker}: Yahoo has not a single price from {start} up to {end}.")
        return answer
    raise ConnectionError(f"{ticker}: no answer from Yahoo in {ATTEMPTS} attempts: {cause!r}") from cause


def clean_prices(df: pd.DataFrame) -> pd.DataFrame:
    if not isinstance(df, pd.DataFrame):
        raise TypeError(f"expected a table, found {type(df).__name__}.")
    for name in COLUMNS:
        if name not in df.columns:
            raise ValueError(f"expected the columns {', '.join(COLUMNS)}; {name} is missing.")
    stamps = pd.DatetimeIndex(df.index)
    if stamps.hasnans:
        raise ValueError("a row has no date.")
    table = pd.DataFrame({name: pd.to_numeric(df[name]).array for name in COLUMNS}).astype("float64")
    table.insert(0, "Date", stamps.tz_localize(None).normalize() if stamps.tz else stamps.normalize())
    for name in PRICES:
        holes_aside = table[["Date", name]].dropna()
        impossible = holes_aside[~holes_aside[name].between(0, np.inf, inclusive="neither")]
        if not impossible.empty:
            day, price = impossible.iloc[0]
            raise ValueError(f"{name} on {day.date()}: expected a positive finite price, found {price}.")
    table["row"] = np.arange(len(table))
    table = table.sort_values(["Date", "row"]).drop_duplicates(subset="Date", keep="last").set_index("Date")[COLUMNS]
    complete = table.ffill(limit=LONGEST_HOLE).dropna(axis="index", how="any")
    if len(complete) < len(table):
        log.info("%d of %d days are incomplete and left out", len(table) - len(complete), len(table))
    return complete
