"""Grade one submission: its files go into a worker, the hidden suite calls them, the rubric gives the result."""

import platform
import time
from collections.abc import Callable, Collection
from importlib.metadata import version
from typing import Protocol

from grader.course import Assignment
from grader.results import SubmissionResult, SubmissionStatus
from grader.sandbox.remote import Handle, Summary
from grader.submission import Submission
from grader.suite.runner import Suite
from grader.suite.student import Seat, Student

MAX_OUTPUT = 20_000
REPORTED_VERSIONS = ("torch", "accelerate", "numpy", "pandas", "scikit-learn", "matplotlib")


class Workers(Protocol):
    """Where a submission's code runs: opens seats for it and adds up what they use."""

    cpu_seconds: float
    output: bytes

    def open_seat(self, wrap: Callable[[Handle | Summary], object]) -> Seat: ...


def grade(
    submission: Submission, suite: Suite, workers: Workers, *, sandbox: str, only: Collection[str] = ()
) -> SubmissionResult:
    """Mark one submission, whose files `workers` already have, by all checks or those named in `only`.

    `sandbox` names how student code is confined.

    Raises:
        GraderFault: the suite, the sandbox or the grader failed; nothing is known of the submission's worth.
    """
    assignment = suite.rubric.assignment
    started = time.monotonic()
    student = Student(
        workers.open_seat,
        [task.name for task in assignment.task],
        missing=[task.name for task in assignment.task if task.file not in submission.files],
        shipped=suite.shipped,
        rank_patience=assignment.limits.check_seconds,
    )
    try:
        checks = suite.mark(student, only)
    finally:
        student.close()
    return SubmissionResult(
        assignment=assignment.name,
        student=submission.student,
        status=SubmissionStatus.GRADED,
        checks=checks,
        bonus_tasks=bonus_tasks(assignment),
        task_numbers={task.name: task.number for task in assignment.task},
        seed=suite.desk.run.seed,
        digest=submission.digest,
        sandbox=sandbox,
        output=workers.output.decode("utf-8", "replace")[:MAX_OUTPUT],
        seconds=round(time.monotonic() - started, 3),
        cpu_seconds=round(workers.cpu_seconds, 3),
        versions=versions(),
    )


def bonus_tasks(assignment: Assignment) -> list[str]:
    """Names of the tasks whose points stand beside the score."""
    return [task.name for task in assignment.task if task.bonus]


def versions() -> dict[str, str]:
    """What a grade depends on besides the submission and the seed."""
    return {"python": platform.python_version(), **{name: version(name) for name in REPORTED_VERSIONS}}
