"""Task 1, clean_prices: against loops over plain tables."""

import datetime
import re

import numpy as np
import pandas as pd

from grader.suite import CheckFailed, StudentError, as_frame, assert_close, check, recipe, require

COLUMNS = ["Open", "High", "Low", "Close", "Volume"]
LONGEST_HOLE = 5
EXACT = {"rtol": 1e-6, "atol": 0.0}  # nothing is computed: room for float32


def days(n: int, first: str = "2021-02-15") -> pd.DatetimeIndex:
    """Weekdays over the changes to daylight-saving time of March 2021."""
    return pd.bdate_range(first, periods=n, name="Date")


def draw(rng: np.random.Generator, n: int, first: str = "2021-02-15") -> pd.DataFrame:
    """A complete and tidy table; its volumes are floats, as they must be once one is missing."""
    close = 90 * np.exp(rng.normal(0, 0.02, n).cumsum())
    prices = close[:, None] * rng.uniform([0.99, 1.01, 0.97, 1], [1.01, 1.03, 0.99, 1], (n, 4))
    table = pd.DataFrame(prices, days(n, first), COLUMNS[:4])
    return table.assign(Volume=rng.integers(1_000, 9_000_000, n).astype("float64"))


def cleaned(student, table: object) -> pd.DataFrame:
    result = as_frame(student.acquire.clean_prices(table), "clean_prices' result")
    if all(isinstance(day, datetime.date) for day in result.index):  # dates of the standard library are days, too
        return result.set_axis(pd.DatetimeIndex(result.index, name=result.index.name))
    raise CheckFailed("the index holds days", got=str(result.index[:2].tolist()))


def require_days(result: pd.DataFrame, wanted: pd.DatetimeIndex, *, case: str = "") -> None:
    """The rows' days, in order; their time of day and zone are other checks' matter."""
    got = [f"{day:%Y-%m-%d}" for day in result.index]
    expected = [f"{day:%Y-%m-%d}" for day in wanted]
    wrong = next((pair for pair in zip(expected, got, strict=False) if pair[0] != pair[1]), (len(expected), len(got)))
    require(got == expected, "the days are right", expected=str(wrong[0]), got=str(wrong[1]), case=case)


def require_values(result: pd.DataFrame, wanted: pd.DataFrame, *, others: bool = False, case: str = "") -> None:
    """Each wanted day's numbers, wherever its row is; there may be `others` besides."""
    found = result.set_axis(result.index.tz_localize(None).normalize())
    found = found[~found.index.duplicated(keep="last")].sort_index()
    require_days(found[found.index.isin(wanted.index)] if others else found, wanted.index, case=case)
    for name in COLUMNS:
        require(name in found, f"there is a column {name}", got=list(map(str, found)), case=case)
        assert_close(found.loc[wanted.index, name].to_numpy(), wanted[name].to_numpy(), name, case=case, **EXACT)


@check(
    title="Rows come by day, each day once with its last row, in the five columns and no others",
    hint="Doubles are rows of one day, equal or not (drop_duplicates compares values): keep the last, before sorting, "
    "which may swap equal days. A volume of 0 is no error.",
)
def test_clean_order(student, rng):
    tidy = draw(rng, 40)
    tidy.iloc[3, 4] = 0.0
    stale = tidy.iloc[::3] * rng.uniform(0.8, 0.9, (14, 1))
    both = pd.concat([stale, tidy]).assign(Dividends=0.0)[["Volume", "Dividends", *COLUMNS[3::-1]]]
    # Old rows lie anywhere before the day's last one.
    order = np.concatenate([rng.permutation(np.arange(14)), 14 + rng.permutation(40)])
    swapped = both.iloc[order]
    late = np.sort(rng.choice(np.arange(30, 54), 3, replace=False))
    again = swapped.iloc[late] * rng.uniform(1.1, 1.2, (3, 1))  # and these days are corrected at the end
    result = cleaned(student, pd.concat([swapped, again]))
    wanted = tidy.copy()
    wanted.loc[again.index] = again[COLUMNS]
    require_days(result, wanted.index)
    require(list(result.columns) == COLUMNS, "the columns are these", expected=COLUMNS, got=list(map(str, result)))
    require_values(result, wanted)


@check(
    title="Days carry neither time nor zone, are the exchange's own, and the index is named Date",
    hint="tz_localize(None), then normalize: tz_convert to UTC makes midnight in Tokyo the day before. Then look for doubles.",
)
def test_clean_dates(student, rng):
    tidy = draw(rng, 30)
    noon = {"America/New_York": "16:00:00", "Asia/Tokyo": "00:00:00", "Europe/London": "00:00:00", None: "09:30:00"}
    for tz, clock in noon.items():
        stamps = (tidy.index + pd.Timedelta(clock)).tz_localize(tz).rename("Datetime")
        table = tidy.set_axis(stamps)
        opening = table.iloc[-1:] * 0.9
        if clock != "00:00:00":  # the last day twice, at its opening and now
            opening.index = opening.index - pd.Timedelta(minutes=30)
            table = pd.concat([table.iloc[:-1], opening, table.iloc[-1:]])
        result, case = cleaned(student, table), f"{clock} in {tz or 'no time zone'}"
        require_days(result, tidy.index, case=case)
        require(result.index.tz is None, "the days are without time zone", got=str(result.index.dtype), case=case)
        midnight = bool((result.index == result.index.normalize()).all())
        require(midnight, "the days are without a time", got=str(result.index[0]), case=case)
        name = result.index.name
        require(name == "Date", "the index is named Date", expected="Date", got=str(name), case=case)
        before = tidy.iloc[:-1]  # which of the last day's rows counts is another check's matter
        require_values(result.iloc[:-1], before, case=case)


@check(
    title="Holes are filled from the rows before, at most five in a row; what is still incomplete is left out",
    hint="Sort first, then ffill(limit=5), then dropna: never bfill or interpolate, add no days, fill no start.",
)
def test_clean_holes(student, rng):
    table = draw(rng, 61)
    table = table.drop(table.index[7])  # a holiday
    # Places per column: the start, one, exactly five, more than five, the end; other columns have numbers there.
    holes = {"Open": [(0, 2)], "High": [(5, 6), (30, 37)], "Low": [(12, 17)], "Close": [(20, 21), (57, 60)]}
    for name, spans in (holes | {"Volume": [(9, 10), (42, 49)]}).items():
        for start, stop in spans:
            table.iloc[start:stop, table.columns.get_loc(name)] = np.nan
    table.iloc[25:27] = np.nan
    wanted = _carried(table)
    require_values(cleaned(student, table), wanted, case="rows in order")
    shuffled = table.iloc[rng.permutation(len(table))]
    require_values(cleaned(student, shuffled), wanted, case="the same rows in no order")


def _carried(table: pd.DataFrame) -> pd.DataFrame:
    """Row after row: what is missing is the row before's, as long as that is at most `LONGEST_HOLE` rows old."""
    values, result = table.to_numpy(), table.copy()
    for row in range(len(values)):
        for column in range(values.shape[1]):
            for back in range(1, min(LONGEST_HOLE, row) + 1):
                if np.isnan(values[row - back + 1 : row + 1, column]).all():
                    result.iloc[row, column] = values[row - back, column]
    return result[~result.isna().any(axis=1)]


@check(
    title="A price that is no positive finite number, or a missing column, is a ValueError that names it",
    hint="Look at all of Open, High, Low and Close for ≤ 0 and inf; the text says which column, and which day as 2021-03-16.",
)
def test_clean_rejects(student, rng):
    table = draw(rng, 30)
    require_values(cleaned(student, table), table, case="nothing to reject")
    bad = rng.permutation([0.0, -rng.uniform(1, 90), np.inf, -np.inf])
    for name, value in zip(COLUMNS, bad, strict=False):
        spoiled = table.copy()
        # From the 16th on: a day that is no month.
        row = int(rng.choice(np.flatnonzero(table.index.day > 15)))
        spoiled.iloc[row, table.columns.get_loc(name)] = value
        text = refusal(student, spoiled, f"{name} {value:.4g}")
        day = table.index[row]
        named = re.search(rf"\b{name}\b", text) is not None and names_day(text, day)
        require(named, "the text names column and day", expected=f"{name}, {day:%Y-%m-%d}", got=text)
    for name in rng.choice(COLUMNS, 2, replace=False):
        text = refusal(student, table.drop(columns=name), f"no column {name}")
        require(name in text, "the text names the missing column", expected=name, got=text)


def refusal(student, table: pd.DataFrame, case: str) -> str:
    """The text of the ValueError."""
    try:
        student.acquire.clean_prices(table)
    except StudentError as error:
        if error.not_implemented or error.importing:
            raise
        got = f"{error.types[0]}: {error.text}"
        require("ValueError" in error.types, "a ValueError is raised", expected="ValueError", got=got, case=case)
        return error.text
    raise CheckFailed("a ValueError is raised", expected="ValueError", got="no exception", case=case)


def names_day(text: str, day: pd.Timestamp) -> bool:
    """Whether a text has a day in it, in whichever way people write one."""
    numbers = {int(number) for number in re.findall(r"\d+", text)}
    month = day.month in numbers or f"{day:%b}" in text
    return f"{day:%Y%m%d}" in text or ({day.year, day.day} <= numbers and month)


@check(
    title="The caller's table stays as it was",
    hint="Work on a copy: no inplace=True, no pop, no assignment to df.index or to its columns.",
)
def test_clean_untouched(student, rng):
    tidy = draw(rng, 30)
    table = tidy.assign(Dividends=0.0)
    table.iloc[8:10, 0] = table.iloc[12, 3] = np.nan
    table = pd.concat([table, table.iloc[-3:] * 1.1]).iloc[rng.permutation(33)]
    table.index = (table.index + pd.Timedelta(hours=16)).tz_localize("America/New_York").rename("when")
    kept = student.make(recipe("yahoo_same", table))
    result = cleaned(student, kept)
    # How holes and doubles end other checks tell; that something was done, the other rows and the columns do.
    require_values(result, tidy.drop(tidy.index[[8, 9, 12, 27, 28, 29]]), others=True, case="rows without a hole")
    require(not result.equals(table), "what comes back is a clean table", got="the table as it came")
    after = as_frame(student.tools.yahoo_same(kept), "the table")
    names = list(after.columns)
    require(names == list(table.columns), "no column was added, dropped or moved", got=names)
    zone, name = getattr(after.index, "tz", None), after.index.name
    require(name == "when", "the index has its name", expected="when", got=str(name))
    require(str(zone) == "America/New_York", "the index has its time zone", got=str(zone))
    require(after.index.tolist() == table.index.tolist(), "rows are where they were")
    require(bool(np.array_equal(after.to_numpy(), table.to_numpy(), equal_nan=True)), "no number was changed")
