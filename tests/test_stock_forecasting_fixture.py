"""The invented shares: reproducible, on New York's days, and with a best possible forecast that nothing beats."""

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats
from sklearn.ensemble import HistGradientBoostingRegressor

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "fixtures/stock_forecasting"
MONTH = 20

spec = importlib.util.spec_from_file_location("stock_forecasting_generate", FOLDER / "generate.py")
generate = importlib.util.module_from_spec(spec)
spec.loader.exec_module(generate)


@pytest.fixture(scope="module")
def markets() -> list:
    return generate.draw_markets(20, 1500, np.random.default_rng(0))


@pytest.fixture(scope="module")
def known(markets) -> pd.DataFrame:
    """Of each day from the 22nd on: what a student can compute the evening before, what came, and what was knowable."""
    tables = []
    for number, market in enumerate(markets):
        returns, volume = np.log(market.prices["Close"]).diff(), market.prices["Volume"]
        table = pd.DataFrame(
            {
                "market": number,
                "last": returns.shift(1),
                "before": returns.shift(2),
                "volume": np.log(volume / volume.rolling(MONTH).mean()).shift(1),
                "spread": np.log(market.prices["High"] / market.prices["Low"]).shift(1),
                "r": returns,
                "drift": market.drift,
                "sigma": market.sigma,
            }
        )
        tables.append(table.iloc[MONTH + 1 :])
    return pd.concat(tables)


def test_fewer_days_are_the_same_first_days_and_other_seeds_give_others():
    long, short, other = (generate.make_market(n, np.random.default_rng(s)) for n, s in ((90, 3), (40, 3), (40, 4)))
    pd.testing.assert_frame_equal(long.prices[:40], short.prices)
    np.testing.assert_array_equal(long.drift[:40], short.drift)
    np.testing.assert_array_equal(long.sigma[:40], short.sigma)
    assert (other.prices != short.prices).all(axis=None)
    first, second = generate.draw_markets(2, 40, np.random.default_rng(3))
    assert (first.prices != second.prices).all(axis=None)


def test_table_is_what_clean_prices_look_like(markets):
    for market in markets:
        prices = market.prices
        assert list(prices) == ["Open", "High", "Low", "Close", "Volume"]
        assert [str(kind) for kind in prices.dtypes] == ["float64"] * 4 + ["int64"]
        assert prices.index.name == "Date"
        assert prices.index.tz is None
        assert prices.index.is_monotonic_increasing
        assert prices.index.is_unique
        assert (prices > 0).all(axis=None)
        assert (prices["High"] >= prices[["Open", "Close"]].max(axis=1)).all()
        assert (prices["Low"] <= prices[["Open", "Close"]].min(axis=1)).all()
        gap = np.log(prices["Open"] / prices["Close"].shift(1))
        assert gap.std() > 0.003


def test_drift_is_the_documented_formula_of_the_days_before(markets):
    """Recomputed from the table with plain numbers, day by day."""
    for market in markets[:2]:
        close, volume = market.prices["Close"].tolist(), market.prices["Volume"].tolist()
        for t in range(MONTH, 200):
            r, before = np.log(close[t - 1] / close[t - 2]), np.log(close[t - 2] / close[t - 3])
            abnormal = np.log(volume[t - 1] / (sum(volume[t - MONTH : t]) / MONTH))
            m = 0.25 * r + 0.1 * before + 0.6 * np.tanh(abnormal / 0.3) * r
            assert market.drift[t] == pytest.approx(m, abs=1e-12)
            assert market.best_forecast.iloc[t] == pytest.approx(close[t - 1] * np.exp(m))
    assert np.isnan(market.best_forecast.iloc[0])
    wanted = np.mean([abs(close[t] - close[t - 1] * np.exp(market.drift[t])) for t in (30, 31, 40)])
    assert market.best_mae([30, 31, 40]) == pytest.approx(wanted)


def test_what_is_expected_does_not_change_with_the_future(markets):
    prices = markets[0].prices
    whole = generate.expected_return(prices)
    assert whole[: MONTH - 1].isna().all()
    np.testing.assert_allclose(whole[MONTH - 1 : -1], markets[0].drift[MONTH:], atol=1e-12)
    changed = prices.copy()
    changed.iloc[100:] *= 3
    pd.testing.assert_series_equal(generate.expected_return(changed)[:100], whole[:100])
    assert generate.expected_return(changed).iloc[100] != whole.iloc[100]


def test_a_third_of_the_variance_can_be_known(known):
    unknown = ((known["r"] - known["drift"]) ** 2).sum() / (known["r"] ** 2).sum()
    assert 0.3 < 1 - unknown < 0.42
    best = (known["r"] - known["drift"]).abs().mean()
    assert 1.18 < known["r"].abs().mean() / best < 1.26
    slope = (known["last"] @ known["r"]) / (known["last"] @ known["last"])
    assert 1.1 < (known["r"] - slope * known["last"]).abs().mean() / best < 1.16


def test_what_remains_is_unpredictable_and_symmetric(known):
    """Standard normal whatever was known before, and of either sign as often."""
    shock = (known["r"] - known["drift"]) / known["sigma"]
    n = len(shock)
    assert stats.kstest(shock, "norm").pvalue > 1e-3
    assert abs((shock > 0).mean() - 0.5) < 4 * 0.5 / np.sqrt(n)
    for seen in ("last", "before", "volume", "spread", "drift", "sigma"):
        assert abs(np.corrcoef(shock, known[seen])[0, 1]) < 4 / np.sqrt(n), seen
    assert abs(np.corrcoef(shock, known["last"] * known["volume"])[0, 1]) < 4 / np.sqrt(n)


def test_nothing_beats_the_best_forecast(known):
    """Neither it, rescaled or shifted in hindsight, nor gradient boosting on all that the evening before tells."""
    best = (known["r"] - known["drift"]).abs().mean()
    for scale in (0.5, 0.8, 0.9, 1.1, 1.2, 1.5):
        assert (known["r"] - scale * known["drift"]).abs().mean() > best, scale
    for shift in (-0.002, -0.0005, 0.0005, 0.002):
        assert (known["r"] - known["drift"] - shift).abs().mean() > best, shift
    seen = known[["last", "before", "volume", "spread"]]
    learned = known["market"] < 14
    model = HistGradientBoostingRegressor(max_iter=150, learning_rate=0.06, random_state=0)
    forecast = model.fit(seen[learned], known["r"][learned]).predict(seen[~learned])
    asked = known[~learned]
    best = (asked["r"] - asked["drift"]).abs().mean()
    ratio = (asked["r"] - forecast).abs().mean() / best
    assert 1.0 < ratio < 1.05, "what is not linear can be learned, nearly all of it"
    # Nor does knowing the best forecast help it to find more.
    residual = HistGradientBoostingRegressor(max_iter=60, learning_rate=0.03, random_state=0)
    residual.fit(known[learned][[*seen, "drift"]], (known["r"] - known["drift"])[learned])
    more = asked["drift"] + residual.predict(asked[[*seen, "drift"]])
    assert (asked["r"] - more).abs().mean() > 0.998 * best


def test_volume_turns_the_sign(known):
    """Many shares traded: on as before. Few: back again."""
    much, little = known[known["volume"] > 0.3], known[known["volume"] < -0.3]
    assert np.corrcoef(much["last"], much["r"])[0, 1] > 0.4
    assert np.corrcoef(little["last"], little["r"])[0, 1] < -0.15


def test_volatility_clusters_and_volume_goes_with_it(markets, known):
    shock = known["r"] - known["drift"]
    today, tomorrow = (shock**2)[:-1], (shock**2)[1:]
    assert np.corrcoef(today, tomorrow)[0, 1] > 0.05
    assert 0.01 < shock.std() < 0.015
    assert known["sigma"].max() > 2 * known["sigma"].min()
    returns = np.log(markets[0].prices["Close"]).diff().abs()
    assert returns.corr(np.log(markets[0].prices["Volume"])) > 0.15


def test_expected_errors_are_the_integral_over_all_shocks():
    best, sigma = np.array([80.0, 80.0, 120.0]), np.array([0.012, 0.03, 0.02])
    forecast = np.array([80.0, 83.0, 110.0])
    found = generate.expected_errors(forecast, best, sigma)
    for f, b, s, value in zip(forecast, best, sigma, found, strict=True):
        kink = np.log(f / b) / s

        def density(x, f=f, b=b, s=s):
            return abs(f - b * np.exp(s * x)) * stats.norm.pdf(x)

        wanted = integrate.quad(density, -9, kink)[0] + integrate.quad(density, kink, 9)[0]
        assert value == pytest.approx(wanted, rel=1e-6)
    around = generate.expected_errors(best * np.array([0.999, 1, 1.001]), best[[0, 0, 0]] * [1, 1, 1.5], sigma[[0] * 3])
    assert around[1] == around.min()


def test_calendar_is_new_york():
    days = generate.trading_days("2018-12-20", 1600)
    assert len(days) == 1600
    assert (days.day_of_week < 5).all()
    closed = """2018-12-25 2019-01-01 2019-01-21 2019-02-18 2019-04-19 2019-05-27 2019-07-04 2019-09-02 2019-11-28
        2020-07-03 2021-04-02 2021-07-05 2021-12-24 2022-04-15 2022-06-20 2022-07-04 2022-12-26 2023-01-02 2023-06-19
        2024-03-29 2024-11-28"""
    assert not days.isin(pd.to_datetime(closed.split())).any()
    opened = "2019-06-19 2020-06-19 2021-06-18 2021-12-31 2021-10-11 2022-11-11 2023-07-03 2019-11-29 2024-12-24"
    assert pd.to_datetime(opened.split()).isin(days).all()
    assert [(days.year == year).sum() for year in (2019, 2020, 2021, 2022, 2023)] == [252, 253, 252, 251, 250]
    assert generate.trading_days("2021-07-03", 2).strftime("%m-%d").tolist() == ["07-06", "07-07"]
