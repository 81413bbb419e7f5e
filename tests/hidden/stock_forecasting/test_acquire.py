"""Task 1, fetch_prices: yfinance's own parsing of answers that the suite gives in place of the network."""

import datetime

import numpy as np
import pandas as pd

from grader.suite import assert_close, check, folder, require

COLUMNS = ["Open", "High", "Low", "Close", "Volume"]
# yfinance multiplies with adjclose / close in double precision; prices rounded to cents are off by 1e-5 and more.
SAME = {"rtol": 1e-6, "atol": 0.0}
# ATTEMPTS = 4 and PAUSE = 0.5 ask at 0, 0.5, 1.5 and 3.5 seconds. Even pauses are over after 1.5, growing by PAUSE after 3.
# What an attempt takes is well below a second and comes on top.
LAST_ATTEMPT = {"opens": 3.35, "closes": 6.0}
SECOND_ATTEMPT = {"opens": 0.25, "closes": 6.0}


def column(table: pd.DataFrame, name: str) -> np.ndarray:
    """A column, also if it lies under a second level, which another check is about."""
    labels = [label if isinstance(label, tuple) else (label,) for label in table]
    found = [place for place, label in enumerate(labels) if name in label]
    require(bool(found), f"there is a column {name}", got=list(map(str, table)))
    return table.iloc[:, found[0]].to_numpy()


def days_of(table: pd.DataFrame) -> pd.DatetimeIndex:
    """The calendar days of the rows, however they are written down."""
    days = table.index
    if isinstance(days, pd.DatetimeIndex):
        return days.tz_localize(None).normalize()
    require(all(isinstance(day, datetime.date) for day in days), "the index holds days", got=str(days[:2].tolist()))
    return pd.DatetimeIndex(list(days)).normalize()


def require_prices(table: pd.DataFrame, wanted: pd.DataFrame, *, names: list[str] = COLUMNS, case: str = "") -> None:
    """What the table has of the wanted days is right, and it has most of them; columns and index are others' matter."""
    days = days_of(table)
    places = days.get_indexer(wanted.index) if days.is_unique else np.arange(len(wanted))
    there = (places >= 0) & (places < len(table))
    enough = bool(there.mean() > 0.9)
    require(enough, "the days that were asked for are there", expected=len(wanted), got=int(there.sum()), case=case)
    for name in names:
        expected = wanted[name].to_numpy()[there]
        assert_close(column(table, name)[places[there]], expected, name, case=case, **SAME)


def require_volume(table: pd.DataFrame, wanted: pd.DataFrame, *, case: str) -> None:
    """It is the table of these days: nobody guesses the volumes, which no adjustment changes."""
    require_prices(table, wanted, names=["Volume"], case=case)


@check(
    title="All four prices are adjusted for splits and dividends",
    hint="auto_adjust=True, not back_adjust: Open, High, Low are multiplied with Adj Close / Close, too; no rounding.",
)
def test_fetch_adjusted(yahoo, newyork):
    require_prices(yahoo.fetch_of(newyork), newyork.answer, case="a company that split and paid dividends")


@check(
    title="The columns are Open, High, Low, Close, Volume: flat, in this order, no others",
    hint="yf.download gives two levels even for one ticker, history adds Dividends and Stock Splits: pick the five.",
)
def test_fetch_columns(yahoo, newyork):
    table, wanted = yahoo.fetch_of(newyork), newyork.answer["Volume"]
    found = list(table.columns)
    require(found == COLUMNS, "the columns are these", expected=COLUMNS, got=list(map(str, found)))
    # Of the days, in whatever index, another check tells.
    there = int(wanted.isin(table["Volume"]).sum())
    require(there > 0.9 * len(wanted), "they hold Yahoo's numbers", expected=f"{len(wanted)} volumes", got=there)


@check(
    title="The index is named Date and holds the exchange's days without time zone, from start to the day before end",
    hint="tz_localize(None): by UTC, midnight in Tokyo is the day before. Oldest day first; yfinance leaves end out.",
)
def test_fetch_index(yahoo, quoted):
    for tz, company in quoted.items():
        table, wanted = yahoo.fetch_of(company), company.answer.index
        name, days = table.index.name, table.index
        require(name == "Date", "the index is named Date", expected="Date", got=str(name), case=tz)
        if isinstance(days, pd.DatetimeIndex):
            require(days.tz is None, "the days are without time zone", got=str(days.dtype), case=tz)
            midnight = bool((days == days.normalize()).all())
            require(midnight, "the days are without a time", got=str(days[0]), case=tz)
        got = days_of(table)
        expected, found = (f"{days[0]:%Y-%m-%d} … {days[-1]:%Y-%m-%d}, {len(days)} days" for days in (wanted, got))
        same = got.tolist() == wanted.tolist()
        require(same, "the days are those of trading, ascending", expected=expected, got=found, case=tz)


def require_reached(yahoo, company) -> None:
    """Who always raises an error has not seen that there is reason to."""
    require_volume(yahoo.fetch_of(company), company.answer, case="a company that Yahoo knows, and no trouble")


@check(
    title="A ticker that Yahoo does not know is a ValueError that names it, at once",
    hint="With hide_exceptions off yfinance says YFTickerMissingError; with it on an empty table comes, as for no network. "
    "Yahoo has answered then: no pause, and no second attempt.",
)
def test_fetch_unknown(yahoo, newyork):
    symbol, start, end = newyork.asked
    stranger = symbol[::-1] + "Q"
    require_reached(yahoo, newyork)
    yahoo.serves({symbol: newyork.body}, later={stranger: newyork.body})
    yahoo.refuses(ValueError, stranger, start, end, case="a symbol that exists for nobody but who asks again")


@check(
    title="No prices of these days is a ValueError that names the ticker, at once, each time it is asked",
    hint="Yahoo says so in three ways: an error, no days, or days without numbers. An empty table is no answer to "
    "keep, and an answer: it is not asked for again, neither after a pause nor at once.",
)
def test_fetch_empty(yahoo, newyork, run):
    generator, kept = run.generator(), yahoo.student.make(folder({}))
    symbol, start, end = newyork.asked
    listing = generator.with_actions(newyork.prices, run.rng("nothing"), splits=(), dividend=0)
    without = generator.chart_json(symbol, listing, holes=range(len(newyork.prices)))
    early = ("1999-03-01", "1999-04-01")
    require_reached(yahoo, newyork)
    for case, body, period, empty in (
        ("days before the first one: an error", newyork.body, early, "refused"),
        ("days before the first one: an answer without days", newyork.body, early, "nothing"),
        ("days without numbers", without, (start, end), "nothing"),
    ):
        yahoo.serves({symbol: body}, empty=empty, later={symbol: newyork.body})  # prices for who does not believe it
        yahoo.refuses(ValueError, symbol, *period, case=case, cache_dir=kept)
        yahoo.refuses(ValueError, symbol, *period, case=f"{case}, asked again", cache_dir=kept)


@check(
    title="What goes wrong on the way is tried again, after pauses that double: 0.5, 1 and 2 seconds",
    hint="Four attempts, whatever is raised; call forget_answers before the next one: yfinance remembers error pages, too.",
)
def test_fetch_retries(yahoo, newyork):
    for trouble, moment, case in (
        ("timeout", LAST_ATTEMPT, "no answer for 3.35 seconds, prices until 6"),
        ("error page", SECOND_ATTEMPT, "HTTP 500 with a page that is no JSON, for 0.25 seconds"),
        ("too many", SECOND_ATTEMPT, "HTTP 429, too many requests, for 0.25 seconds"),
    ):
        yahoo.serves({newyork.symbol: newyork.body}, trouble=trouble, **moment)
        require_volume(yahoo.fetch(*newyork.asked), newyork.answer, case=case)


@check(
    title="After four attempts in vain comes a ConnectionError that names the ticker, never an empty table",
    hint="hide_exceptions off. No ValueError, for it means no prices: JSONDecodeError is one. No pause at the end.",
)
def test_fetch_gives_up(yahoo, newyork):
    require_reached(yahoo, newyork)
    for trouble, moment, case in (
        ("timeout", {}, "no answer at all"),
        # A fifth attempt would come after 7.5 seconds, and find prices.
        ("error page", {"opens": 7.2}, "HTTP 500 with a page that is no JSON, for 7.2 seconds"),
        ("too many", {}, "HTTP 429, too many requests, for ever"),
    ):
        yahoo.serves({newyork.symbol: newyork.body}, trouble=trouble, **moment)
        yahoo.refuses(ConnectionError, *newyork.asked, case=case)


@check(
    title="What is kept in cache_dir is not asked for again: one file for a ticker, start and end",
    hint="Look there first, make the folder. Same table, its index days, not text. With None, ask Yahoo each time.",
)
def test_fetch_cache(yahoo, quoted):
    (first, second, third), tools = quoted.values(), yahoo.student.tools
    kept = yahoo.student.make(folder({}))
    inside = tools.yahoo_path(kept, "new", "prices")
    index, share = ("^GSPC", *first.asked[1:]), ("BRK-B", *first.asked[1:])
    middle = f"{first.answer.index[20]:%Y-%m-%d}"
    other_end, other_start = (*index[:2], middle), (index[0], middle, index[2])
    yahoo.serves({"^GSPC": first.body, "BRK-B": second.body})
    before = {asked: yahoo.fetch(*asked, cache_dir=inside) for asked in (index, share)}
    require_volume(before[index], first.answer, case="^GSPC, from the network")
    require_volume(before[share], second.answer, case="BRK-B, from the network")
    yahoo.fetch(*index)
    # Yahoo now has other prices: what is kept comes from the folder, everything else from the network.
    inside = tools.yahoo_path(yahoo.restart(kept), "new", "prices")
    yahoo.serves({"^GSPC": third.body, "BRK-B": first.body})
    for (asked, table), company in zip(before.items(), (first, second), strict=True):
        again = yahoo.fetch(*asked, cache_dir=inside)
        require_same(again, table, company.answer, case=f"{asked[0]}, from the cache")
    early, late = third.answer.iloc[:20], third.answer.iloc[20:]
    for asked, wanted, case in ((other_end, early, "another end"), (other_start, late, "another start")):
        require_volume(yahoo.fetch(*asked, cache_dir=inside), wanted, case=case)
    require_volume(yahoo.fetch(*index), third.answer, case="without cache_dir, asked again")
    yahoo.serves({"^GSPC": second.body})
    require_volume(yahoo.fetch(*index), second.answer, case="without cache_dir, asked once more")


def require_same(table: pd.DataFrame, before: pd.DataFrame, wanted: pd.DataFrame, *, case: str) -> None:
    """It is the same table, or the one that was promised: what the network's lacks other checks have told already."""
    for rule, of in (
        ("the columns are the same", list),
        ("the index has the same name", lambda found: found.index.name),
        ("the days have no time zone", lambda found: str(getattr(found.index, "tz", None))),
        ("the days are the same", lambda found: days_of(found).tolist()),
    ):
        options, got = [of(before), of(wanted)], of(table)
        require(got in options, rule, expected=options[0], got=got, case=case)
    orders = [np.argsort(days_of(found), kind="stable") for found in (table, before)]
    for name in COLUMNS:
        if any(name in (label if isinstance(label, tuple) else (label,)) for label in before):
            mine, kept = (column(found, name)[order] for found, order in zip((table, before), orders, strict=True))
            assert_close(mine, kept, name, case=case, **SAME)
