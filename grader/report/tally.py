"""A class in numbers, added up one result after the other: what is kept of each is small, and the results are not."""

from array import array
from collections import Counter
from dataclasses import dataclass, field

from grader.report.words import readable, remarks
from grader.results import CheckResult, CheckStatus, SubmissionResult, SubmissionStatus
from grader.submission import file_name

MOST_MESSAGES = 50
UNTOLD = (CheckStatus.PASSED, CheckStatus.NOT_IMPLEMENTED, CheckStatus.NOT_RUN)


@dataclass(frozen=True)
class Row:
    """A student's line in the table of the class."""

    student: str
    page: str
    """The name of the student's page, without its folder."""
    status: SubmissionStatus
    score: float | None
    bonus: float | None
    penalty: float
    total: float | None
    """With the bonus, after the penalty."""
    tasks: dict[str, float]
    open: int
    """Checks that did not pass."""
    cpu_seconds: float
    seconds_late: float
    remarks: str
    message: str

    @classmethod
    def of(cls, result: SubmissionResult) -> "Row":
        one = result.standing.attempt if result.standing else None
        penalty = one.penalty if one else 0.0
        total = None if result.total is None else max(0.0, result.total - penalty)
        return cls(
            student=readable(result.student),
            page=page_name(result.student),
            status=result.status,
            score=result.score,
            bonus=result.bonus,
            penalty=penalty,
            total=total,
            tasks={name: task.points for name, task in result.tasks.items()},
            open=sum(check.status is not CheckStatus.PASSED for check in result.checks),
            cpu_seconds=result.cpu_seconds,
            seconds_late=one.seconds_late if one else 0.0,
            remarks=remarks(result),
            message="" if result.status is SubmissionStatus.GRADED else readable(result.message),
        )


def page_name(student: str) -> str:
    """The file name of a student's page."""
    return f"{file_name(student)}.html"


@dataclass
class CheckTally:
    """One check over the class."""

    name: str
    task: str
    title: str
    max_points: float
    students: array = field(default_factory=lambda: array("l"))
    """Numbers of the graded students who were asked, in the order in which they came."""
    passed: array = field(default_factory=lambda: array("b"))
    seconds: array = field(default_factory=lambda: array("d"))
    """Of those for whom it was run."""
    statuses: Counter[CheckStatus] = field(default_factory=Counter)
    messages: Counter[str] = field(default_factory=Counter)
    """What those were told who had written it and missed it; of many different words, the first."""

    def add(self, student: int, check: CheckResult) -> None:
        self.students.append(student)
        self.passed.append(check.status is CheckStatus.PASSED)
        self.statuses[check.status] += 1
        if check.status is not CheckStatus.NOT_RUN:
            self.seconds.append(check.seconds)
        known = check.message in self.messages or len(self.messages) < MOST_MESSAGES
        if check.message and check.status not in UNTOLD and known:
            self.messages[check.message] += 1


@dataclass
class Tally:
    """The class so far. Scores, checks and times are of graded submissions; rows are of all."""

    rows: list[Row] = field(default_factory=list)
    checks: dict[str, CheckTally] = field(default_factory=dict)
    scores: array = field(default_factory=lambda: array("d"))
    points: array = field(default_factory=lambda: array("d"))
    """With the bonus, before penalties."""
    seconds: array = field(default_factory=lambda: array("d"))
    cpu_seconds: array = field(default_factory=lambda: array("d"))
    task_points: dict[str, array] = field(default_factory=dict)
    task_numbers: dict[str, int] = field(default_factory=dict)
    bonus_tasks: frozenset[str] = frozenset()
    task_maxima: dict[str, float] = field(default_factory=dict)
    max_score: float = 0.0
    max_bonus: float = 0.0
    troubled: Counter[CheckStatus] = field(default_factory=Counter)
    """Students with at least one check of an outcome."""
    seeds: set[int] = field(default_factory=set)
    sandboxes: set[str] = field(default_factory=set)

    def add(self, result: SubmissionResult) -> None:
        """Count one student's result."""
        self.rows.append(Row.of(result))
        if result.status is not SubmissionStatus.GRADED:
            return
        number = len(self.scores)
        self.scores.append(result.score)
        self.points.append(result.total)
        self.seconds.append(result.seconds)
        self.cpu_seconds.append(result.cpu_seconds)
        self.seeds.add(result.seed)
        self.sandboxes.add(result.sandbox)
        self.max_score, self.max_bonus = max(self.max_score, result.max_score), max(self.max_bonus, result.max_bonus)
        self.bonus_tasks |= set(result.bonus_tasks)
        self.troubled.update({check.status for check in result.checks})
        for name, task in result.tasks.items():
            self.task_points.setdefault(name, array("d")).append(task.points)
            self.task_maxima[name] = max(task.max_points, self.task_maxima.get(name, 0.0))
            self.task_numbers[name] = task.number
        for check in result.checks:
            new = CheckTally(check.name, check.task, check.title, check.max_points)
            self.checks.setdefault(check.name, new).add(number, check)

    def of(self, status: SubmissionStatus) -> list[Row]:
        """Rows of one status."""
        return [row for row in self.rows if row.status is status]
