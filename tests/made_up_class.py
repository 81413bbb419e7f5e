"""Results of a class that nobody was in, for whatever is made of results."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from grader.course import Assignment, Course
from grader.results import CheckResult, CheckStatus, SubmissionResult, SubmissionStatus
from grader.store import ResultStore, Run

ROOT = Path(__file__).parents[1]
OTHER = (
    CheckStatus.FAILED,
    CheckStatus.NOT_IMPLEMENTED,
    CheckStatus.TIMEOUT,
    CheckStatus.CRASHED,
    CheckStatus.UNUSABLE,
)
MESSAGE = "The rule does not hold yet. Think of the axis."
SECRET = "expected 3.14159 from the hidden rows"


def assignment_of(name: str = "house_prices") -> Assignment:
    return Course(ROOT).assignment(name)


def graded(
    assignment: Assignment, student: str, passed: Iterable[bool], status: CheckStatus = CheckStatus.FAILED, **facts
) -> SubmissionResult:
    """A graded submission that passes these of the checks, in rubric order; the others end in `status`."""
    checks = [
        CheckResult(
            name=name,
            task=name.partition(".")[0],
            title=f"Rule of {name}",
            status=CheckStatus.PASSED if ok else status,
            points=worth if ok else 0,
            max_points=worth,
            message="" if ok else MESSAGE,
            detail="" if ok else SECRET,
            seconds=0.01,
        )
        for (name, worth), ok in zip(_rubric(assignment), passed, strict=True)
    ]
    facts = {"seed": 7, "sandbox": "namespaces", "seconds": 1.5, "cpu_seconds": 1.0, "output": SECRET} | facts
    return SubmissionResult(
        assignment.name,
        student,
        SubmissionStatus.GRADED,
        checks,
        bonus_tasks=[task.name for task in assignment.task if task.bonus],
        task_numbers={task.name: task.number for task in assignment.task},
        **facts,
    )


def drawn(assignment: Assignment, student: str, rng: np.random.Generator) -> SubmissionResult:
    """Somebody of some skill, at checks of some difficulty."""
    count = len(assignment.checks)
    skill, difficulty = rng.normal(1.5, 1.2), np.linspace(-1.5, 2, count)
    passed = rng.random(count) < 1 / (1 + np.exp(difficulty - skill))
    status = OTHER[int(rng.choice(5, p=[0.6, 0.25, 0.05, 0.05, 0.05]))]
    seconds = float(rng.gamma(3, 1))
    return graded(assignment, student, passed, status, seconds=seconds, cpu_seconds=0.8 * seconds)


def store_of(out: Path, results: Iterable[SubmissionResult], assignment: Assignment) -> ResultStore:
    """The folder of a run with these results."""
    store = ResultStore(out)
    with store.held():
        store.begin(Run(assignment.name, 7, "surroundings"))
        for result in results:
            store.write(result)
    return store


def _rubric(assignment: Assignment) -> list[tuple[str, float]]:
    return [(f"{task.name}.{name}", worth) for task in assignment.task for name, worth in task.checks.items()]
