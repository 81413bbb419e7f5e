"""Whether a suite holds for what one seed draws: asked of a term's seed before anybody is graded by it.

A few dozen gradings, where `grader verify` makes hundreds: right work in every hand at hand, and of the mistakes those that a
line must tell from right work. What has held is remembered, for as long as nothing changes that marks depend on.
"""

import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from grader.aside import write_aside
from grader.course import Assignment, Course
from grader.errors import GraderFault
from grader.results import CheckStatus, SubmissionResult
from grader.settings import NAME as SETTINGS
from grader.soundness.cases import Case, Draws, Kind, alternatives_of, mutants_of
from grader.soundness.proving import MEMORY
from grader.submission import Submission
from grader.surroundings import Surroundings

ONCE = Draws(alternative=1)
MOST_REMEMBERED = 100
_MOST_NAMED = 5


class Engine(Protocol):
    """What grades a submission, or some checks of it."""

    def submit(self, submission: Submission, *, checks: Sequence[str] = ()) -> "Future[SubmissionResult]": ...


def prove_seed(course: Course, assignment: Assignment, engine: Engine, seed: int) -> bool:
    """See that the suite holds for what the engine's seed draws: solution and alternatives have all points, and mistakes fail
    the checks that draw a line between them and right work. False where there are no solutions to tell by.

    Raises:
        GraderFault: it does not hold, and for whom; or the grader failed.
        UsageError: an alternative or a mutant that does not fit the assignment.
    """
    folder = course.solution(assignment.name)
    if not folder.is_dir():
        return False
    solution = {file: (folder / file).read_bytes() for file in assignment.files}
    right = [Case(Kind.SOLUTION, "solution", solution), *alternatives_of(course, assignment, ONCE)]
    mutants = mutants_of(course, assignment, solution)
    memory = _Memory(course.root / MEMORY / "seeds.json")
    key = _key(seed, Surroundings.of(course, assignment), [*right, *mutants])
    if memory.holds(key):
        return True
    results = [future.result() for future in [engine.submit(_submission(case)) for case in right]]
    for case, result in zip(right, results, strict=True):
        if lost := [check.name for check in result.checks if check.status is not CheckStatus.PASSED]:
            more = f" and {len(lost) - _MOST_NAMED} more" if len(lost) > _MOST_NAMED else ""
            who = "the solution itself" if case.kind is Kind.SOLUTION else f"the correct solution {case.name!r}"
            raise _refusal(course, assignment, seed, f"{who} does not pass {', '.join(lost[:_MOST_NAMED])}{more}")
    lined = {check.name for result in results for check in result.checks if check.readings}
    wrong = [case for case in mutants if case.check in lined]
    futures = [engine.submit(_submission(case), checks=(case.check,)) for case in wrong]
    for case, future in zip(wrong, futures, strict=True):
        if any(check.name == case.check and check.status is CheckStatus.PASSED for check in future.result().checks):
            raise _refusal(course, assignment, seed, f"the mistake {case.name!r} passes {case.check}")
    memory.add(key)
    return True


def _submission(case: Case) -> Submission:
    return Submission(case.name, case.files, source=case.name)


def _refusal(course: Course, assignment: Assignment, seed: int, why: str) -> GraderFault:
    changed = course.term.of(assignment.name).thresholds
    where = f" of {SETTINGS}" if changed or course.term.seed == seed else ""
    thresholds = f" and the thresholds {', '.join(changed)}" if changed else ""
    return GraderFault(
        f"with the seed {seed}{thresholds}{where} {why}, so nobody is graded by it: choose another there, or see "
        f"`grader verify {assignment.name} --seed {seed}`"
    )


def _key(seed: int, around: Surroundings, cases: Sequence[Case]) -> str:
    told = [str(seed), *(case.digest(around.digest(())) for case in cases)]
    return hashlib.sha256("\0".join(told).encode()).hexdigest()


class _Memory:
    """Digests of what has held, the last ones; to lose it costs time alone."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def _known(self) -> list[str]:
        try:
            known = json.loads(self._path.read_text("utf-8"))
        except (OSError, ValueError):
            return []
        return known if isinstance(known, list) else []

    def holds(self, key: str) -> bool:
        return key in self._known()

    def add(self, key: str) -> None:
        with suppress(OSError):
            self._path.parent.mkdir(exist_ok=True)
            write_aside(self._path, json.dumps([*self._known(), key][-MOST_REMEMBERED:]).encode())
