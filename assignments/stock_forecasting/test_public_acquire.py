"""Self-checks of task 1, acquire.py: `pytest -k acquire`. Yahoo is played by a stand-in: nothing here needs a network."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pytest
import yfinance as yf
from curl_cffi.requests import Response, Session
from curl_cffi.requests.exceptions import ConnectionError as Unreachable
from yfinance.data import YfData

from grader.suite import as_frame, assert_close, check, folder, require, require_equal

COLUMNS = ["Open", "High", "Low", "Close", "Volume"]
FOUR = {  # Open, High, Low, Close, the close adjusted for a dividend of 2 that was paid on the 6th, Volume
    "2024-03-04": (99.0, 102.0, 98.0, 100.0, 98.0, 1000),
    "2024-03-05": (101.0, 106.0, 100.0, 105.0, 102.9, 2000),
    "2024-03-06": (103.0, 104.0, 102.0, 103.0, 103.0, 3000),
    "2024-03-07": (103.0, 108.0, 103.0, 107.0, 107.0, 4000),
}
SPAN = ("2024-03-04", "2024-03-08")

UNKNOWN = {"result": None, "error": {"code": "Not Found", "description": "No data found, symbol may be delisted"}}
NONE = {"result": [], "error": None}
NOTHING = {"chart": UNKNOWN, "quoteSummary": UNKNOWN, "quoteResponse": NONE, "timeseries": NONE}

pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword")  # yfinance's own


def chart(days: dict[str, tuple], zone: str = "America/New_York") -> dict:
    """What Yahoo says of these days; each is stamped with its opening, at ten o'clock."""
    stamps = [int(pd.Timestamp(f"{day} 10:00", tz=zone).timestamp()) for day in days]
    names = ["open", "high", "low", "close", "adjclose", "volume"]
    columns = dict(zip(names, map(list, zip(*days.values(), strict=True)), strict=True)) if days else {}
    adjusted = [{"adjclose": columns.pop("adjclose", [])}]
    meta = {"currency": "USD", "instrumentType": "EQUITY", "exchangeTimezoneName": zone, "priceHint": 2}
    meta |= {"dataGranularity": "1d", "validRanges": ["1d", "5d", "1mo", "max"], "timezone": "EST", "gmtoffset": 0}
    result = {"meta": meta, "timestamp": stamps, "indicators": {"quote": [columns], "adjclose": adjusted}}
    if "2024-03-06" in days:
        paid = {"amount": 2.0, "date": stamps[list(days).index("2024-03-06")]}
        result["events"] = {"dividends": {str(paid["date"]): paid}}
    return {"chart": {"result": [result], "error": None}}


@dataclass
class Yahoo:
    """Answers yfinance instead of the network; it knows the charts that it was given, and cannot be reached at first."""

    charts: dict[str, dict] = field(default_factory=dict)
    unreachable: int = 0  # requests for a chart that fail before the first that does not
    pauses: list[float] = field(default_factory=list)  # between attempts, in seconds; nobody waits for them

    def answer(self, session: Session, method: str, url: str, **more: object) -> Response:
        response = Response()
        response.url, response.status_code, response.request, response.content = url, 200, None, b"crumb"
        if "/v8/finance/chart/" in url:
            self.unreachable -= 1
            if self.unreachable >= 0:
                raise Unreachable("there is no network")
            known = self.charts.get(url.rpartition("/")[2])
            response.status_code = 404 if known is None else 200
            response.content = json.dumps(known or NOTHING).encode()
        elif "getcrumb" not in url:
            response.content = json.dumps(NOTHING).encode()
        return response


@pytest.fixture(scope="module")
def notes_elsewhere(tmp_path_factory) -> None:
    """yfinance keeps the tickers' time zones in a file of yours; those of invented tickers do not belong there."""
    yf.set_tz_cache_location(str(tmp_path_factory.mktemp("yfinance")))


@pytest.fixture
def yahoo(monkeypatch, notes_elsewhere) -> Iterator[Yahoo]:
    yahoo = Yahoo()
    monkeypatch.setattr(Session, "request", lambda session, *asked, **more: yahoo.answer(session, *asked, **more))
    polls = time.sleep  # yf.download looks every hundredth of a second whether its threads are done
    monkeypatch.setattr(time, "sleep", lambda pause: polls(pause) if pause < 0.05 else yahoo.pauses.append(pause))
    YfData.cache_get.cache_clear()
    yield yahoo
    yf.config.debug.hide_exceptions = True  # as yfinance begins, whatever was set meanwhile


@check(
    title="fetch_prices gives five flat columns, adjusted for what was paid",
    hint="yf.Ticker(ticker).history(…, auto_adjust=True, actions=False), then the five columns of COLUMNS.",
)
def test_acquire_adjusted(student, yahoo):
    yahoo.charts["PAYS"] = chart(FOUR)
    prices = as_frame(student.acquire.fetch_prices("PAYS", *SPAN), "fetch_prices' result")
    require_equal(list(prices.columns), COLUMNS, "the columns are these, in this order")
    case = "closes 100, 105 before a dividend of 2, that is, of 2%; then 103, 107"
    assert_close(prices["Close"], [98.0, 102.9, 103.0, 107.0], "Close", case=case, rtol=1e-4)
    case = "opens 99, 101 before a dividend of 2%; then 103, 103"
    assert_close(prices["Open"], [97.02, 98.98, 103.0, 103.0], "Open", case=case, rtol=1e-4)
    assert_close(prices["Volume"], [1000, 2000, 3000, 4000], "Volume, which no dividend changes,")


@check(
    title="The index holds days of the exchange, without time and time zone",
    hint="tz_localize(None) keeps the exchange's day, tz_convert(None) makes it London's; then normalize(), name='Date'.",
)
def test_acquire_days(student, yahoo):
    yahoo.charts |= {"NEWYORK": chart(FOUR), "SYDNEY": chart(FOUR, "Australia/Sydney")}
    for ticker in yahoo.charts:
        prices = as_frame(student.acquire.fetch_prices(ticker, *SPAN), "fetch_prices' result")
        case = f"{ticker}: four days, the exchange opens at ten o'clock of its own time"
        require_equal(
            [str(day) for day in prices.index],
            [f"{day} 00:00:00" for day in FOUR],
            "the index holds the exchange's days",
            case,
        )
        require_equal(prices.index.name, "Date", "the index has a name", case)


@check(
    title="A ticker that is not known, or has no prices of these days, is a ValueError that names it",
    hint="yfinance answers both with an empty table: look whether it is empty before you go on.",
)
def test_acquire_unknown(student, yahoo):
    yahoo.charts["ASLEEP"] = chart({})
    for ticker, case in (("NOWHERE", "Yahoo knows no NOWHERE"), ("ASLEEP", "Yahoo knows ASLEEP, and no price of it")):
        with student.raises(ValueError) as raised:
            student.acquire.fetch_prices(ticker, *SPAN)
        text = raised[0].text
        require(ticker in text, "the message names the ticker", expected=f"… {ticker} …", got=text, case=case)


@check(
    title="What fails on the way is tried again, and after the last attempt it is a ConnectionError",
    hint="With hide_exceptions = False yfinance raises: catch that in a loop of ATTEMPTS, with time.sleep between.",
)
def test_acquire_retries(student, yahoo):
    yahoo.charts["SHAKY"], yahoo.unreachable = chart(FOUR), 2
    prices = as_frame(student.acquire.fetch_prices("SHAKY", *SPAN), "fetch_prices' result")
    require_equal(len(prices), 4, "the table is there in the end", "the network fails twice, then Yahoo answers")
    yahoo.charts["FARAWAY"], yahoo.unreachable = chart(FOUR), 1000
    yahoo.pauses.clear()
    with student.raises(ConnectionError) as raised:
        student.acquire.fetch_prices("FARAWAY", *SPAN)
    text, case = raised[0].text, "the network always fails"
    require("FARAWAY" in text, "the message names the ticker", expected="… FARAWAY …", got=text, case=case)
    waited = yahoo.pauses or [0.5, 1.0, 2.0]  # a sleep that was imported by name really waits, and is not counted
    require_equal(waited, [0.5, 1.0, 2.0], "there are three pauses, each twice as long", case)


@check(
    title="What is in cache_dir is not asked for again, and is the same table",
    hint="One file for a ticker, start and end: to_csv after asking; before it, read_prices if the file is there.",
)
def test_acquire_cache(student, yahoo):
    yahoo.charts["KEPT"] = chart(FOUR)
    kept = student.make(folder({}))
    first = as_frame(student.acquire.fetch_prices("KEPT", *SPAN, kept), "fetch_prices' result")
    yahoo.unreachable = 1000
    YfData.cache_get.cache_clear()
    again = as_frame(student.acquire.fetch_prices("KEPT", *SPAN, kept), "fetch_prices' result")
    case = "asked twice with the same cache_dir; the second time there is no network"
    require_equal([str(day) for day in again.index], [str(day) for day in first.index], "the days are the same", case)
    assert_close(again[COLUMNS], first, "the prices", case=case)
    with student.raises(ConnectionError):  # other days are not in the file
        student.acquire.fetch_prices("KEPT", "2024-03-04", "2024-03-06", kept)


def table(days: list[str], closes: list[float], zone: str | None = None) -> pd.DataFrame:
    """Prices that are all the day's close; the volume is a hundred times the close."""
    closes = np.array(closes, dtype="float64")
    columns = dict.fromkeys(["Open", "High", "Low", "Close"], closes) | {"Volume": closes * 100}
    return pd.DataFrame(columns, index=pd.DatetimeIndex(days, tz=zone))


@check(
    title="clean_prices gives each day once, in order, and leaves the caller's table alone",
    hint="tz_localize(None) and normalize(), ~index.duplicated(keep='last'), then sort_index(); none of them in place.",
)
def test_acquire_clean(student):
    days = ["2024-03-06 16:00", "2024-03-04 16:00", "2024-03-05 09:30", "2024-03-05 16:00"]
    df = table(days, [13.0, 11.0, 12.0, 12.5], "America/New_York").assign(Dividends=0.0)
    prices = as_frame(student.acquire.clean_prices(df), "clean_prices' result")
    case = "New York's 6th (13), 4th (11), 5th at its opening (12) and at its close (12.5); and a column Dividends"
    wanted = ["2024-03-04 00:00:00", "2024-03-05 00:00:00", "2024-03-06 00:00:00"]
    require_equal([str(day) for day in prices.index], wanted, "each day is there once, in order", case)
    require_equal(list(prices.columns), COLUMNS, "the columns are these, in this order", case)
    assert_close(prices["Close"], [11.0, 12.5, 13.0], "Close, the last row of a day,", case=case)


@check(
    title="A hole is filled from the days before it, five at most, and never from a later one",
    hint="ffill(limit=LONGEST_HOLE), then dropna(): bfill and interpolate would look into the future.",
)
def test_acquire_holes(student):
    hole = np.nan
    closes = [hole, 10.0, hole, 12.0, hole, hole, hole, hole, hole, hole, 19.0]
    days = [f"2024-03-{day:02}" for day in range(1, 12)]
    prices = as_frame(student.acquire.clean_prices(table(days, closes)), "clean_prices' result")
    case = "closes of the 1st to the 11th: -, 10, -, 12, -, -, -, -, -, -, 19"
    kept = [day.day for day in prices.index]
    rule = "the 1st has nothing before it, the 10th is the sixth of its hole: both are left out, and no other"
    require_equal(kept, [2, 3, 4, 5, 6, 7, 8, 9, 11], rule, case)
    assert_close(prices["Close"], [10, 10, 12, 12, 12, 12, 12, 12, 19], "Close", case=case)
