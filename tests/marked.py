"""Results for the tests of exports: a class of one small project, made by hand."""

from collections.abc import Mapping
from datetime import UTC, datetime

from grader.course import Assignment, Task
from grader.results import Attempt, CheckResult, CheckStatus, Reading, Standing, SubmissionResult, SubmissionStatus

RUBRIC = {"explore.load": 10, "explore.plot": 20, "train.fit": 70, "bonus.extra": 10}
TITLES = {
    "explore.load": "The table has its rows & columns",
    "explore.plot": "Prices < 0 are not drawn",
    "train.fit": "The loss falls",
    "bonus.extra": "Another model",
}
SECRETS = ("SECRET-DETAIL", "SECRET-READING", "SECRET-OUTPUT")
"""What no student may see of a hidden check."""
FULL = dict(RUBRIC)
PROJECT = Assignment(
    name="project",
    title="Project",
    difficulty="easy",
    task=[
        Task(
            number=number,
            name=task,
            title=task,
            checks={name.removeprefix(f"{task}."): points for name, points in RUBRIC.items() if name.startswith(task)},
            bonus=task == "bonus",
        )
        for number, task in enumerate(("explore", "train", "bonus"), 1)
    ],
)
DUE = datetime(2026, 5, 1, 21, 59, tzinfo=UTC)


def check(name: str, points: float, status: CheckStatus | None = None, message: str = "hint") -> CheckResult:
    """One check of the project, with secrets in it."""
    ended = status or (CheckStatus.PASSED if points else CheckStatus.FAILED)
    return CheckResult(
        name=name,
        task=name.partition(".")[0],
        title=TITLES[name],
        status=ended,
        points=points,
        max_points=RUBRIC[name],
        message="" if ended is CheckStatus.PASSED else message,
        detail="SECRET-DETAIL",
        seconds=0.25,
        readings=(Reading("SECRET-READING", 1.0),),
    )


def result(
    student: str,
    earned: Mapping[str, float] = FULL,
    status: SubmissionStatus = SubmissionStatus.GRADED,
    message: str = "",
    standing: Standing | None = None,
    hints: str = "hint",
    ends: Mapping[str, CheckStatus] | None = None,
) -> SubmissionResult:
    """A result with the points `earned` by check; checks not named earn nothing, and end as `ends` says."""
    ends = ends or {}
    checks = [check(name, earned.get(name, 0), ends.get(name), hints) for name in RUBRIC]
    if status is SubmissionStatus.GRADER_ERROR:
        checks = []
    return SubmissionResult(
        assignment="project",
        student=student,
        status=status,
        checks=checks,
        bonus_tasks=["bonus"],
        task_numbers={"explore": 1, "train": 2, "bonus": 3},
        message=message,
        output="SECRET-OUTPUT",
        seconds=1.5,
        standing=standing,
    )


def late(points: float, penalty: float, seconds: float = 3600) -> Standing:
    """A student's only attempt, handed in an hour after the due date."""
    time = datetime.fromtimestamp(DUE.timestamp() + seconds, UTC)
    attempt = Attempt(f"{time:%Y-%m-%dT%H-%M-%SZ}", time, SubmissionStatus.GRADED, points, "", seconds, penalty)
    return Standing((attempt,), 0, "the only attempt", DUE)
