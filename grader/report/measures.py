"""What the numbers of a class say: how scores lie, how hard each check is, and whether it tells good work from other work.

Sources:
    discrimination, a check against the rest, its own points left out, since each check agrees with itself:
        https://docs.moodle.org/dev/Quiz_statistics_calculations
    point-biserial correlation:
        https://docs.scipy.org/doc/scipy/reference/generated/scipy.stats.pointbiserialr.html
    quantiles: https://numpy.org/doc/stable/reference/generated/numpy.quantile.html, linear
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from grader.report.tally import CheckTally, Tally
from grader.results import DIGITS, CheckStatus

BINS = 20
ALIKE = 2  # checks of one task that are listed among the most missed, where just as many missed each
FEWEST = 3  # students, below which nothing correlates
SURE = 0.05  # how probable a negative correlation may be by chance, before it is worth a look


@dataclass(frozen=True)
class Spread:
    """Where numbers lie."""

    count: int
    mean: float
    deviation: float | None
    """The sample's standard deviation; None for a single number."""
    least: float
    quarter: float
    median: float
    three_quarters: float
    ninety: float
    most: float
    total: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread | None":
        """Of any numbers; None where there are none."""
        if not len(values):
            return None
        numbers = np.asarray(values, dtype="float64")
        quantiles = np.quantile(numbers, [0, 0.25, 0.5, 0.75, 0.9, 1])
        least, quarter, median, three_quarters, ninety, most = (float(q) for q in quantiles)
        return cls(
            count=len(numbers),
            mean=float(numbers.mean()),
            deviation=float(numbers.std(ddof=1)) if len(numbers) > 1 else None,
            least=least,
            quarter=quarter,
            median=median,
            three_quarters=three_quarters,
            ninety=ninety,
            most=most,
            total=float(numbers.sum()),
        )


@dataclass(frozen=True)
class Bin:
    """A step of the scores, as a share of the points that there are."""

    low: float
    high: float
    count: int


def histogram(scores: Sequence[float], most: float) -> list[Bin]:
    """How many scores lie in each of `BINS` equal steps from 0 to `most`; who is at an edge is in the step above it, and the
    last step holds all points, too.

    In fractions: in floats 0.7 is less than 14 · 0.05, and 70 of 100 points would fall into the step below.
    """
    counts, whole = [0] * BINS, _exactly(most) or Fraction(1)
    for score in scores:
        counts[min(max(math.floor(BINS * _exactly(score) / whole), 0), BINS - 1)] += 1
    return [Bin(place / BINS, (place + 1) / BINS, count) for place, count in enumerate(counts)]


def _exactly(points: float) -> Fraction:
    """Points as they are written; what sums of decimals leave in the last digits is dropped."""
    return Fraction(repr(round(points, DIGITS)))


@dataclass(frozen=True)
class Item:
    """One check, as the class met it."""

    tally: CheckTally
    asked: int
    passed: int
    discrimination: float | None
    """Correlation of passing it with the points in all other checks, from −1 to 1; None where one of both is the same for
    all, or there are too few students."""
    suspicious: bool
    """Those who pass it do worse in all else, and that is not likely to be chance."""
    median_seconds: float | None
    most_seconds: float | None

    @property
    def share(self) -> float | None:
        """The part of the students who pass it."""
        return self.passed / self.asked if self.asked else None

    @property
    def missed(self) -> int:
        return self.asked - self.passed

    @property
    def unwritten(self) -> int:
        """Students who have not written what it asks for, or not handed it in."""
        return self.count(CheckStatus.NOT_IMPLEMENTED) + self.count(CheckStatus.NOT_RUN)

    @property
    def message(self) -> str:
        """What at least half of those who missed it were told of a mistake; nothing where no words went to so many."""
        ((told, count),) = self.tally.messages.most_common(1) or [("", 0)]
        return told if 2 * count >= self.missed else ""

    def count(self, status: CheckStatus) -> int:
        return self.tally.statuses[status]


def items(tally: Tally) -> list[Item]:
    """All checks, in the rubric's order."""
    totals = np.asarray(tally.points)
    return [_item(check, totals) for check in tally.checks.values()]


def _item(check: CheckTally, totals: np.ndarray) -> Item:
    passed = np.asarray(check.passed, dtype="float64")  # (students who were asked,)
    rest = totals[np.asarray(check.students, dtype="int64")] - passed * check.max_points
    value, chance = _correlation(passed, rest)
    seconds = Spread.of(check.seconds)
    return Item(
        tally=check,
        asked=len(passed),
        passed=int(passed.sum()),
        discrimination=value,
        suspicious=value is not None and value < 0 and chance < SURE,
        median_seconds=seconds.median if seconds else None,
        most_seconds=seconds.most if seconds else None,
    )


def _correlation(passed: np.ndarray, rest: np.ndarray) -> tuple[float | None, float]:
    """The point-biserial correlation, and how probable one as far from 0 is by chance."""
    rest = rest.round(9)  # sums in different orders differ in their last digits
    if len(passed) < FEWEST or np.ptp(passed) == 0 or np.ptp(rest) == 0:
        return None, 1.0
    from scipy.stats import pointbiserialr

    found = pointbiserialr(passed, rest)
    return float(found.statistic), float(found.pvalue)


@dataclass(frozen=True)
class Missed:
    """A check among those that are missed most."""

    item: Item
    others: int = 0
    """Checks of its task that just as many missed and that are not listed; said of the last one listed."""


def most_missed(found: Sequence[Item], most: int) -> list[Missed]:
    """The checks that the largest part of the students missed, the worst first; of equal ones those that more had written.

    A file that nobody could run makes all checks of its task equal: of these the `ALIKE` with the most points are listed, and
    tasks that are missed equally take turns.
    """
    groups: dict[tuple[float, float, str], list[Item]] = {}
    for item in found:
        if item.missed:
            groups.setdefault((item.passed / item.asked, item.unwritten / item.asked, item.tally.task), []).append(item)
    ranked = []
    for place, ((passed, unwritten, _), group) in enumerate(groups.items()):
        listed = sorted(group, key=lambda item: -item.tally.max_points)[:ALIKE]
        for turn, item in enumerate(listed):
            others = len(group) - len(listed) if item is listed[-1] else 0
            ranked.append(((passed, unwritten, turn, place), Missed(item, others)))
    return [one for _, one in sorted(ranked, key=lambda pair: pair[0])[:most]]
