"""Task 1 of project 3's reference solution: yfinance's own parsing, of invented and of recorded answers, without a network."""

import importlib.util
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parents[1]
RECORDED = ROOT.parent / "shared/real/stock_forecasting/yahoo"
RECORDINGS = {"AAPL": "chart-AAPL", "MSFT": "chart-MSFT-dividends", "NVDA": "chart-NVDA-split"}
COLUMNS = ["Open", "High", "Low", "Close", "Volume"]
PERIOD = ("2021-03-01", "2021-04-16")


def module_at(path: str) -> ModuleType:
    """A module of the repository by its path, under a name of its own."""
    spec = importlib.util.spec_from_file_location(f"stock_acquire_{Path(path).stem}", ROOT / path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def acquire() -> ModuleType:
    return module_at("solutions/stock_forecasting/acquire.py")


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    return module_at("fixtures/stock_forecasting/generate.py")


@pytest.fixture
def yahoo() -> Iterator[ModuleType]:
    """The hidden suite's server; whatever it replaced is put back."""
    recipes = module_at("tests/hidden/stock_forecasting/recipes_yahoo.py")
    yield recipes
    recipes.yahoo_withdraws()


@pytest.fixture(scope="module")
def body(generator) -> dict:
    """Sixty days over the change to daylight-saving time, with dividends and a split."""
    rng = np.random.default_rng(5)
    prices = generator.make_market(60, rng, "2021-02-01").prices
    return generator.chart_json("KELP", generator.with_actions(prices, rng, dividend=0.02))


def read_by_hand(body: dict) -> pd.DataFrame:
    """Adjusted prices out of a chart answer: everything times adjclose / close, days by the exchange's offset."""
    (result,) = body["chart"]["result"]
    (quote,), (adjusted,) = result["indicators"]["quote"], result["indicators"]["adjclose"]
    close = np.array(quote["close"], dtype="float64")
    factor = np.array(adjusted["adjclose"], dtype="float64") / close  # (n,)
    columns = {name: np.array(quote[name.lower()], dtype="float64") for name in COLUMNS}
    values = {name: value if name == "Volume" else value * factor for name, value in columns.items()}
    # Trading opens at 9:30: an hour more or less is the same day.
    seconds = np.array(result["timestamp"]) + result["meta"]["gmtoffset"]
    table = pd.DataFrame(values, seconds.astype("datetime64[s]").astype("datetime64[D]").astype("datetime64[ns]"))
    return table.dropna().rename_axis("Date")


def assert_same(table: pd.DataFrame, wanted: pd.DataFrame) -> None:
    assert list(table.columns) == COLUMNS
    assert (table.index.name, table.index.tz) == ("Date", None)
    assert table.index.tolist() == wanted.index.tolist()
    np.testing.assert_allclose(table.to_numpy(dtype="float64"), wanted.to_numpy(), rtol=1e-12)


def test_invented_prices_come_as_they_are_read_by_hand(acquire, yahoo, body):
    yahoo.yahoo_serves({"KELP": body})
    assert_same(acquire.fetch_prices("KELP", *PERIOD), read_by_hand(body).loc["2021-03-01":"2021-04-15"])


@pytest.mark.parametrize("symbol", RECORDINGS)
def test_recorded_answers_come_as_they_are_read_by_hand(acquire, yahoo, symbol):
    path = RECORDED / f"{RECORDINGS[symbol]}.json"
    if not path.is_file():
        pytest.skip(f"no recorded answer {path.name}: it is not part of the repository")
    recorded = json.loads(path.read_text())["response"]["bodyJson"]
    yahoo.yahoo_serves({symbol: recorded})
    table = acquire.clean_prices(acquire.fetch_prices(symbol, "2020-01-01", "2023-01-01"))
    wanted = read_by_hand(recorded)
    assert_same(table, wanted)
    assert len(table) > 40
    assert table.to_numpy().min() > 0
    moves = np.abs(np.diff(np.log(table["Close"])))
    assert moves.max() < 0.15  # a split that was not undone would be a day of 1.4


@pytest.mark.parametrize("trouble", ["timeout", "error page", "too many"])
def test_a_server_that_recovers_is_asked_again(acquire, yahoo, body, trouble):
    yahoo.yahoo_serves({"KELP": body}, trouble=trouble, opens=3.35)
    assert_same(acquire.fetch_prices("KELP", *PERIOD), read_by_hand(body).loc["2021-03-01":"2021-04-15"])


@pytest.mark.parametrize("trouble", ["timeout", "error page", "too many"])
def test_a_server_that_does_not_recover_is_a_connection_error(acquire, yahoo, body, tmp_path, trouble):
    yahoo.yahoo_serves({"KELP": body}, trouble=trouble)
    before = yahoo.YAHOO_CLOCK.skipped
    with pytest.raises(ConnectionError, match=r"KELP.*4 attempts"):
        acquire.fetch_prices("KELP", *PERIOD, cache_dir=tmp_path)
    assert yahoo.YAHOO_CLOCK.skipped - before == pytest.approx(0.5 + 1 + 2)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("empty", ["nothing", "refused"])
def test_what_yahoo_does_not_have_is_a_value_error_without_waiting(acquire, yahoo, body, tmp_path, empty):
    yahoo.yahoo_serves({"KELP": body}, empty=empty)
    before = yahoo.YAHOO_CLOCK.skipped
    for symbol, start, end in (("KELPX", *PERIOD), ("KELP", "1999-01-04", "1999-02-01")):
        with pytest.raises(ValueError, match=symbol):
            acquire.fetch_prices(symbol, start, end, cache_dir=tmp_path)
    assert yahoo.YAHOO_CLOCK.skipped == before
    assert list(tmp_path.iterdir()) == []


def test_kept_prices_are_the_same_and_need_no_network(acquire, yahoo, body, tmp_path):
    folder = tmp_path / "new" / "folder"
    yahoo.yahoo_serves({"^KELP": body, "KE/LP": body})
    first = acquire.fetch_prices("^KELP", *PERIOD, cache_dir=folder)
    acquire.fetch_prices("KE/LP", *PERIOD, cache_dir=str(folder))
    assert len(list(folder.iterdir())) == 2
    yahoo.yahoo_serves({}, trouble="timeout")
    again = acquire.fetch_prices("^KELP", *PERIOD, cache_dir=folder)
    assert_same(again, first)
    assert again["Volume"].dtype == first["Volume"].dtype
    with pytest.raises(ConnectionError):
        acquire.fetch_prices("^KELP", PERIOD[0], "2021-04-01", cache_dir=folder)


def test_a_file_is_kept_whole_or_not_at_all(acquire, yahoo, body, tmp_path, monkeypatch):
    def torn(table: pd.DataFrame, path: Path) -> None:
        Path(path).write_text("Date,Open,High\n2021-03-01,1")
        raise OSError("no space left on device")

    yahoo.yahoo_serves({"KELP": body})
    with monkeypatch.context() as patch:
        patch.setattr(pd.DataFrame, "to_csv", torn)
        with pytest.raises(OSError, match="no space"):
            acquire.fetch_prices("KELP", *PERIOD, cache_dir=tmp_path)
    wanted = read_by_hand(body).loc["2021-03-01":"2021-04-15"]
    assert_same(acquire.fetch_prices("KELP", *PERIOD, cache_dir=tmp_path), wanted)
    assert_same(acquire.fetch_prices("KELP", *PERIOD, cache_dir=tmp_path), wanted)


def test_a_repeated_last_day_and_days_without_numbers_are_one_row_and_none(acquire, yahoo, generator):
    rng = np.random.default_rng(6)
    prices = generator.make_market(40, rng, "2021-03-01").prices
    listing = generator.with_actions(prices, rng)
    live = generator.chart_json("KELP", listing, tz="Asia/Tokyo", live=True, holes=[7])
    yahoo.yahoo_serves({"KELP": live})
    table = acquire.fetch_prices("KELP", "2021-03-01", "2021-12-31")
    assert table.index.tolist() == prices.index.delete(7).tolist()
    np.testing.assert_allclose(table.iloc[-1], prices.iloc[-1], rtol=1e-9)


def test_read_prices_takes_an_export(acquire, generator, tmp_path):
    rng = np.random.default_rng(7)
    prices = generator.make_market(40, rng).prices
    generator.with_actions(prices, rng).table.to_csv(tmp_path / "export.csv")
    assert_same(acquire.read_prices(tmp_path / "export.csv")[COLUMNS], prices)
    (tmp_path / "short.csv").write_text("Date,Open,Close\n2021-03-01,1,2\n")
    with pytest.raises(ValueError, match="High, Low, Volume"):
        acquire.read_prices(tmp_path / "short.csv")
