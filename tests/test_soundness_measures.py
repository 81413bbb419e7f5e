"""What `grader verify` measures: distances from lines, and whether hints are about the mistake; by closed forms."""

import math
import re

import numpy as np
import pytest

from grader.results import Reading
from grader.soundness.cases import Kind
from grader.soundness.hints import rank_hints
from grader.soundness.margins import LEAST_RUNS, margins_of
from grader.soundness.report import report_of, write_report
from grader.soundness.verdicts import Proof, Verdict

RULE = "the error is low"


def runs(values, *, at_least=None, at_most=None, check="train.learns", rule=RULE):
    return [{check: [Reading(rule, value, at_least, at_most)]} for value in values]


def test_distances_are_in_deviations_of_the_runs():
    values = np.random.default_rng(0).normal(1, 0.1, 50)
    (margin,) = margins_of(runs(values, at_most=2), {"slow": runs([2.5, 2.7, 2.6], at_most=2)})
    assert (margin.check, margin.rule, margin.runs, margin.line) == ("train.learns", RULE, 50, "≤ 2")
    assert margin.mean == pytest.approx(values.mean())
    assert margin.spread == pytest.approx(values.std(ddof=1))
    assert margin.nearest == pytest.approx((2 - values.max()) / values.std(ddof=1))
    (missed,) = margin.missed
    assert (missed.name, missed.mean, missed.spread) == ("slow", pytest.approx(2.6), pytest.approx(0.1))
    assert missed.distance == pytest.approx(6)
    assert missed.in_right_spreads == pytest.approx(0.6 / values.std(ddof=1))


@pytest.mark.parametrize(
    ("low", "high", "nearest"),
    [(0, None, 1.0), (None, 5, 2.0), (0, 5, 1.0), (1.5, None, -0.5), (1, 3, 0.0)],
)
def test_the_nearer_limit_counts_and_beyond_it_is_negative(low, high, nearest):
    values = [1.0, 2.0, 3.0] * 10
    (margin,) = margins_of(runs(values, at_least=low, at_most=high), {})
    assert margin.nearest * np.std(values, ddof=1) == pytest.approx(nearest)


def test_runs_that_never_differ_are_infinitely_far_or_beyond():
    (far,) = margins_of(runs([1.0] * 20, at_most=2), {})
    (beyond,) = margins_of(runs([3.0] * 20, at_most=2), {})
    assert (far.nearest, beyond.nearest, far.spread) == (math.inf, -math.inf, 0)


def test_what_is_no_number_lies_beyond():
    mixed = runs([1.0, 1.1] * 10, at_most=2) + runs([None], at_most=2)
    (margin,) = margins_of(mixed, {"nan": runs([None, None], at_most=2)})
    assert margin.nearest == -math.inf
    assert [missed.name for missed in margin.missed] == ["nan"]


def test_too_few_runs_tell_nothing():
    assert margins_of(runs(np.arange(LEAST_RUNS - 1), at_most=99), {}) == []


def test_of_several_comparisons_by_one_rule_the_narrowest_counts():
    """The third severity is the near one; the rule stands once in the table, and other rules beside it."""
    draws = np.random.default_rng(1).normal(0, 1, (40, 3)) + np.array([0, 0, 7])
    found = [{"bonus.noise": [Reading("is small", x, None, 12) for x in row]} for row in draws]
    for run, value in zip(found, draws[:, 0], strict=True):
        run["bonus.noise"].append(Reading("is large", value, -20, None))
    small, large = sorted(margins_of(found, {}), key=lambda margin: margin.rule, reverse=True)
    assert (small.rule, large.rule) == ("is small", "is large")
    assert small.nearest == pytest.approx((12 - draws[:, 2].max()) / draws[:, 2].std(ddof=1))


def test_a_mutant_counts_only_beyond_the_line_on_each_draw():
    right = runs(np.linspace(0.9, 1.1, 30), at_most=2)
    wrong = {"always": runs([2.5, 3.5], at_most=2), "at_times": runs([1.5, 3.5], at_most=2)}
    (margin,) = margins_of(right, wrong)
    assert [missed.name for missed in margin.missed] == ["always"]


TEXTS = {
    "train.steps": "Each batch makes one step. zero_grad, forward, backward, step.",
    "train.losses": "The loss of an epoch is the mean over its points, not over batches.",
    "line.one_place": "Points above one another have no nearest line.",
}


def test_hints_are_ranked_by_what_they_speak_of():
    reasons = {
        "adds_up": "Gradients add up: zero_grad is missing before backward.",
        "by_batch": "A mean over batches, not over the points of the epoch.",
        "misled": "The loss of an epoch is a mean over batches.",
        "mute": "xyzzy",
    }
    checks = {"adds_up": "train.steps", "by_batch": "train.losses", "misled": "line.one_place", "mute": "train.steps"}
    ranks = rank_hints(reasons, checks, TEXTS)
    assert (ranks["adds_up"], ranks["by_batch"], ranks["mute"]) == (1, 1, 3)
    assert ranks["misled"] > 1
    assert rank_hints({}, {}, {}) == {}


def proof(*, most: float = 2.0) -> Proof:
    """A suite of two checks, one of which compares with a line."""
    values = np.random.default_rng(2).normal(1, 0.1, 30)
    seconds = {"train.learns": 0.4, "train.steps": 3.0}
    solution = [
        Verdict(Kind.SOLUTION, "solution", "", [], seconds, draw=draw, seed=draw, readings=run)
        for draw, run in enumerate(runs(values, at_most=most))
    ]
    lost, told = ["train.steps", "line.one_place"], TEXTS["train.steps"]
    mutant = Verdict(Kind.MUTANT, "adds<up>", "train.steps", lost, seconds, told=told)
    survivor = Verdict(Kind.MUTANT, "first_only", "train.learns", [], seconds, told=TEXTS["train.losses"])
    reasons = {"adds<up>": "Gradients add up & up.", "first_only": "Trains an epoch, not all."}
    return Proof("wind", [*solution, mutant, survivor], 3, reasons, check_seconds=10)


def test_the_page_has_all_that_an_author_needs():
    page = report_of([proof()], seed=5).html()
    text = " ".join(re.sub(r"<[^>]*>", " ", page).split())
    for said in (
        "Not sound.",
        "mutant first_only: survives train.learns",
        "mutant adds&lt;up&gt; of train.steps: also fails line.one_place",
        "train.steps: 3.0 s",
        "30 runs of the solution",
        "≤ 2",
        RULE,
    ):
        assert said in text, said
    assert "<up>" not in page
    assert page.count("data:image/png;base64,") == 1


def test_a_narrow_line_and_an_unguarded_check_are_problems():
    narrow = proof(most=1.3)
    assert [line for line in narrow.problems if line.startswith("narrow: train.learns")]
    alone = Proof("wind", [v for v in proof().verdicts if v.name != "first_only"], 0, {}, 10)
    assert "train.learns is named by no mutant: it may ask for nothing" in alone.problems
    part = Proof("wind", alone.verdicts, 0, {}, 10, part=True)
    assert not [line for line in part.problems if "no mutant" in line]


def test_the_page_is_written_whole(tmp_path):
    path = tmp_path / "deep" / "report.html"
    assert write_report([proof()], path, seed=1) == path
    assert [path.name for path in path.parent.iterdir()] == ["report.html"]
    assert path.read_text("utf-8").endswith("</html>")
