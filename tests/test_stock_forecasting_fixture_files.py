"""The invented shares' files: what the seed gives, in Yahoo's layout as yfinance reads it, with headlines to match."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import curl_cffi.requests
import numpy as np
import pandas as pd
import pytest
import yfinance as yf

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "fixtures/stock_forecasting"
FILES = ("KELP.csv", "KELP.json", "lexicon.csv", "headlines.csv")

spec = importlib.util.spec_from_file_location("stock_forecasting_generate", FOLDER / "generate.py")
generate = importlib.util.module_from_spec(spec)
spec.loader.exec_module(generate)


@pytest.fixture(scope="module")
def markets() -> list:
    return generate.draw_markets(4, 1500, np.random.default_rng(0))


def adjusted_by_hand(table: pd.DataFrame) -> pd.DataFrame:
    """Every price of an export times Adj Close / Close, column by column."""
    factor = (table["Adj Close"] / table["Close"]).to_numpy()
    columns = {name: table[name].to_numpy() * factor for name in ("Open", "High", "Low", "Close")}
    return pd.DataFrame(columns | {"Volume": table["Volume"].to_numpy()}, table.index)


def read(name: str) -> pd.DataFrame:
    return pd.read_csv(FOLDER / name, index_col="Date", parse_dates=True)


def test_committed_files_are_what_the_seed_gives(tmp_path, monkeypatch, capsys):
    command = [str(FOLDER / "generate.py"), "--check"]
    assert subprocess.run([sys.executable, *command]).returncode == 0
    generate.write(tmp_path)
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes()
    (tmp_path / "KELP.json").unlink()
    lexicon = tmp_path / "lexicon.csv"
    lexicon.write_bytes(lexicon.read_bytes().replace(b"-1.0", b"-0.5", 1))
    monkeypatch.setattr(sys, "argv", [*command, "--out", str(tmp_path)])
    assert generate.main() == 1
    assert "KELP.json, lexicon.csv;" in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", [*command, "--out", str(tmp_path / "none")])
    with pytest.raises(SystemExit, match="2"):
        generate.main()


def test_data_set_is_small():
    assert sum((FOLDER / name).stat().st_size for name in FILES) < 300_000


def test_actions_leave_the_adjusted_prices_as_they_were(markets):
    prices = markets[1].prices
    listing = generate.with_actions(prices, np.random.default_rng(1), splits=((4, 1), (1, 10)), dividend=0.01)
    pd.testing.assert_frame_equal(adjusted_by_hand(listing.table), prices)
    pd.testing.assert_frame_equal(listing.adjusted(), prices)
    assert list(listing.splits) == [(4, 1), (1, 10)]
    assert set(np.diff(prices.index.get_indexer(listing.dividends.index))) == {63}
    assert len(listing.dividends) in (23, 24)
    # What Yahoo does: each dividend takes amount / (close of the day before) off everything earlier.
    close, factor = listing.table["Close"], pd.Series(1.0, prices.index)
    for day, amount in listing.dividends.items():
        factor[prices.index < day] *= 1 - amount / close[prices.index < day].iloc[-1]
    np.testing.assert_allclose(listing.table["Adj Close"] / close, factor, rtol=1e-12)
    assert factor.iloc[0] < 0.85
    plain = generate.with_actions(prices[:5], np.random.default_rng(1), splits=(), dividend=0)
    pd.testing.assert_series_equal(plain.table["Adj Close"], plain.table["Close"], check_names=False)
    assert not len(plain.dividends)
    assert "events" not in generate.chart_json("PLAIN", plain)["chart"]["result"][0]


@pytest.fixture
def yahoo(monkeypatch, tmp_path):
    """Answers chart requests with the bodies that are put into it, below yfinance."""
    bodies = {}

    def request(self, method, url, **kwargs):
        answer = curl_cffi.requests.Response()
        answer.url, answer.status_code, answer.content = url, 200, b"crumb" if "getcrumb" in url else b""
        if "/v8/finance/chart/" in url:
            answer.content = json.dumps(bodies[url.rpartition("/")[2]], allow_nan=False).encode()
        return answer

    monkeypatch.setattr(curl_cffi.requests.Session, "request", request)
    hidden, yf.config.debug.hide_exceptions = yf.config.debug.hide_exceptions, False
    yf.set_tz_cache_location(str(tmp_path))
    yf.data.YfData.cache_get.cache_clear()
    yield bodies
    yf.data.YfData.cache_get.cache_clear()
    yf.config.debug.hide_exceptions = hidden


def fetch(symbol: str, listing, **settings) -> pd.DataFrame:
    end = listing.table.index[-1] + pd.Timedelta(days=1)
    table = yf.Ticker(symbol).history(start=f"{listing.table.index[0]:%F}", end=f"{end:%F}", **settings)
    assert (table.index.hour == 0).all()
    table.index = table.index.tz_localize(None).as_unit("ns")
    return table


@pytest.mark.parametrize("tz", ["America/New_York", "Asia/Tokyo"])
def test_yfinance_reads_the_chart_answer(yahoo, markets, tz):
    symbol = f"READ{tz[:2].upper()}"
    listing = generate.with_actions(markets[2].prices, np.random.default_rng(2), splits=((3, 1),)).part(-300)
    yahoo[symbol] = generate.chart_json(symbol, listing, tz=tz)
    table = fetch(symbol, listing, auto_adjust=True)
    prices = ["Open", "High", "Low", "Close", "Volume"]
    pd.testing.assert_frame_equal(table[prices], listing.adjusted(), check_freq=False)
    paid, split = table["Dividends"], table["Stock Splits"]
    assert paid[paid > 0].to_dict() == listing.dividends.to_dict()
    assert split[split > 0].to_dict() == {day: new / old for day, (new, old) in listing.splits.items()}
    raw = fetch(symbol, listing, auto_adjust=False, actions=False)
    pd.testing.assert_frame_equal(raw[list(listing.table)], listing.table, check_freq=False)


def test_yfinance_finds_holes_and_the_last_day_once(yahoo, markets):
    listing = generate.with_actions(markets[3].prices[:120], np.random.default_rng(3))
    body = generate.chart_json("HOLES", listing, holes=[5, -3], live=True)
    result = body["chart"]["result"][0]
    assert len(result["timestamp"]) == 121
    yahoo["HOLES"] = body
    table = fetch("HOLES", listing, auto_adjust=True, actions=False, keepna=True)
    wanted = listing.adjusted()
    assert table.index.equals(wanted.index)
    assert table.index[table["Close"].isna()].tolist() == wanted.index[[5, -3]].tolist()
    whole = table.dropna().astype({"Volume": "int64"})
    pd.testing.assert_frame_equal(whole, wanted.drop(wanted.index[[5, -3]]), check_freq=False)


def test_timestamps_are_the_opening_in_local_time():
    body = json.loads((FOLDER / "KELP.json").read_text("utf-8"))
    times = pd.to_datetime(body["chart"]["result"][0]["timestamp"], unit="s", utc=True)
    assert set(times.strftime("%H:%M")) == {"13:30", "14:30"}, "summer and winter"
    local = times.tz_convert("America/New_York")
    assert set(local.strftime("%H:%M")) == {"09:30"}


def test_public_chart_and_export_are_the_same_days(yahoo):
    table = read("KELP.csv")
    assert list(table) == ["Open", "High", "Low", "Close", "Adj Close", "Volume"]
    assert len(table) == 1500
    assert (table["Adj Close"] < table["Close"]).any()
    yahoo["KELP"] = json.loads((FOLDER / "KELP.json").read_text("utf-8"))
    last = table[-250:]
    days = yf.Ticker("KELP").history(start="2023-01-01", end="2025-01-01", auto_adjust=True)
    np.testing.assert_array_equal(days.index.strftime("%F"), last.index.strftime("%F"))
    wanted = adjusted_by_hand(last)
    np.testing.assert_allclose(days[list(wanted)].to_numpy(), wanted.to_numpy(), rtol=1e-12)
    assert (days["Dividends"] > 0).sum() in (3, 4)


def test_lexicon_and_headlines():
    lexicon = pd.read_csv(FOLDER / "lexicon.csv", keep_default_na=False)
    assert len(lexicon) == 60
    assert lexicon["word"].is_unique
    assert (lexicon["word"] == lexicon["word"].str.lower()).all()
    assert lexicon["weight"].between(-1, 1).all()
    assert (lexicon["weight"] * 4 % 1 == 0).all()
    assert abs(lexicon["weight"].sum()) < 1
    news = pd.read_csv(FOLDER / "headlines.csv")
    assert list(news) == ["published", "headline"]
    assert len(news) == 400
    times = pd.to_datetime(news["published"])
    assert str(times.dt.tz) == "UTC"
    assert times.is_monotonic_increasing
    local = times.dt.tz_convert("America/New_York")
    day, hour = local.dt.tz_localize(None).dt.normalize(), local.dt.hour
    traded = read("KELP.csv").index
    assert (local.dt.day_of_week >= 5).sum() > 20
    assert (~day.isin(traded) & (local.dt.day_of_week < 5)).any(), "a holiday"
    assert min((hour == 15).sum(), (hour == 16).sum()) > 40
    assert {offset.total_seconds() / 3600 for offset in map(pd.Timestamp.utcoffset, local)} == {-5, -4}
    assert (day.isin(traded) & (times.dt.date != local.dt.date)).any(), "a date in UTC that is not New York's"
    words = news["headline"].str.lower().str.findall("[a-z]+")
    silent = words.map(lambda found: not set(found) & set(lexicon["word"]))
    assert 0.15 < silent.mean() < 0.5


def test_tone_goes_a_little_with_what_comes_after():
    """Over many headlines; what is published after a close counts for the next trading day, and tells of the one after."""
    days = generate.trading_days("2022-01-03", 500)
    rng = np.random.default_rng(0)
    shock = pd.Series(rng.standard_normal(500), days)
    news = generate.draw_headlines(shock, 3000, rng)
    score = (
        news["headline"].str.lower().str.findall("[a-z]+").map(lambda ws: sum(generate.LEXICON.get(w, 0) for w in ws))
    )
    local = pd.to_datetime(news["published"]).dt.tz_convert("America/New_York").dt.tz_localize(None)
    counts_for = days.searchsorted((local + pd.Timedelta(hours=8)).dt.normalize())
    values = np.append(shock.to_numpy(), [0.0, 0.0])
    correlation = [np.corrcoef(score, values[counts_for + later])[0, 1] for later in (0, 1)]
    assert abs(correlation[0]) < 0.08
    assert 0.15 < correlation[1] < 0.45
