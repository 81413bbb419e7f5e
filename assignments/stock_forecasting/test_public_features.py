"""Self-checks of task 2, features.py: `pytest -k features`."""

import numpy as np
import pandas as pd

from grader.suite import as_array, as_frame, as_series, assert_close, check, require, require_columns, require_equal

FEATURES = ["return", "range", "gap", "volume", "trend", "volatility", "rsi", "macd"]
NONE = np.nan


def closes(*values: float) -> pd.Series:
    return pd.Series(values, index=pd.bdate_range("2024-01-01", periods=len(values), name="Date"), dtype="float64")


@check(
    title="log_returns, moving_average, ema and volatility look back, each in its own way",
    hint="diff of np.log, rolling(window).mean(), ewm(span=span, adjust=False).mean(), and std of log returns, a day's.",
)
def test_features_averages(student):
    close, case = closes(100, 110, 99, 108.9), "closes 100, 110, 99, 108.9"
    got = as_series(student.features.log_returns(close), "log_returns' result")
    assert_close(got, [NONE, 0.0953102, -0.1053605, 0.0953102], "log_returns", case=case)
    got = as_series(student.features.moving_average(close, 2), "moving_average's result")
    assert_close(got, [NONE, 105, 104.5, 103.95], "moving_average", case=f"{case}; window 2")
    got = as_series(student.features.ema(close, 3), "ema's result")
    assert_close(got, [100, 105, 102, 105.45], "ema", case=f"{case}; span 3, so that α is 1/2")
    got = as_series(student.features.volatility(close, 2), "volatility's result")
    case = f"{case}; window 2: log returns 0.0953, -0.1054, 0.0953, their distance 0.2007 divided by √2"
    assert_close(got, [NONE, NONE, 0.1418956, 0.1418956], "volatility", case=case)


@check(
    title="rsi begins with simple means and goes on as Wilder's average does",
    hint="Average the first `window` changes, put that before the later ones, then ewm(alpha=1 / window, adjust=False).",
)
def test_features_rsi(student):
    got = as_series(student.features.rsi(closes(10, 12, 11, 14, 13), window=2), "rsi's result")
    case = "closes 10, 12, 11, 14, 13; window 2: average gains 1, 2, 1, average losses 0.5, 0.25, 0.625"
    assert_close(got, [NONE, NONE, 66.666667, 88.888889, 61.538462], "rsi", case=case)
    got = as_series(student.features.rsi(closes(10, 10, 10, 10), window=2), "rsi's result")
    assert_close(got, [NONE, NONE, 50, 50], "rsi", case="closes that never change")


@check(
    title="macd has its line, the line's own average, and the distance between them",
    hint="line = ema(close, 12) - ema(close, 26); signal = ema(line, 9); histogram = line - signal.",
)
def test_features_macd(student):
    got = as_frame(student.features.macd(closes(100, 100, 113)), "macd's result")
    require_columns(got, ["macd", "signal", "histogram"], "macd's result")
    case = "closes 100, 100, 113; the averages rise by 13 · 2/13 = 2 and 13 · 2/27 = 0.96296, the signal by a fifth"
    wanted = {"macd": 1.037037, "signal": 0.207407, "histogram": 0.829630}
    for name, value in wanted.items():
        assert_close(got[name], [0, 0, value], name, case=case, atol=1e-5)


def rising(n: int = 40) -> pd.DataFrame:
    """Closes that rise by 1% a day. High is 2% above and Low 2% below, Open 0.5% above the close of the day before."""
    close = 100 * 1.01 ** np.arange(n)
    columns = {"Open": close / 1.01 * 1.005, "High": close * 1.02, "Low": close * 0.98, "Close": close}
    return pd.DataFrame(columns | {"Volume": 1000.0}, index=pd.bdate_range("2024-01-01", periods=n, name="Date"))


@check(
    title="build_features gives each feature as the handout has it, and the same at any price",
    hint="Ratios and logarithms have no currency; each line of the docstring is a line of your table.",
)
def test_features_build(student):
    prices = rising()
    prices.iloc[-1, prices.columns.get_loc("Volume")] = 2000
    table = as_frame(student.features.build_features(prices), "build_features' result")
    require_columns(table, FEATURES, "build_features' result")
    case = (
        "closes rise by 1% a day, High 2% above, Low 2% below, Open 0.5% above the last close; volume 1000, today 2000"
    )
    wanted = {"return": 0.0099503, "range": 0.0400053, "gap": 0.0049875, "volume": 0.6439330, "trend": 0.0929}
    wanted |= {"volatility": 0.0, "rsi": 0.5}
    for name, value in wanted.items():
        got = as_array(table[name], name)[-1]
        assert_close(got, value, f"{name} of the last day", case=case, atol=1e-4)
    dear = prices.mul({"Open": 10, "High": 10, "Low": 10, "Close": 10, "Volume": 1})
    again = as_frame(student.features.build_features(dear), "build_features' result")
    for name in table:
        assert_close(again[name], table[name], name, case="the same prices in another currency, ten times as high")


@check(
    title="The first days, on which not everything is known, are left out, and no other",
    hint="dropna() at the end. A volatility of 20 log returns is there from the 21st day on; fill nothing with 0.",
)
def test_features_begin(student):
    prices = rising()
    table = as_frame(student.features.build_features(prices), "build_features' result")
    case = "40 days; volatility needs 20 log returns, everything else is known earlier"
    days = [str(day.date()) for day in table.index[[0, -1]]]
    wanted = [str(day.date()) for day in prices.index[[20, -1]]]
    require_equal(days, wanted, "the first row is the 21st day's, the last the 40th's", case)
    require(bool(table.notna().all(axis=None)), "no number is missing", got=table.isna().sum().to_dict(), case=case)


@check(
    title="What comes later changes nothing on the days before",
    hint="No shift(-1), no centred window, no mean or deviation of the whole table.",
)
def test_features_causal(student):
    prices = rising()
    before = as_frame(student.features.build_features(prices), "build_features' result")
    prices.iloc[-1] *= 1.5
    after = as_frame(student.features.build_features(prices), "build_features' result")
    for name in before:
        case = "the last of 40 days is half as dear again; features of the days before it"
        assert_close(after[name].iloc[:-1], before[name].iloc[:-1], name, case=case, rtol=1e-7, atol=1e-9)


@check(
    title="A window of `lookback` days comes with the target `horizon` days behind its last one",
    hint="There are len(features) - lookback - horizon + 1 windows; the first target's row is lookback + horizon - 1.",
)
def test_features_windows(student):
    days = pd.bdate_range("2024-03-04", periods=6, name="Date")
    features = pd.DataFrame({"a": np.arange(6.0), "b": np.arange(10.0, 16)}, index=days)
    earlier = pd.bdate_range("2024-02-28", "2024-03-01")
    target = pd.Series(np.arange(100.0, 106), index=days)
    target = pd.concat([pd.Series(0.0, index=earlier), target])  # of more days: the date counts, not the place
    X, y, dates = student.features.make_windows(features, target, lookback=3, horizon=2)
    case = "six days: feature a is 0 … 5, b 10 … 15, target 100 … 105; lookback 3, horizon 2"
    wanted = [[[0, 10], [1, 11], [2, 12]], [[1, 11], [2, 12], [3, 13]]]
    got = as_array(X, "X", shape=(2, 3, 2), case=case)
    require_equal(got.astype(int).tolist(), wanted, "X has two windows of three days", case)
    assert_close(y, [104, 105], "y", case=case)
    wanted = [str(day.date()) for day in days[4:]]
    require_equal([str(pd.Timestamp(day).date()) for day in dates], wanted, "the dates are the targets'", case)
    require_equal([str(X.dtype), str(y.dtype)], ["float32", "float32"], "X and y are float32")
    with student.raises(ValueError):
        student.features.make_windows(features, target, lookback=5, horizon=2)


@check(
    title="The parts are contiguous, in order, and the gap is cut from the end of training and validation",
    hint="n_test = round(n · test_fraction) from the end, n_val before it; then leave `gap` windows out before each.",
)
def test_features_split(student):
    parts = student.features.chronological_split(20, 0.2, 0.3, gap=2)
    got = [as_array(part, "a part").astype(int).tolist() for part in parts]
    case = "20 windows, val_fraction 0.2, test_fraction 0.3, gap 2"
    wanted = [[0, 1, 2, 3, 4, 5, 6, 7], [10, 11], [14, 15, 16, 17, 18, 19]]
    require_equal(got, wanted, "train, val and test are these", case)
    with student.raises(ValueError):
        student.features.chronological_split(8, 0.25, 0.25, gap=2)  # nothing would be left to validate on


@check(
    title="The Scaler knows what it was fitted on, and takes the target back to its own units",
    hint="fit learns mean and std of each feature over windows and days; where a std is 0, divide by 1.",
)
def test_features_scaler(student):
    X = np.array([[[1.0, 5], [3, 5]], [[1, 5], [3, 5]]])  # (2, 2, 2)
    scaler = student.features.Scaler()
    scaler.fit(X, np.array([0.0, 4.0]))
    case = "fitted on a first feature of 1, 3, 1, 3 (mean 2, deviation 1), a second one of 5, and targets 0, 4"
    got = scaler.transform(np.array([[[4.0, 5.0]]]))
    assert_close(got, [[[2.0, 0.0]]], "transform of (4, 5)", case=case)
    assert_close(scaler.transform_target(np.array([6.0])), [2.0], "transform_target of 6", case=case)
    assert_close(scaler.inverse_target(np.array([2.0])), [6.0], "inverse_target of 2", case=case)
    require_equal(str(got.dtype), "float32", "transform's result is float32")
