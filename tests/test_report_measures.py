"""Numbers about a class, against pandas, by hand, and at the edges where there is nothing to tell."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from made_up_class import assignment_of, drawn, graded

from grader.report.measures import Spread, histogram, items, most_missed
from grader.report.tally import Tally
from grader.report.words import coded, percent, points, readable, seconds
from grader.results import CheckStatus

ASSIGNMENT = assignment_of()
COUNT = len(ASSIGNMENT.checks)


def tally_of(results) -> Tally:
    tally = Tally()
    for result in results:
        tally.add(result)
    return tally


@pytest.fixture(scope="module")
def results():
    rng = np.random.default_rng(1)
    return [drawn(ASSIGNMENT, f"student {number}", rng) for number in range(60)]


def test_every_check_is_correlated_with_the_points_in_all_others(results):
    table = pd.DataFrame([{check.name: check.points for check in result.checks} for result in results])
    total = table.sum(axis=1)
    for item in items(tally_of(results)):
        name = item.tally.name
        expected = (table[name] > 0).astype(float).corr(total - table[name])
        assert item.discrimination == pytest.approx(expected, abs=1e-12)
        assert item.share == pytest.approx((table[name] > 0).mean())
        assert item.missed == (table[name] == 0).sum()


def test_four_students_by_hand():
    """Passes 1, 1, 0, 0; points elsewhere 3, 2, 1, 0: (2.5 − 0.5) / √1.25 · √(½ · ½) = 0.894."""
    worth = [points for task in ASSIGNMENT.task for points in task.checks.values()]
    ones = [number for number, one in enumerate(worth) if one == 1]
    first, others = ones[0], ones[1:4]
    results = []
    for student, (passes, elsewhere) in enumerate([(1, 3), (1, 2), (0, 1), (0, 0)]):
        passed = [False] * COUNT
        passed[first] = bool(passes)
        for number in others[:elsewhere]:
            passed[number] = True
        results.append(graded(ASSIGNMENT, str(student), passed))
    assert items(tally_of(results))[first].discrimination == pytest.approx(0.8944, abs=1e-4)


def test_nothing_correlates_where_all_are_alike_or_few():
    alike = [graded(ASSIGNMENT, str(number), [True] * COUNT) for number in range(5)]
    two = [graded(ASSIGNMENT, str(number), [bool(number)] * COUNT) for number in range(2)]
    for results in (alike, two, alike[:1]):
        found = items(tally_of(results))
        assert len(found) == COUNT
        assert all(item.discrimination is None and not item.suspicious for item in found)


def test_a_check_that_only_the_weak_pass_is_suspicious():
    rng = np.random.default_rng(2)
    results = []
    for number in range(40):
        passed = rng.random(COUNT) < number / 40
        passed[0] = number < 20
        results.append(graded(ASSIGNMENT, str(number), passed))
    found = items(tally_of(results))
    assert found[0].suspicious
    assert found[0].discrimination < -0.5
    assert not any(item.suspicious for item in found[1:])


def test_numbers_of_a_spread_are_those_of_pandas(results):
    scores = pd.Series([result.score for result in results])
    spread, told = Spread.of(scores.to_list()), scores.describe()
    got = (
        spread.count,
        spread.mean,
        spread.deviation,
        spread.least,
        spread.quarter,
        spread.median,
        spread.three_quarters,
    )
    wanted = [told[name] for name in ("count", "mean", "std", "min", "25%", "50%", "75%")]
    assert got == pytest.approx(wanted)
    assert (spread.ninety, spread.most, spread.total) == pytest.approx(
        (scores.quantile(0.9), told["max"], scores.sum())
    )
    assert Spread.of([]) is None
    assert Spread.of([3.0]).deviation is None


def test_a_histogram_counts_everybody_once():
    bins = histogram([0, 4.9, 5, 99.9, 100, 100], 100)
    counts = [one.count for one in bins]
    assert (counts[0], counts[1], counts[-1], sum(counts)) == (2, 1, 3, 6)
    assert (bins[0].low, bins[-1].high) == (0, 1)
    assert sum(one.count for one in histogram([0, 0], 0)) == 2, "a rubric without points"


def place_of(score: Decimal, most: Decimal) -> int:
    """The step of a score, by whole thousandths of points alone."""
    score, most = int(1000 * score), int(1000 * most)
    return min(20 * score // most, 19)


@pytest.mark.parametrize("most", ["100", "103", "7.5", "40", "0.3", "33.3"])
def test_every_score_is_in_the_step_that_whole_numbers_say(most):
    for step in range(201):
        score = (Decimal(most) * step / 200).quantize(Decimal("0.001"))
        bins = histogram([float(score)], float(most))
        assert [one.count for one in bins].index(1) == place_of(score, Decimal(most)), score


def test_scores_at_an_edge_are_in_the_step_above_it():
    for score in range(0, 101, 5):
        (one,) = [one for one in histogram([score], 100) if one.count]
        assert round(100 * one.low) == min(score, 95)


def test_what_sums_leave_in_the_last_digits_moves_nobody():
    eight_tenths = 0.7999999999999999  # 0.1, added eight times
    assert [one.count for one in histogram([eight_tenths], 1)].index(1) == 16


def test_most_missed_are_the_worst_first_and_nobody_elses(results):
    found = most_missed(items(tally_of(results)), 10)
    shares = [one.item.share for one in found]
    assert len(found) == 10
    assert shares == sorted(shares)
    assert not most_missed(items(tally_of([graded(ASSIGNMENT, "a", [True] * COUNT)])), 10)


def test_of_a_file_that_nobody_could_run_two_checks_are_listed_and_the_rest_counted():
    tasks = [name.partition(".")[0] for name in ASSIGNMENT.checks]
    broken = graded(ASSIGNMENT, "a", [task != "train" for task in tasks])
    found = most_missed(items(tally_of([broken, graded(ASSIGNMENT, "b", [True] * COUNT)])), 10)
    assert [one.item.tally.task for one in found] == ["train"] * 2
    assert [one.others for one in found] == [0, tasks.count("train") - 2]
    worth = [item.tally.max_points for item in items(tally_of([broken])) if item.tally.task == "train"]
    assert [one.item.tally.max_points for one in found] == sorted(worth, reverse=True)[:2]


def test_tasks_that_are_missed_equally_take_turns():
    found = most_missed(items(tally_of([graded(ASSIGNMENT, "a", [False] * COUNT)])), 10)
    told = [one.item.tally.task for one in found]
    names = [task.name for task in ASSIGNMENT.task]
    assert told == [*names, *names[: 10 - len(names)]]


def test_what_half_were_told_is_told_and_what_fewer_were_told_is_not():
    """Of four who miss a check two, and one, were told the same; what was told of a file that is not written does not count."""
    half = [graded(ASSIGNMENT, str(number), [False] * COUNT) for number in range(4)]
    for number in (2, 3):
        half[number] = replace(half[number], checks=[replace(c, message=str(number)) for c in half[number].checks])
    fewer = [*half[1:], graded(ASSIGNMENT, "empty", [False] * COUNT, CheckStatus.NOT_IMPLEMENTED)]
    assert {item.message for item in items(tally_of(half))} == {half[0].checks[0].message}
    assert {item.message for item in items(tally_of(fewer))} == {""}


def test_messages_that_are_kept_are_bounded():
    tally = Tally()
    for number in range(300):
        result = graded(ASSIGNMENT, str(number), [False] * COUNT)
        tally.add(replace(result, checks=[replace(check, message=f"{number}") for check in result.checks]))
    assert all(len(check.messages) == 50 for check in tally.checks.values())


def test_words():
    assert [percent(share) for share in (None, 0, 1, 0.001, 0.999, 0.5)] == ["–", "0 %", "100 %", "1 %", "99 %", "50 %"]
    assert [points(value) for value in (None, 7.0, 7.5, 1 / 3, 1e-12, 1234.5)] == [
        "–",
        "7",
        "7.5",
        "0.33",
        "0",
        "1234.5",
    ]
    told = [seconds(value) for value in (None, 0.004, 2.0, 130.0, 1200.0, 7261.0, float("nan"))]
    assert told == ["–", "0.00 s", "2.0 s", "130 s", "20 min", "2 h 1 min", "–"]
    assert readable("a\x00b\u202ec\nd") == "a�b�c\nd"
    assert len(readable("x" * 10_000)) == 2001


def test_what_stands_between_backticks_is_code_and_all_of_it_is_escaped():
    assert coded("take `horizon` & `a<b`") == "take <code>horizon</code> &amp; <code>a&lt;b</code>"
    assert coded("</code>`<script>`") == "&lt;/code&gt;<code>&lt;script&gt;</code>"
    for other in ("a lone ` stays, `over\nlines` too", "`", "``", "``a``", "` a `"):
        assert coded(other) == other
    assert coded("\x1b`\x00`") == "�<code>�</code>"
