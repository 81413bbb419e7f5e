"""One mark of several assignments: the mean of their percentages, weighted as `course.toml` says.

Who has no mark in one of them (nothing handed in, or the grader failed) has no total, which is not a zero; the table says
in what. Points of the bonus count, so that an assignment can come to more than 100 %.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from grader.course import Course
from grader.errors import UsageError
from grader.exports.marks import Marks
from grader.exports.texts import cell, points
from grader.results import DIGITS


@dataclass(frozen=True)
class Total:
    """What one student has in all."""

    student: str
    percent: Mapping[str, float | None]
    """By assignment; None where there is no mark."""
    total: float | None
    """Percent; None where a mark is missing that has a weight."""

    @property
    def missing(self) -> list[str]:
        """Assignments in which there is no mark."""
        return [name for name, percent in self.percent.items() if percent is None]


def totals(course: Course, classes: Sequence[Marks], *, absent_is_zero: bool = False) -> Iterator[Total]:
    """Each student's total, sorted by student; with `absent_is_zero`, who handed in nothing has 0 there.

    On whom the grader failed has no mark in any case.

    Raises:
        UsageError: an assignment comes twice or is none of the course's, or none has a weight.
    """
    by_name = {marks.assignment: marks for marks in classes}
    if len(by_name) < len(classes):
        twice, _ = Counter(marks.assignment for marks in classes).most_common(1)[0]
        raise UsageError(f"expected the results of different assignments, found those of {twice} twice.")
    points_of = {name: course.assignment(name).points for name in by_name}
    weights = weights_of(course, list(by_name))
    if not any(weights.values()):
        raise UsageError(f"expected a weight above 0 for one of {', '.join(by_name)}, found none: see course.toml.")
    found: dict[str, dict[str, float | None]] = {}
    absent = 0.0 if absent_is_zero else None
    for name, marks in by_name.items():
        for mark in marks.marks:
            percent = None if mark.final is None else 100 * mark.final / points_of[name]
            found.setdefault(mark.student, dict.fromkeys(by_name, absent))[name] = percent
    for student, percents in sorted(found.items()):
        yield Total(student, percents, weighted_mean(percents, weights))


def weights_of(course: Course, names: Sequence[str]) -> dict[str, float]:
    """What each assignment weighs: 1 where `course.toml` does not say."""
    return {name: course.term.of(name).weight for name in names}


def weighted_mean(percent: Mapping[str, float | None], weights: Mapping[str, float]) -> float | None:
    """The mean of those that have a weight; None where one of them is missing."""
    counting = {name: value for name, value in percent.items() if weights[name]}
    known = {name: value for name, value in counting.items() if value is not None}
    if len(known) < len(counting):
        return None
    return round(sum(weights[name] * value for name, value in known.items()) / sum(weights.values()), DIGITS)


def rows(found: Sequence[Total]) -> Iterator[list[str]]:
    """Header and rows of the table."""
    names = list(found[0].percent) if found else []
    yield ["student", *(f"{name} %" for name in names), "total %", "missing"]
    for one in found:
        numbers = (points(None if value is None else round(value, 4)) for value in (*one.percent.values(), one.total))
        yield [cell(one.student), *numbers, " ".join(one.missing)]
