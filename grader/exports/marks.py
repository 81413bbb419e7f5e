"""The marks of a class: one record for each student, whatever they are exported to.

A student's final points are those of the checks and the bonus, less the penalty for late work. Where the gradebook has
points that a person entered in formgrader, its sum and its penalty come first. Who has no result, or one on which the
grader failed, has no mark, which is not a zero; what could not be read as a submission is 0, with the reason.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from grader.attempts import faults
from grader.errors import UsageError
from grader.exports.gradescope import final, penalty
from grader.exports.texts import line
from grader.gradebook import Gradebook, Score, student_id
from grader.results import DIGITS, SubmissionResult, SubmissionStatus
from grader.store import ResultStore


@dataclass(frozen=True)
class Mark:
    """What one student gets, and why."""

    result: SubmissionResult
    score: Score | None = None
    """The gradebook's, where a person has entered something there."""

    @property
    def student(self) -> str:
        return self.result.student

    @property
    def failed(self) -> bool:
        """Whether the grader failed on it, so that there is no mark."""
        return self.result.status is SubmissionStatus.GRADER_ERROR

    @cached_property
    def checks(self) -> Mapping[str, float]:
        """Points by check, in the rubric's order."""
        return {check.name: self._points(check.name, check.points) for check in self.result.checks}

    def _points(self, check: str, points: float) -> float:
        return self.score.checks.get(check, points) if self.score else points

    @cached_property
    def tasks(self) -> Mapping[str, float]:
        """Points by task, in the rubric's order."""
        sums = dict.fromkeys(self.result.tasks, 0.0)
        for check in self.result.checks:
            sums[check.task] += self.checks[check.name]
        return {task: round(points, DIGITS) for task, points in sums.items()}

    @property
    def bonus(self) -> float | None:
        """Points of the bonus tasks."""
        if self.failed:
            return None
        return sum(points for task, points in self.tasks.items() if self.result.tasks[task].bonus)

    @property
    def points(self) -> float | None:
        """Points of the others, and whatever else the gradebook has."""
        if self.failed:
            return None
        if self.score:
            assert self.bonus is not None  # the grader has not failed
            return round(self.score.score - self.bonus, DIGITS)
        return self.result.score

    @property
    def penalty(self) -> float | None:
        """Points taken off for late work."""
        if self.failed:
            return None
        return self.score.penalty if self.score else penalty(self.result)

    @property
    def final(self) -> float | None:
        """All points after the penalty, never below 0; None where there is no mark."""
        if self.failed:
            return None
        if self.score:
            return round(max(0.0, self.score.score - self.score.penalty), DIGITS)
        return final(self.result)

    @property
    def remark(self) -> str:
        """Why there is no mark, or a zero, and what a person has entered; mostly nothing."""
        parts = [line(self.result.message)] if self.result.message else []
        if self.score:
            parts.append(f"by hand: {', '.join(sorted(self.score.by_hand))}")
        return "; ".join(parts)


@dataclass(frozen=True)
class Marks:
    """The marks of all students who have a result, sorted by student."""

    assignment: str
    marks: Sequence[Mark]
    gradebook: str = ""
    """Its URL; empty where there is none."""
    remarks: Sequence[str] = field(default=())
    """What is worth a look, a line each."""

    @property
    def failed(self) -> list[str]:
        """Students on whom the grader failed."""
        return [mark.student for mark in self.marks if mark.failed]


def read_marks(out: Path, db: str = "") -> Marks:
    """The marks of the `--out` folder of `grader grade`; `db` is the gradebook's URL, if it does not lie there.

    Raises:
        UsageError: there are no results, those of many assignments, or the gradebook cannot be opened.
    """
    results = ResultStore(out).read()
    names = sorted({result.assignment for result in results})
    if len(names) > 1:
        raise UsageError(f"expected results of one assignment in {out}, found those of {', '.join(names)}.")
    place = out / "gradebook.db"
    url = db or (f"sqlite:///{place.resolve()}" if place.is_file() else "")
    _require_file(db)
    scores, remarks = {}, []
    if url:
        with Gradebook(url) as gradebook:
            scores = gradebook.scores(names[0])
    else:
        remarks = [
            f"there is no gradebook at {place}: points entered by hand, if any, are not in it; name it with --db."
        ]
    marks = [Mark(result, _by_hand(scores.get(student_id(result.student)))) for result in results]
    return Marks(names[0], marks, url, [*remarks, *_remarks(marks, scores)])


def _by_hand(score: Score | None) -> Score | None:
    return score if score and score.by_hand else None


def _require_file(db: str) -> None:
    """SQLite makes a database where there is none, which would hide a slip of the pen."""
    path = db.removeprefix("sqlite:///")
    if path not in ("", db) and not Path(path.partition("?")[0]).is_file():
        raise UsageError(f"expected a gradebook at {db}, found nothing there; check the path.")


def _remarks(marks: Sequence[Mark], scores: Mapping[str, Score]) -> list[str]:
    """Who has no mark, whose attempts are not all in it, and which points by hand ask for another look."""
    lines = [
        f"{line(mark.student)} has no mark: the grader failed on it ({mark.remark})" for mark in marks if mark.failed
    ]
    lines += [f"{line(mark.student)}: {line(text)}" for mark in marks for text in faults(mark.result.standing)]
    looks = [student for student, score in scores.items() if score.needs_manual_grade]
    if looks:
        lines.append(f"to be looked at in formgrader (needs manual grade): {', '.join(map(line, sorted(looks)))}")
    known = {student_id(mark.student) for mark in marks}
    others = [student for student in sorted(scores) if student not in known]
    if others:
        lines.append(f"in the gradebook, without a result, and so without a mark: {', '.join(map(line, others))}")
    return lines
