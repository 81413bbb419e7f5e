"""The one record that crosses every boundary: what a check, a task and a submission got.

Plain frozen dataclasses, written as versioned JSON. `message` may be shown to the student; `detail` (inputs, expected
and got values) is for the instructor alone.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from functools import cached_property

import msgspec

from grader.exhibits import Exhibit

VERSION = 1
DIGITS = 9
"""Decimals of points after a penalty: what rounding alone tells apart is equal."""


class CheckStatus(StrEnum):
    """How one check ended. Only `PASSED` earns its points."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_IMPLEMENTED = "not_implemented"
    """The stub still raises NotImplementedError."""
    UNUSABLE = "unusable"
    """The check could not make use of what came back: mostly something of a wild type; worth an instructor's look."""
    TIMEOUT = "timeout"
    CRASHED = "crashed"
    """The student's process ended, or spoke nonsense, while the check waited for it."""
    NOT_RUN = "not_run"
    """Nothing to run: the task's file is missing, or the submission's time was used up by earlier checks."""


class SubmissionStatus(StrEnum):
    """What became of a submission as a whole."""

    GRADED = "graded"
    INVALID = "invalid"
    """The entry could not be read as a submission: scored 0, with the reason."""
    GRADER_ERROR = "grader_error"
    """Our fault: no score; grade it again."""


@dataclass(frozen=True)
class Reading:
    """A number that a check compared with a line: what it was, and between which limits it had to lie."""

    rule: str
    value: float | None
    """None when it was no finite number, which is never within the limits."""
    at_least: float | None = None
    at_most: float | None = None


@dataclass(frozen=True)
class CheckResult:
    """One check of one submission; `points` is `max_points` or 0."""

    name: str
    task: str
    title: str
    status: CheckStatus
    points: float
    max_points: float
    message: str = ""
    detail: str = ""
    seconds: float = 0.0
    """Wall time on the trusted side's clock."""
    readings: tuple[Reading, ...] = ()
    """Of a check that compares what it measured with a line; for the instructor."""


@dataclass(frozen=True)
class TaskScore:
    """Points of one task; a bonus task's points stand beside the score, not in it."""

    points: float
    max_points: float
    bonus: bool = False
    number: int = 0
    """As in the handout; two files of one task share it."""


@dataclass(frozen=True)
class Attempt:
    """One of a student's attempts, and what being late costs it."""

    name: str
    """The part of the entry's name that tells it from others; empty where there is only one, without a time."""
    time: datetime | None
    """When it was handed in, in UTC; None where nobody knows."""
    status: SubmissionStatus
    points: float | None
    """With the bonus, before the penalty; None where the grader has failed on it."""
    fault: str = ""
    """How the grader failed on it this time; the points, if there are any, are those of the record before."""
    seconds_late: float = 0.0
    """After the due date and the student's extension."""
    penalty: float = 0.0
    """Points taken off, at most all."""

    @property
    def net(self) -> float | None:
        """Points after the penalty, never below 0."""
        return None if self.points is None else round(max(0.0, self.points - self.penalty), DIGITS)


@dataclass(frozen=True)
class Standing:
    """All of a student's attempts in the order of their times, which of them counts, and until when there was time."""

    attempts: tuple[Attempt, ...]
    counting: int
    """The place of the attempt whose result counts."""
    why: str
    due: datetime | None = None
    """In UTC, without the extension."""
    extension_seconds: float = 0.0

    @property
    def attempt(self) -> Attempt:
        """The attempt that counts."""
        return self.attempts[self.counting]


def new_seed() -> int:
    """For a run: too many to be guessed from what is drawn, and few enough for every reader of JSON to keep exactly."""
    return secrets.randbits(53)


@dataclass(frozen=True)
class SubmissionResult:
    """What one student's submission got, and everything needed to grade it again to the same result."""

    assignment: str
    student: str
    status: SubmissionStatus
    checks: Sequence[CheckResult] = ()
    bonus_tasks: Sequence[str] = ()
    task_numbers: dict[str, int] = field(default_factory=dict)
    message: str = ""
    """Why an entry is invalid, or what failed in the grader; for a graded one what is worth a look, mostly nothing."""
    seed: int = 0
    digest: str = ""
    """SHA-256 of the files that were graded."""
    surroundings: str = ""
    """SHA-256 of all else that the marks depend on: rubric, suite, fixture, grader, libraries."""
    sandbox: str = ""
    """The sandbox level that the student's code ran at."""
    output: str = ""
    """First part of what the student's code printed; for the instructor."""
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    versions: dict[str, str] = field(default_factory=dict)
    standing: Standing | None = None
    """Where there are attempts, times or a due date: how this one, which counts, stands among them."""
    exhibits: tuple[Exhibit, ...] = ()
    """Figures of what the student's code computes; the student may see them, and no mark depends on them."""
    version: int = VERSION

    @cached_property
    def tasks(self) -> dict[str, TaskScore]:
        """Scores by task, in the rubric's order."""
        totals: dict[str, TaskScore] = {}
        for check in self.checks:
            new = TaskScore(0, 0, check.task in self.bonus_tasks, self.task_numbers.get(check.task, 0))
            so_far = totals.get(check.task, new)
            points, maximum = so_far.points + check.points, so_far.max_points + check.max_points
            totals[check.task] = replace(so_far, points=points, max_points=maximum)
        return totals

    @property
    def score(self) -> float | None:
        """Points without the bonus; None when the grader failed."""
        return self._sum("points", bonus=False) if self.status is not SubmissionStatus.GRADER_ERROR else None

    @property
    def max_score(self) -> float:
        """The rubric's points without the bonus."""
        return self._sum("max_points", bonus=False)

    @property
    def bonus(self) -> float | None:
        """Bonus points; None when the grader failed."""
        return self._sum("points", bonus=True) if self.status is not SubmissionStatus.GRADER_ERROR else None

    @property
    def total(self) -> float | None:
        """Points with the bonus; None when the grader failed."""
        return None if self.score is None or self.bonus is None else self.score + self.bonus

    @property
    def has_faults(self) -> bool:
        """Whether the grader failed on this, or on another attempt of the student: something is to be graded again."""
        others = self.standing.attempts if self.standing else ()
        return self.status is SubmissionStatus.GRADER_ERROR or any(one.fault for one in others)

    @property
    def max_bonus(self) -> float:
        """The rubric's bonus points."""
        return self._sum("max_points", bonus=True)

    def _sum(self, what: str, *, bonus: bool) -> float:
        return sum(getattr(task, what) for task in self.tasks.values() if task.bonus is bonus)

    def to_json(self) -> bytes:
        """The record as indented JSON, derived sums included for readers of the file."""
        sums = {
            "score": self.score,
            "max_score": self.max_score,
            "bonus": self.bonus,
            "max_bonus": self.max_bonus,
            "tasks": self.tasks,
        }
        record = {key: value for key, value in msgspec.to_builtins(self).items() if key != "tasks"}
        checks = record.pop("checks")
        return msgspec.json.format(msgspec.json.encode({**record, **sums, "checks": checks}), indent=2)

    @classmethod
    def from_json(cls, data: bytes) -> "SubmissionResult":
        """Read `to_json`'s output; derived sums are computed anew.

        Raises:
            msgspec.ValidationError: the record is not one of this version.
        """
        result = msgspec.json.decode(data, type=cls)
        if result.version != VERSION:
            raise msgspec.ValidationError(f"expected a result of version {VERSION}, found {result.version}")
        return result
