"""Task 1 of project 3's reference solution: Yahoo on good and on bad days, and a loop that cleans row by row."""

import json

import numpy as np
import pandas as pd
import pytest
import stock_forecasting_solved as shared

solved, yahoo, draw_prices = shared.solved, shared.yahoo, shared.draw_prices
PRICES = ["Open", "High", "Low", "Close"]
YEAR = ("KELP", "2023-12-18", "2024-12-17")

pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword")  # yfinance's own


@pytest.fixture(scope="module")
def chart() -> bytes:
    return (shared.FIXTURE / "KELP.json").read_bytes()


@pytest.fixture(scope="module")
def adjusted() -> pd.DataFrame:
    """What the chart's days are when adjusted, by the export that was written beside it."""
    export = pd.read_csv(shared.FIXTURE / "KELP.csv", parse_dates=["Date"], index_col="Date").iloc[-250:]
    prices = export[PRICES].mul(export["Adj Close"] / export["Close"], axis=0)
    return prices.assign(Volume=export["Volume"])


def test_yahoos_chart_becomes_the_adjusted_table(solved, yahoo, chart, adjusted):
    yahoo.answers = [chart]
    prices = solved.acquire.fetch_prices(*YEAR)
    pd.testing.assert_frame_equal(prices, adjusted, check_freq=False, check_index_type=False, rtol=1e-6)
    assert adjusted["Close"].iloc[0] < 0.999 * pd.read_csv(shared.FIXTURE / "KELP.csv")["Close"].iloc[-250]
    assert prices.index.tz is None
    assert prices.index.name == "Date"
    assert list(prices) == [*PRICES, "Volume"]
    until = yahoo.asked[-1][1]["period2"]
    assert pd.Timestamp(until, unit="s", tz="America/New_York") == pd.Timestamp(YEAR[2], tz="America/New_York")
    assert yahoo.pauses == []


@pytest.mark.parametrize("ticker", ["KELP", "^GSPC", "BRK/B"])
def test_what_is_kept_is_not_asked_for_again(solved, yahoo, chart, tmp_path, ticker):
    yahoo.answers = [chart]
    fetched = solved.acquire.fetch_prices(ticker, *YEAR[1:], tmp_path / "new" / "cache")
    asked = len(yahoo.asked)
    yahoo.answers = [shared.DOWN]
    solved.acquire.forget_answers()
    kept = solved.acquire.fetch_prices(ticker, *YEAR[1:], tmp_path / "new" / "cache")
    pd.testing.assert_frame_equal(kept, fetched, check_freq=False, check_index_type=False)
    assert len(yahoo.asked) == asked
    assert [path.suffix for path in (tmp_path / "new/cache").iterdir()] == [".csv"]
    with pytest.raises(ConnectionError):
        solved.acquire.fetch_prices(ticker, "2022-01-03", YEAR[2], tmp_path / "new" / "cache")


def without_numbers(chart: bytes) -> bytes:
    """The same days, none of which has a price."""
    (result,) = json.loads(chart)["chart"]["result"]
    for (columns,) in result["indicators"].values():
        columns.update({name: [None] * len(values) for name, values in columns.items()})
    return json.dumps({"chart": {"result": [result | {"events": {}}], "error": None}}).encode()


@pytest.mark.parametrize("case", ["unknown", "no days", "no numbers"])
def test_an_answer_without_prices_is_an_error_at_once(solved, yahoo, chart, tmp_path, case):
    yahoo.answers = [{"unknown": shared.UNKNOWN, "no days": shared.NOTHING}.get(case) or without_numbers(chart)]
    with pytest.raises(ValueError, match="AAPPL"):
        solved.acquire.fetch_prices("AAPPL", *YEAR[1:], tmp_path)
    assert yahoo.pauses == []
    assert list(tmp_path.iterdir()) == []


# yfinance itself asks again after an error page, with another cookie: a failure lasts until the pause that follows it.
FAILURES = {"no network": shared.DOWN, "error page": shared.PAGE, "too many": shared.BUSY}


@pytest.mark.parametrize("failure", FAILURES)
def test_a_failure_that_passes_costs_one_pause(solved, yahoo, monkeypatch, chart, adjusted, failure):
    yahoo.answers = [FAILURES[failure]]

    def recover(seconds: float) -> None:
        yahoo.pauses.append(seconds)
        yahoo.answers = [chart]

    monkeypatch.setattr(solved.acquire.time, "sleep", recover)
    prices = solved.acquire.fetch_prices(*YEAR)
    np.testing.assert_allclose(prices["Close"], adjusted["Close"], rtol=1e-6)
    assert yahoo.pauses == [0.5]


@pytest.mark.parametrize("failure", FAILURES)
def test_a_failure_that_lasts_is_raised_after_doubling_pauses(solved, yahoo, tmp_path, failure):
    yahoo.answers = [FAILURES[failure]]
    with pytest.raises(ConnectionError, match=r"KELP.*4 attempts"):
        solved.acquire.fetch_prices(*YEAR, tmp_path)
    assert yahoo.pauses == [0.5, 1.0, 2.0]
    assert list(tmp_path.iterdir()) == []


def cleaned_by_loop(messy: pd.DataFrame) -> list[tuple]:
    """Days and numbers that `clean_prices` is to return, row by row."""
    last_of = {}
    for stamp, row in zip(messy.index, messy.to_numpy(), strict=True):
        last_of[stamp.tz_localize(None).normalize()] = row
    rows, carried, age = [], [np.nan] * 5, [99] * 5
    for day in sorted(last_of):
        for place, number in enumerate(last_of[day]):
            if np.isnan(number):
                age[place] += 1
            else:
                carried[place], age[place] = number, 0
        if max(age) <= 5:
            rows.append((day, *carried))
    return rows


@pytest.mark.parametrize("seed", range(4))
def test_cleaning_is_the_rule_row_by_row(solved, seed):
    rng = np.random.default_rng(seed)
    messy = draw_prices(60, seed).astype("float64")
    messy.index = messy.index.tz_localize("Asia/Tokyo").rename(None)
    messy[pd.DataFrame(rng.random(messy.shape) < 0.1, messy.index, messy.columns)] = np.nan
    messy.iloc[20:28, 1] = np.nan  # longer than a hole may be
    messy.iloc[:2, 4] = np.nan  # nothing was known before
    messy = pd.concat([messy, messy.iloc[30:33] * 2]).iloc[rng.permutation(63)].assign(more="text")
    before = messy.copy()
    found = solved.acquire.clean_prices(messy)
    expected = cleaned_by_loop(messy.drop(columns="more"))
    assert [tuple(row) for row in found.reset_index().to_numpy()] == expected
    assert (found.index.name, found.index.tz, list(found)) == ("Date", None, [*PRICES, "Volume"])
    pd.testing.assert_frame_equal(messy, before)


@pytest.mark.parametrize("price", [0.0, -1.5, np.inf])
def test_impossible_prices_are_named(solved, price):
    prices = draw_prices(9)
    prices.iloc[4, 2] = price
    with pytest.raises(ValueError, match=f"Low.*{prices.index[4]:%Y-%m-%d}"):
        solved.acquire.clean_prices(prices)
    with pytest.raises(ValueError, match="Volume"):
        solved.acquire.clean_prices(draw_prices(9).drop(columns="Volume"))
