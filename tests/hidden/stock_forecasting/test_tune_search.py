"""Task 4, the search: the suite's network says one number that follows from all it was told, so that errors are known.

Features, network, loop and errors are played by stand-ins, so that a mistake there costs nothing here.
"""

import itertools
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from grader.suite import (
    accelerator,
    as_float,
    as_frame,
    assert_close,
    assert_same,
    check,
    require,
    require_columns,
)

MEASURES = ("mae_mean", "mae_std", "seconds", "error")
TRIALS, MADE = 10, 8  # in a table; as many as tell whether they were made
WIDTHS = [4, 12, 24, 40, 60]


def searched(student, prices: pd.DataFrame, space: dict, here=None, **arguments: object) -> pd.DataFrame:
    found = student.tune.search(prices, space, here or accelerator(), **arguments)
    table = as_frame(found, "search's result")
    require_columns(table, [*space, *MEASURES], "search's result")
    return table


def rows_of(table: pd.DataFrame) -> list[dict]:
    """Rows with their values as they are: pandas' own rows are of one kind each."""
    return [dict(zip(table.columns, values, strict=True)) for values in zip(*(table[c] for c in table), strict=True)]


def as_tried(value: object, choices: list) -> bool:
    """Whether the value is one of those in the space, and of its kind: NaN is not None, 16.0 no number of units."""
    if value is None or isinstance(value, str):
        return value in choices
    alike = [c for c in choices if isinstance(c, int | float) and bool(c == value)]
    return any(isinstance(value, int | np.integer) or isinstance(c, float) for c in alike)


def require_made(table: pd.DataFrame, errors_of: Callable, known: pd.DataFrame, seed: int) -> None:
    """The trials were made: scores go up and down with those of honest walks. How good they are, another check tells."""
    names = [name for name in table if name not in MEASURES]
    scores = [as_float(value, "mae_mean") for value in table["mae_mean"]]
    walks = [next(errors_of(known, {name: row[name] for name in names}, seed, 1)) for row in rows_of(table)]
    alike = float(np.corrcoef(scores, np.mean(walks, axis=1))[0, 1]) if np.ptp(scores) > 0 else 0.0
    # Numbers of chance reach that with eight trials once in a thousand runs, mistakes in the folds do not leave it.
    rule = "trials that train with their settings have scores that follow from them"
    require(alike > 0.9, rule, expected="a correlation of 1 with other walks' scores", got=f"{alike:.2f}")


def went_well(error: object) -> bool:
    return bool(pd.isna(error)) if not isinstance(error, str) else error == ""


@check(
    title="search gives one row a trial, with what was tried",
    hint="Rows from 0 on, in the order of the trials, `error` too; None stays None and 16 stays 16 in dtype object. "
    "Each setting of each trial is a draw of its own, by one generator, from the whole list, the last value too.",
)
def test_search_table(tuner, walk, errors_of, rng):
    space = {
        "lookback": [3, 4, 5, 6, 7],
        "hidden_size": [2, 3, 5, 7, int(rng.integers(8, 60))],
        "lr": rng.uniform(0.01, 0.1, 5).tolist(),
        "max_grad_norm": [None, 0.25, 0.5, 1.0, 2.0],
        "patience": [2, 3, 4, 5, None],
        **{"optimizer": ["sgd", "adamw"], "num_layers": [1, 2], "epochs": [8, 9], "loss": ["mse", "huber"]},
    }
    seed = int(rng.integers(999))
    table = searched(tuner, walk, space, n_trials=TRIALS, seed=seed)
    require(len(table) == TRIALS, "there is one row a trial", expected=TRIALS, got=len(table))
    require(list(table.index) == list(range(TRIALS)), "rows are numbered from 0", got=list(table.index)[:5])
    for row in rows_of(table):
        seconds = as_float(row["seconds"], "seconds")
        require(went_well(row["error"]), "error is empty where all went well", got=row["error"])
        require(0 <= seconds < 1000, "seconds tells how long the trial took", got=seconds)
    places = {}
    for name, choices in space.items():
        tried = list(table[name])
        strange = [value for value in tried if not as_tried(value, choices)]
        require(not strange, f"{name} is one of the space's values, as it is there", expected=choices, got=strange[:3])
        places[name] = tuple(choices.index(value) for value in tried)
    # A fair draw breaks one of these three rules in one run of 100 000.
    many, two = ([name for name in space if (len(space[name]) == 2) is few] for few in (False, True))
    fixed = [name for name in many if len(set(places[name])) == 1]
    require(not fixed, "each trial draws anew", expected="several values", got=dict(table[fixed].iloc[0]))
    ends = [set(places[name]) for name in two]
    require(
        any(len(tried) == 2 for tried in ends), "first and last values are drawn, too", got=dict(table[two].iloc[0])
    )
    twins = [pair for pair in itertools.combinations(many, 2) if places[pair[0]] == places[pair[1]]]
    require(not twins, "each setting is drawn independently of the others", got=twins[:3])
    require_made(table, errors_of, walk.iloc[:-15], seed)


def comparable(table: pd.DataFrame) -> tuple[list[dict], np.ndarray]:
    """What was tried, and the scores: all but the time that it took."""
    tried = [{k: v for k, v in row.items() if k not in MEASURES} for row in rows_of(table)]
    return tried, np.array([[as_float(v, name) for v in table[name]] for name in ("mae_mean", "mae_std")])


@check(
    title="search never looks at the test part",
    hint="Leave the last 15 % of days (rounded) away before anything else is done, and no day more.",
)
def test_search_test_part(tuner, long_walk, errors_of, rng):
    prices, seed = long_walk, int(rng.integers(999))
    space = {"cell": ["lstm"], "lookback": [4], "lr": rng.uniform(0.01, 0.1, 5).tolist(), "hidden_size": WIDTHS}
    arguments = {"n_trials": MADE, "seed": seed}

    def changed(first: int, last: int, factor: np.ndarray) -> pd.DataFrame:
        part = (np.arange(len(prices)) >= first) & (np.arange(len(prices)) < last)
        factors = np.where(part, factor, 1.0)
        return prices.assign(**{name: prices[name] * factors for name in ("Open", "High", "Low", "Close")})

    scores = lambda prices: comparable(searched(tuner, prices, space, **arguments))[1]  # noqa: E731
    first = searched(tuner, prices, space, **arguments)
    usual = comparable(first)[1]
    require(bool(np.isfinite(usual).all()), "the trials go well", got=usual.tolist())
    require_made(first, errors_of, prices.iloc[:-16], seed)
    absurd = scores(changed(88, 104, np.exp(rng.normal(0, 3, 104))))
    assert_close(absurd, usual, "mae_mean and mae_std", case="other prices on the last 16 of 104 days", rtol=1e-9)
    later = scores(changed(87, 88, np.full(104, 1.5)))
    moved = bool((np.abs(later[0] - usual[0]) > 1e-3 * usual[0]).all())
    require(moved, "the last day before the test part counts", case="another price on day 88 of 104", got=later[0])


@check(
    title="A trial that fails is a row, and the search goes on",
    hint="try … except Exception around each trial, not around a fold, whose failure is the trial's: no mean over the other "
    "folds. The exception's text in `error`, NaN in mae_mean and mae_std.",
)
def test_search_failed_trial(tuner, walk, rng):
    name, rate = f"lion{int(rng.integers(1000, 9999))}", float(rng.integers(1001, 9999))
    once = float(rng.integers(501, 999))  # fails in one fold of three
    reasons = {rate: f"of {rate} the loss is not finite", once: f"of {once} the loss of this fold is not finite"}
    space = {"optimizer": ["sgd", name], "lr": [0.01, rate], "lookback": [4], "max_grad_norm": [None]}
    for case, n_trials, wanted in (
        ("some trials fail", 8, space),
        ("all trials fail", 2, space | {"optimizer": [name]}),
        ("one fold of each trial fails", 2, space | {"optimizer": ["sgd"], "lr": [once]}),
    ):
        table = searched(tuner, walk, wanted, n_trials=n_trials, seed=int(rng.integers(999)))
        require(len(table) == n_trials, "there is one row a trial", expected=n_trials, got=len(table), case=case)
        for row in rows_of(table):
            text = name if row["optimizer"] == name else reasons.get(row["lr"], "")
            scores = [as_float(row[measure], measure, case=case) for measure in ("mae_mean", "mae_std")]
            if not text:
                fine = went_well(row["error"]) and bool(np.isfinite(scores).all())
                require(fine, "the other trials have scores", got=[*scores, row["error"]], case=case)
                continue
            require(bool(np.isnan(scores).all()), "a failed trial has no score", expected="NaN", got=scores, case=case)
            told = isinstance(row["error"], str) and text in row["error"]
            require(told, "error has the exception's text", expected=f"…{text}…", got=row["error"], case=case)


@check(
    title="The same seed gives the same trials with the same scores, another seed other trials",
    hint="A generator made from `seed` draws the trials. A network's first weights are drawn when it is built: they "
    "follow from `seed`, too, whatever was drawn before.",
)
def test_search_reproducible(tuner, walk, errors_of, rng):
    space = {
        "lookback": [4, 5, 6],
        "hidden_size": WIDTHS,
        "lr": rng.uniform(0.01, 0.1, 4).tolist(),
        "epochs": [1, 2, 3, 4],
    }
    seed, tables = int(rng.integers(999)), []
    # An "rnn" answers with what it was drawn with.
    for number, cell in ((seed, "rnn"), (seed, "rnn"), (seed + 1, "gru")):
        tuner.tools.stir(int(rng.integers(2**31)))
        tables.append(searched(tuner, walk, {**space, "cell": [cell]}, n_trials=MADE, seed=number))
    require_made(tables[-1], errors_of, walk.iloc[:-15], seed + 1)
    (tried, scores), (again, scores_again), (others, _) = (comparable(table.drop(columns="cell")) for table in tables)
    require(again == tried, "the same seed draws the same trials", expected=tried[:2], got=again[:2])
    for name, one, other in zip(MEASURES[:2], scores, scores_again, strict=True):
        assert_same(one, other, f"{name} of the same seed", rtol=1e-9)
    # eight trials of 240 kinds are not the same for two seeds
    require(others != tried, "another seed draws other trials", got=others[:2])


@check(
    title="No trial begins after the budget, but the first always runs",
    hint="Compare the wall clock before each trial, from the search's begin; 0 is a budget, None is none. `seconds`: "
    "of the trial alone. Processes whose clocks differ must agree, or one waits for ever; and draw the same settings.",
)
def test_search_budget(tuner, walk, rng):
    slow, quick = {"epochs": [1000], "lookback": [4]}, {"epochs": [2], "lookback": [4]}  # 0.1 s, and hardly anything
    # Two processes draw the same of as many settings as these once in ten thousand times.
    many = slow | {"lr": rng.uniform(0.01, 0.1, 100).tolist(), "hidden_size": list(range(1, 101))}
    # First, as processes inherit an accelerator that is alive. On the second one each trial takes 1 s: alone it would
    # make one, while the first makes several.
    both = tuner.on(processes=2).tune.search(walk, many, accelerator(), n_trials=4, seed=1, budget_seconds=0.8)
    tables = [as_frame(table, "search's result", case="two processes") for table in both.values]
    for table in tables:
        require_columns(table, [*many, *MEASURES], "search's result")
    made = [len(table) for table in tables]
    require(len(set(made)) == 1, "all processes run the same trials", got=f"{made[0]} and {made[1]}")
    tried = [comparable(table)[0] for table in tables]
    require(tried[0] == tried[1], "all processes run the same trials", expected=tried[0], got=tried[1])
    for n_trials, budget, rows in ((4, 0, 1), (3, 600, 3)):
        table = searched(tuner, walk, quick, n_trials=n_trials, seed=1, budget_seconds=budget)
        case, rule = f"n_trials={n_trials}, budget_seconds={budget}", "trials run as long as the budget lasts"
        require(len(table) == rows, rule, expected=rows, got=len(table), case=case)
    # The trials begin after 0, 0.1 and 0.2 s, or later where the machine is busy; the longer ones after 0.
    for least, most in ((0.1, 3), (0.3, 1)):
        began = time.monotonic()
        slow["epochs"] = [round(least * 10_000)]
        table = searched(tuner, walk, slow, n_trials=9, seed=1, budget_seconds=0.25)
        elapsed, case = time.monotonic() - began, f"each of 9 trials takes {least} s or more, the budget is 0.25 s"
        seconds = [as_float(value, "seconds", case=case) for value in table["seconds"]]
        made, expected = len(seconds), f"1 to {most}"
        require(1 <= made <= most, "no trial begins after the budget", expected=expected, got=made, case=case)
        rule, expected = "seconds is the time that a trial took", f"≥ {least}"
        require(min(seconds) >= 0.99 * least, rule, expected=expected, got=seconds, case=case)
        rule = "seconds is the time of a trial alone: all together they are not longer than the search"
        require(sum(seconds) <= elapsed, rule, expected=f"≤ {elapsed:.2f}", got=seconds, case=case)
        rule = "trials begin as long as the budget lasts, by the clock"
        require(elapsed >= 0.99 * 0.25, rule, expected="0.25 s or more", got=f"{elapsed:.2f} s", case=case)
