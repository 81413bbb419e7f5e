"""Grade one submission: its files go into a worker, the hidden suite calls them, the rubric gives the result."""

import platform
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from importlib.metadata import version
from typing import Protocol

from grader.course import Assignment
from grader.exhibits import Exhibit
from grader.results import CheckResult, CheckStatus, SubmissionResult, SubmissionStatus
from grader.sandbox.remote import Handle, Summary
from grader.submission import Submission
from grader.suite.runner import Suite
from grader.suite.student import Seat, Student

MAX_OUTPUT = 20_000
REPORTED_VERSIONS = ("torch", "accelerate", "numpy", "pandas", "scikit-learn", "matplotlib")


class Workers(Protocol):
    """Where a submission's code runs: opens seats for it and adds up what they use."""

    output: bytes

    @property
    def cpu_seconds(self) -> float: ...

    def open_seat(self, wrap: Callable[[Handle | Summary], object]) -> Seat: ...


class Progress:
    """What whoever waits is told meanwhile; here, nothing."""

    def on_check(self, name: str) -> None:
        """A check begins."""

    def on_answer(self) -> None:
        """The student's code has answered in it."""


def grade(
    submission: Submission,
    suite: Suite,
    workers: Workers,
    *,
    sandbox: str,
    only: Collection[str] = (),
    given_up: Collection[str] = (),
    progress: Progress | None = None,
) -> SubmissionResult:
    """Mark one submission, whose files `workers` already have, by all checks or those named in `only`.

    `sandbox` names how student code is confined; checks that are `given_up` get no points without being run.

    Raises:
        GraderFault: the suite, the sandbox or the grader failed; nothing is known of the submission's worth.
    """
    assignment = suite.rubric.assignment
    started = time.monotonic()
    student = _student(submission, suite, workers)
    told = progress or Progress()
    student.on_answer = told.on_answer
    try:
        checks = suite.mark(student, only, given_up=given_up, on_check=told.on_check)
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


def exhibits_of(submission: Submission, suite: Suite, workers: Workers) -> tuple[Exhibit, ...]:
    """Figures of what the submission's code computes, from workers of their own; none where anything goes wrong."""
    student = _student(submission, suite, workers)
    try:
        return suite.exhibition.show(student, submission.files)
    except Exception:  # not even a fault of ours may cost a result that is there already
        return ()
    finally:
        with suppress(Exception):
            student.close()


def _student(submission: Submission, suite: Suite, workers: Workers) -> Student:
    assignment = suite.rubric.assignment
    return Student(
        workers.open_seat,
        [task.name for task in assignment.task],
        missing=[task.name for task in assignment.task if task.file not in submission.files],
        shipped=suite.shipped,
        rank_patience=assignment.limits.check_seconds,
    )


def not_graded(student: str, reason: str, assignment: Assignment, titles: Mapping[str, str]) -> SubmissionResult:
    """The result of an entry that is no submission: nothing could be run, for the reason given; `titles` are the checks'."""
    checks = [
        CheckResult(
            name=f"{task.name}.{name}",
            task=task.name,
            title=titles.get(f"{task.name}.{name}", name),
            status=CheckStatus.NOT_RUN,
            points=0,
            max_points=points,
            message="Not run: the submission could not be read.",
        )
        for task in assignment.task
        for name, points in task.checks.items()
    ]
    return SubmissionResult(
        assignment.name,
        student,
        SubmissionStatus.INVALID,
        checks,
        bonus_tasks=bonus_tasks(assignment),
        task_numbers={task.name: task.number for task in assignment.task},
        message=reason,
    )


def bonus_tasks(assignment: Assignment) -> list[str]:
    """Names of the tasks whose points stand beside the score."""
    return [task.name for task in assignment.task if task.bonus]


def versions() -> dict[str, str]:
    """What a grade depends on besides the submission and the seed."""
    return {"python": platform.python_version(), **{name: version(name) for name in REPORTED_VERSIONS}}
