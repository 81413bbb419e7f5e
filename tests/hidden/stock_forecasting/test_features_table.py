"""Task 2, build_features: each column against its formula, and what holds for any column, the student's own included."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from grader.errors import StudentFault
from grader.suite import CheckFailed, as_array, as_frame, assert_close, check, recipe, require, require_columns

NAMED = ["return", "range", "gap", "volume", "trend", "volatility", "rsi", "macd"]
DAYS, MONTH = 330, 20  # long enough for a column of a year's days
NEAR = {"rtol": 1e-4, "atol": 5e-6}  # for float32, too

Indicator = Callable[..., np.ndarray]


def draw_prices(rng: np.random.Generator, n: int = DAYS) -> pd.DataFrame:
    """Open, High, Low, Close and Volume of a share that is traded little: in volumes like these the 1 of ln(1 + V) shows."""
    close = rng.uniform(30, 90) * np.exp(rng.normal(0.0005, 0.03, n).cumsum())
    opening = close * np.exp(rng.normal(0, 0.02, n))
    high, low = np.maximum(opening, close), np.minimum(opening, close)
    high, low = high * np.exp(rng.uniform(0, 0.02, n)), low * np.exp(-rng.uniform(0, 0.02, n))
    columns = {"Open": opening, "High": high, "Low": low, "Close": close, "Volume": rng.integers(1, 60, n)}
    return pd.DataFrame(columns, pd.bdate_range("2020-02-03", periods=n, name="Date"))


def build(student, prices: object, case: str = "") -> pd.DataFrame:
    """The student's features."""
    return as_frame(student.features.build_features(prices), "build_features' result", case=case)


def places(features: pd.DataFrame, prices: pd.DataFrame, case: str = "") -> np.ndarray:
    """The rows of `prices` whose days the features have."""
    at = prices.index.get_indexer(features.index)
    require(bool((at >= 0).all()), "the features' rows have days of prices", got=features.index[:1].tolist(), case=case)
    require(len(np.unique(at)) == len(at) > 0, "each day has one row", got=f"{len(at)} rows", case=case)
    return at


def columns_by(prices: pd.DataFrame, of: Callable[..., np.ndarray]) -> dict[str, np.ndarray]:
    """The named columns (n,) each, from indicators `of(name, series, *arguments)`."""
    close, volume = prices["Close"], prices["Volume"].astype("float64")
    before = np.append(np.nan, close.to_numpy()[:-1])
    return {
        "return": of("log_returns", close),
        "range": np.log(prices["High"].to_numpy() / prices["Low"].to_numpy()),
        "gap": np.log(prices["Open"].to_numpy() / before),
        "volume": np.log(1 + volume.to_numpy()) - np.log(1 + of("moving_average", volume, MONTH)),
        "trend": np.log(close.to_numpy() / of("moving_average", close, MONTH)),
        "volatility": of("volatility", close, MONTH),
        "rsi": of("rsi", close) / 100 - 0.5,
        "macd": of("macd", close) / close.to_numpy(),
    }


def right(name: str, series: pd.Series, window: int = 14) -> np.ndarray:
    """The indicators by pandas, but for Wilder's start, which a loop makes."""
    if name == "rsi":
        return _wilder(series.to_numpy(), window)
    if name == "macd":
        slow, fast = (series.ewm(span=span, adjust=False).mean() for span in (26, 12))
        return (fast - slow - (fast - slow).ewm(span=9, adjust=False).mean()).to_numpy()
    if name == "moving_average":
        return series.rolling(window).mean().to_numpy()
    returns = np.log(series / series.shift(1))
    return (returns.rolling(window).std() if name == "volatility" else returns).to_numpy()


def _wilder(close: np.ndarray, window: int) -> np.ndarray:
    moves = np.stack([np.maximum(np.diff(close), 0), np.maximum(-np.diff(close), 0)])  # gains, losses
    average, strength = moves[:, :window].mean(axis=1), np.full(len(close), np.nan)
    for day in range(window, len(close)):
        average += (moves[:, day - 1] - average) / window if day > window else 0
        strength[day] = 100 * average[0] / average.sum()
    return strength


def students(student) -> Callable[..., np.ndarray]:
    """The indicators by the student's own functions, which checks of their own judge."""

    def ask(name: str, series: pd.Series, *window: int) -> np.ndarray:
        answer = getattr(student.features, name)(series, *window)
        return as_array(answer["histogram"] if name == "macd" else answer, name, shape=(len(series),))

    return ask


def own_columns(student, prices: pd.DataFrame) -> dict[str, np.ndarray]:
    """The named columns by the student's own indicators; none of what cannot be computed or never varies."""
    ask, found = students(student), {}

    def lenient(name: str, series: pd.Series, *window: int) -> np.ndarray:
        try:
            return ask(name, series, *window)
        except (StudentFault, CheckFailed, KeyError, TypeError):
            return np.full(len(series), np.nan)

    for name, values in columns_by(prices, lenient).items():
        known = values[np.isfinite(values)]
        if len(known) > DAYS // 2 and np.ptp(known) > 0:
            found[name] = values
    return found


@check(
    title="Each of the named columns has the values of its formula",
    hint="Compare each column with the docstring: ln or plain; simple or exponential mean, over which days; log of "
    "the mean; 1 + Volume, for days without trade; gap since yesterday's close; rsi centred at 0; macd's histogram.",
)
def test_features_values(student, rng):
    prices = draw_prices(rng)
    prices.loc[prices.index[rng.choice(DAYS, 12, replace=False)], "Volume"] = 0
    features = build(student, prices)
    require_columns(features, NAMED, "build_features' result")
    at = places(features, prices)
    known = at >= MONTH  # earlier rows are another check's
    require(int(known.sum()) >= 30, "the features cover the days", expected=f"up to {DAYS - MONTH}", got=known.sum())
    wanted, own = columns_by(prices, right), None
    for name in NAMED:
        found = as_array(features[name], f"column {name}")[known]
        try:
            assert_close(found, wanted[name][at[known]], f"column {name}", **NEAR)
        except CheckFailed:
            own = own_columns(student, prices) if own is None else own
            if name not in own:
                raise
            # As far as the student's indicator has a value; where it has none, no more can be asked.
            other = own[name][at[known]]
            there = np.isfinite(other)
            if not np.allclose(found[there], other[there], **NEAR):
                raise


def require_answers(features: pd.DataFrame, prices: pd.DataFrame) -> None:
    """Half of the named columns, at least, go up and down with what they stand for: there is something to judge.

    On whatever scale, with whatever first days: their values are another check's. Noise follows nothing, zeros do not move.
    """
    n, wanted, follow = min(len(features), len(prices)), columns_by(prices, right), []
    at = prices.index.get_indexer(
        features.index
    )  # by their days; where these are none, the last rows are the last days
    mine, theirs = (at >= 0, at[at >= 0]) if (at >= 0).sum() > MONTH else (slice(-n, None), slice(-n, None))
    for name in [name for name in NAMED if name in features and n > MONTH]:
        found = pd.Series(as_array(features[name], f"column {name}")[mine])
        expected = pd.Series(as_array(wanted[name], f"column {name}")[theirs])
        follow += [name] * bool(found.nunique() > 1 and found.corr(expected) > 0.9)
    rule = "half of the named columns follow what they stand for"
    require(2 * len(follow) >= len(NAMED), rule, expected=NAMED, got=follow)


@check(
    title="Every feature is the same in dollars and in cents",
    hint="Logs of quotients, or divided by a price: also macd, and every column of your own.",
)
def test_features_scale_free(student, rng):
    prices = draw_prices(rng)
    dollars = build(student, prices)
    require_answers(dollars, prices)
    for factor, case in ((100.0, "the prices in cents"), (0.25, "the prices after a split, four for one")):
        other = build(student, prices.assign(**{name: prices[name] * factor for name in prices.columns[:4]}), case)
        _require_same(other, dollars, len(dollars), case)


def _require_same(found: pd.DataFrame, wanted: pd.DataFrame, n: int, case: str) -> None:
    """The first `n` rows of `wanted` are those of `found`, in all columns."""
    require(list(found.columns) == list(wanted.columns), "the columns are the same", got=list(found.columns), case=case)
    days, expected = found.index[:n], wanted.index[:n]
    same = len(days) == len(expected) and bool((days == expected).all())
    require(same, "the rows have the same days", expected=f"{n} rows", got=f"{len(days)} rows", case=case)
    for name in wanted:
        before, after = (as_array(table[name], f"column {name}", case=case)[:n] for table in (wanted, found))
        # Of what the column varies by; what is left of rounding is far below, what a day too many does far above.
        slack = 1e-4 * np.nan_to_num(np.nanstd(before)) + 1e-7
        assert_close(after, before, f"column {name}", rtol=1e-6, atol=slack, case=case)


@check(
    title="Nothing that comes later changes a day's features",
    hint="No shift(-1), no centred window, no bfill, no mean, deviation, maximum or rank of the whole table; columns "
    "of your own, too.",
)
def test_features_causal(student, rng):
    prices = draw_prices(rng)
    features = build(student, prices)
    at = places(features, prices)
    require_answers(features, prices)
    for last in (DAYS - 2, int(rng.integers(DAYS - 40, DAYS - 3)), DAYS - int(rng.integers(45, 60))):
        later, case = slice(last + 1, None), f"other prices from row {last + 1} on"
        changed = prices.copy()
        # Each day by a factor of its own: a constant one would leave quotients of later days alone.
        changed.iloc[later, :4] *= rng.uniform(2, 4, (DAYS - last - 1, 1))
        changed.iloc[later, 4] *= 10
        _require_same(build(student, changed, case), features, int((at <= last).sum()), case)
        short, case = prices.iloc[: last + 1], f"a table that ends with row {last}"
        found = build(student, short, case)
        _require_same(found, features, int((at <= last).sum()), case)


def _first_known(columns: dict[str, np.ndarray]) -> int | None:
    """The first row on which all named columns have a value; None if some column has none."""
    known = np.isfinite(list(columns.values()))  # (columns, n)
    return int(known.argmax(axis=1).max()) if len(columns) == len(NAMED) else None


@check(
    title="Only the first days are left out, there is no NaN, and prices stay as they were",
    hint="Drop the days on which a window is not full yet: 20 for the named columns; neither fill them nor drop more.",
)
def test_features_warm_up(student, rng):
    prices = draw_prices(rng)
    kept = student.make(recipe("kept_prices", prices))
    features = build(student, kept)
    at = places(features, prices)
    require_answers(features, prices)
    own = [name for name in features if name not in NAMED]
    first = int(at[0])
    enough = first == MONTH or (bool(own) and first > MONTH) or first == _first_known(own_columns(student, prices))
    rule = "the first row is the first day on which all is known"
    require(enough, rule, expected=f"row {MONTH}", got=f"row {first}")
    whole = np.array_equal(at, np.arange(first, DAYS))
    require(whole, "from then on each day has a row, in order", expected=DAYS - first, got=len(at))
    filled = not bool(features.isna().to_numpy().any())
    require(filled, "there is no NaN", got=int(features.isna().to_numpy().sum()))
    after = as_frame(kept.copy(), "prices")
    require(list(after.columns) == list(prices.columns), "prices keep their columns", got=list(after.columns))
    require(after.to_numpy().tolist() == prices.to_numpy().tolist(), "prices keep their values")
    require(after.index.tolist() == prices.index.tolist(), "prices keep their days")
