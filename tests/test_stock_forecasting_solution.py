"""Task 2 and the bonus of project 3's reference solution, against plain loops, pandas, scikit-learn and arithmetic."""

from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
import stock_forecasting_solved as shared
from sklearn.preprocessing import StandardScaler

solved, draw_prices = shared.solved, shared.draw_prices
PRICES = ["Open", "High", "Low", "Close"]

# Task 2 ---------------------------------------------------------------------------------------------------------------


def rsi_by_loop(close: list[float], window: int) -> list[float]:
    """Wilder's table: averages of gains and losses, carried on from day to day."""
    changes = [b - a for a, b in pairwise(close)]
    up = sum(max(change, 0) for change in changes[:window]) / window
    down = sum(max(-change, 0) for change in changes[:window]) / window
    found = [np.nan] * window
    for change in [None, *changes[window:]]:
        if change is not None:
            up = (up * (window - 1) + max(change, 0)) / window
            down = (down * (window - 1) + max(-change, 0)) / window
        found.append(50.0 if up + down == 0 else 100 * up / (up + down))
    return found


@pytest.mark.parametrize("window", [2, 14])
def test_rsi_is_wilders_recursion(solved, window):
    close = draw_prices(80)["Close"]
    np.testing.assert_allclose(solved.features.rsi(close, window), rsi_by_loop(close.tolist(), window), rtol=1e-9)
    rising, still = pd.Series(np.arange(1.0, 40.0)), pd.Series(np.full(40, 7.0))
    assert solved.features.rsi(rising, window).dropna().eq(100).all()
    assert solved.features.rsi(100 - rising, window).dropna().eq(0).all()
    assert solved.features.rsi(still, window).dropna().tolist() == [50.0] * (40 - window)


def test_rsi_by_pencil(solved):
    # The handout's: changes +2, −1, +3; averages 1 and 0.5, then 2 and 0.25.
    found = solved.features.rsi(pd.Series([10.0, 12.0, 11.0, 14.0]), 2)
    np.testing.assert_allclose(found, [np.nan, np.nan, 200 / 3, 800 / 9])


def ema_by_loop(values: np.ndarray, span: int) -> np.ndarray:
    found = [values[0]]
    for value in values[1:]:
        found.append(found[-1] * (1 - 2 / (span + 1)) + value * 2 / (span + 1))
    return np.array(found)


def test_indicators_are_their_formulas(solved):
    close = draw_prices(90)["Close"]
    p, functions = close.to_numpy(), solved.features
    returns = np.array([np.nan, *(np.log(b / a) for a, b in pairwise(p))])
    np.testing.assert_allclose(functions.log_returns(close), returns, rtol=1e-9)
    np.testing.assert_allclose(functions.ema(close, 9), ema_by_loop(p, 9), rtol=1e-12)
    for t in range(90):
        mean, spread = functions.moving_average(close, 7).iloc[t], functions.volatility(close, 7).iloc[t]
        assert np.isnan(mean) if t < 6 else mean == pytest.approx(p[t - 6 : t + 1].mean())
        assert np.isnan(spread) if t < 7 else spread == pytest.approx(np.std(returns[t - 6 : t + 1], ddof=1))
    line = ema_by_loop(p, 12) - ema_by_loop(p, 26)
    signal = ema_by_loop(line, 9)
    expected = pd.DataFrame({"macd": line, "signal": signal, "histogram": line - signal}, close.index)
    pd.testing.assert_frame_equal(functions.macd(close), expected, check_freq=False)


def test_features_are_their_formulas_at_any_price(solved):
    prices = draw_prices(60)
    found = solved.features.build_features(prices)
    o, h, low, c, v = prices.to_numpy("float64").T
    returns = np.diff(np.log(c), prepend=np.nan)
    histogram = solved.features.macd(prices["Close"])["histogram"].to_numpy()
    strength = np.array(rsi_by_loop(c.tolist(), 14))
    expected = [
        (returns[t], np.log(h[t] / low[t]), np.log(o[t] / c[t - 1]), np.log1p(v[t]) - np.log1p(v[t - 19 : t + 1].mean()),
         np.log(c[t] / c[t - 19 : t + 1].mean()), returns[t - 19 : t + 1].std(ddof=1), strength[t] / 100 - 0.5,
         histogram[t] / c[t])
        for t in range(20, 60)
    ]  # fmt: skip
    assert list(found) == solved.features.FEATURES
    assert found.index.equals(prices.index[20:])
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    in_cents = prices.assign(**{name: prices[name] * 100 for name in PRICES})
    pd.testing.assert_frame_equal(solved.features.build_features(in_cents), found, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize(("lookback", "horizon"), [(1, 1), (3, 1), (3, 2), (8, 5)])
def test_windows_are_those_of_a_loop(solved, lookback, horizon):
    days = pd.bdate_range("2024-01-01", periods=14, name="Date")
    numbers = pd.DataFrame({"a": range(14), "b": range(100, 114)}, days)
    target = pd.Series(range(-5, 20), pd.bdate_range(end=days[-1] + pd.offsets.BDay(5), periods=25))
    X, y, dated = solved.features.make_windows(numbers, target, lookback, horizon)
    ends = range(lookback - 1, 14 - horizon)
    assert X.tolist() == [[[t, t + 100] for t in range(end - lookback + 1, end + 1)] for end in ends]
    assert y.tolist() == [target[days[end + horizon]] for end in ends]
    assert dated.tolist() == [days[end + horizon] for end in ends]
    assert (X.dtype, y.dtype) == ("float32", "float32")
    with pytest.raises(ValueError, match="14"):
        solved.features.make_windows(numbers, target, 14, horizon)


@pytest.mark.parametrize(("n", "lookback", "horizon"), [(20, 3, 1), (101, 5, 3), (60, 1, 1)])
def test_parts_are_in_order_and_share_no_day(solved, n, lookback, horizon):
    gap = lookback + horizon - 1
    parts = solved.features.chronological_split(n, 0.2, 0.2, gap=gap)
    touched = [{day for row in part for day in range(row, row + lookback + horizon)} for part in parts]
    assert max(touched[0]) < min(touched[1])
    assert max(touched[1]) < min(touched[2])
    kept = np.concatenate(parts)
    assert kept.tolist() == sorted(set(kept.tolist()))
    assert set(range(n)) - set(kept.tolist()) == {
        start - k for start in (parts[1][0], parts[2][0]) for k in range(1, gap + 1)
    }
    assert (len(parts[1]), len(parts[2])) == (round(n * 0.2) - gap, round(n * 0.2))
    for impossible in ((n, 0.0, 0.2), (n, 0.2, 0.0), (n, 0.6, 0.4), (4, 0.2, 0.2)):
        with pytest.raises(ValueError, match=str(impossible[0])):
            solved.features.chronological_split(*impossible, gap=gap)


def test_scaler_is_scikit_learns(solved):
    rng = np.random.default_rng(0)
    X, y = rng.normal(5, 3, (30, 4, 3)).astype("float32"), rng.normal(0.1, 0.02, 30).astype("float32")
    X[..., 1] = 7
    scaler = solved.features.Scaler()
    assert scaler.fit(X, y) is scaler
    theirs, later = StandardScaler().fit(X.reshape(-1, 3)), rng.normal(5, 3, (6, 4, 3)).astype("float32")
    later[..., 1] = 7
    expected = theirs.transform(later.reshape(-1, 3)).reshape(later.shape)
    np.testing.assert_allclose(scaler.transform(later), expected, rtol=1e-4, atol=1e-5)
    expected = StandardScaler().fit_transform(y[:, None])[:, 0]
    np.testing.assert_allclose(scaler.transform_target(y), expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(scaler.inverse_target(scaler.transform_target(y)), y, rtol=1e-5)
    assert scaler.transform(later).dtype == scaler.transform_target(y).dtype == np.float32
    assert scaler.inverse_target(y).dtype == np.float64
    assert solved.features.Scaler().fit(X, np.ones(30)).transform_target(np.ones(3)).tolist() == [0, 0, 0]


def changed_from(prices: pd.DataFrame, place: int) -> pd.DataFrame:
    """The same past, another future: other prices at other distances, and other volumes."""
    factor = np.append(np.ones(place), np.linspace(0.3, 0.7, len(prices) - place))
    other = prices.mul(factor, axis=0)
    return other.assign(Low=other["Low"] * factor)


def test_no_past_moves_when_the_future_does(solved):
    prices, other = draw_prices(200), changed_from(draw_prices(200), 150)
    was, now = solved.features.build_features(prices), solved.features.build_features(other)
    pd.testing.assert_frame_equal(was.iloc[:130], now.iloc[:130])
    assert (was.iloc[130] != now.iloc[130]).all(), "every feature knows its own day"
    first, second = (solved.features.prepare(table, 10, 2, 0.2, 0.2) for table in (prices, other))
    known = first.train.days.max()
    assert known < prices.index[150], "what is changed lies in the validation and the test part"
    np.testing.assert_array_equal(first.train.X, second.train.X)
    np.testing.assert_array_equal(first.train.y, second.train.y)
    assert first.scaler.inverse_target(np.ones(1)) == second.scaler.inverse_target(np.ones(1))
    before = first.val.days < prices.index[150]
    np.testing.assert_array_equal(first.val.X[before], second.val.X[before])
    assert not np.array_equal(first.test.X, second.test.X)


def test_prepare_is_its_parts_in_order(solved):
    prices, lookback, horizon = draw_prices(200), 10, 2
    found = solved.features.prepare(prices, lookback, horizon, 0.2, 0.2)
    features, close = solved.features.build_features(prices), prices["Close"]
    n = len(features) - lookback - horizon + 1
    first_val, first_test, gap = n - 2 * round(0.2 * n), n - round(0.2 * n), lookback + horizon - 1
    places = range(first_val - gap), range(first_val, first_test - gap), range(first_test, n)
    train_rows = np.concatenate([features.iloc[k : k + lookback] for k in places[0]]).astype("float32")
    targets = {day: np.log(close.loc[day] / close.shift(horizon).loc[day]) for day in prices.index[lookback + 21 :]}
    of_features = StandardScaler().fit(train_rows)
    y_train = np.array([targets[features.index[k + lookback + horizon - 1]] for k in places[0]])
    for part, rows in zip((found.train, found.val, found.test), places, strict=True):
        days = [features.index[k + lookback + horizon - 1] for k in rows]
        assert part.days.tolist() == days
        X = [of_features.transform(features.iloc[k : k + lookback].to_numpy("float32")) for k in rows]
        np.testing.assert_allclose(part.X, X, rtol=1e-3, atol=1e-4)
        y = (np.array([targets[day] for day in days]) - y_train.mean()) / y_train.std()
        np.testing.assert_allclose(part.y, y, rtol=1e-3, atol=1e-4)


# Bonus ----------------------------------------------------------------------------------------------------------------


def test_headlines_are_scored_by_whole_words(solved):
    lexicon = {"gains": 0.5, "loss": -0.75, "record": 1.0, "short-seller": -1.0}
    headlines = ["Record GAINS, record day", "Against all: glossy", "Short-seller’s loss?", ""]
    news = pd.DataFrame({"headline": headlines}, [7, 5, 3, 1])
    # "short-seller’s" is one word, and not in the lexicon
    expected = pd.Series([(1 + 0.5 + 1) / 3, 0.0, -0.75, 0.0], [7, 5, 3, 1])
    pd.testing.assert_series_equal(solved.bonus.score_headlines(news, lexicon), expected, check_names=False)


def test_news_count_from_the_first_close_behind_them(solved):
    zone, rng = ZoneInfo("America/New_York"), np.random.default_rng(0)
    days = pd.bdate_range("2024-02-26", "2024-03-20", name="Date").delete([3, 11])  # clocks change on 10 March
    closes = [pd.Timestamp(day.year, day.month, day.day, 16, tzinfo=zone) for day in days]
    stamps = [close + pd.Timedelta(seconds=s) for close in closes for s in (-1, 0, 1)]
    stamps += list(pd.Timestamp("2024-02-20", tz="UTC") + pd.to_timedelta(rng.uniform(0, 32 * 86400, 200).round(), "s"))
    news = pd.DataFrame({"published": pd.to_datetime(stamps, utc=True), "score": rng.uniform(-1, 1, len(stamps))})
    found = solved.bonus.daily_sentiment(news, days)
    previous = pd.Timestamp("1900-01-01", tz="UTC")
    for day, close in zip(days, closes, strict=True):
        scores = news["score"][[previous <= stamp < close for stamp in stamps]]
        assert found["n_news"][day] == len(scores)
        assert found["sentiment"][day] == pytest.approx(scores.mean() if len(scores) else 0.0)
        previous = close
    known = news[news["published"] < closes[8]]
    pd.testing.assert_frame_equal(solved.bonus.daily_sentiment(known, days).iloc[:9], found.iloc[:9])
    assert solved.bonus.daily_sentiment(known, days).iloc[9:].eq(0).all(axis=None)
    features = solved.features.build_features(draw_prices(900)).loc["2024-02-20":"2024-03-22"]
    joined = solved.bonus.add_sentiment(features, found)
    pd.testing.assert_frame_equal(joined[features.columns], features)
    assert joined.loc[days, "n_news"].tolist() == found["n_news"].tolist()
    assert joined.drop(index=days)[["sentiment", "n_news"]].eq(0).all(axis=None)
