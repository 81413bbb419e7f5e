"""What has known marks: the starter gets 0, correct solutions all points, and each mistake fails the check that it names."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from grader.course import Assignment, Course
from grader.desk.imports import affected
from grader.errors import UsageError
from grader.soundness.mutants import Mutant, read_mutants
from grader.stubs import make_stub, read_solution


class Kind(StrEnum):
    """What a case is, which says what it must get."""

    STARTER = "starter"
    SOLUTION = "solution"
    REPEAT = "repeat"
    """The solution once more, drawn as before: its marks must be the same to the last digit."""
    ALTERNATIVE = "alternative"
    MUTANT = "mutant"


@dataclass(frozen=True)
class Draws:
    """How often a case of each kind is graded, each time on data drawn anew."""

    solution: int = 50
    repeats: int = 20
    """Gradings of the solution on the same data."""
    alternative: int = 8
    mutant: int = 10
    """Of mutants that a line must tell from right work; all others are graded once."""


USUAL = Draws()


@dataclass(frozen=True)
class Case:
    """One submission whose marks are known."""

    kind: Kind
    name: str
    files: Mapping[str, bytes]
    check: str = ""
    """Of a mutant: the check that must fail."""
    why: str = ""
    draw: int = 0
    """Which of the run's draws of data it is graded on."""
    checks: tuple[str, ...] = ()
    """The checks that are run; all when there are none."""

    def digest(self, surroundings: str) -> str:
        """What its verdict depends on; `surroundings` is that of suite, grader and libraries."""
        what = (self.kind, self.name, self.check, str(self.draw), ",".join(self.checks))
        told = hashlib.sha256("\0".join((surroundings, *what)).encode())
        for name, content in sorted(self.files.items()):
            told.update(f"\0{name}\0{len(content)}\0".encode() + content)
        return told.hexdigest()


def cases_of(course: Course, name: str, draws: Draws = USUAL, *, whole: bool = False) -> list[Case]:
    """Starter, solution, alternatives and mutants of an assignment.

    A mutant is marked by the checks of the tasks that its file can change: its own, and those whose files import it. With
    `whole` it is marked by all.

    Raises:
        UsageError: a file of theirs that is missing or does not fit.
    """
    assignment = course.assignment(name)
    sources = {task.file: read_solution(course, name, task.file) for task in assignment.task}
    stubs = {task.file: make_stub(sources[task.file], assignment, task).encode() for task in assignment.task}
    solution = {file: text.encode() for file, text in sources.items()}
    return [
        Case(Kind.STARTER, "starter", stubs),
        *(Case(Kind.SOLUTION, "solution", solution, draw=draw) for draw in range(draws.solution)),
        *(Case(Kind.REPEAT, f"repeat {number}", solution) for number in range(1, draws.repeats + 1)),
        *alternatives_of(course, assignment, draws),
        *mutants_of(course, assignment, solution, whole=whole),
    ]


def mutants_of(
    course: Course, assignment: Assignment, solution: Mapping[str, bytes], *, whole: bool = False
) -> list[Case]:
    """The solution with each known mistake.

    Raises:
        UsageError: a file of mutants that does not fit the assignment or the solution.
    """
    mutants = read_mutants(course.root / "tests" / "mutants" / f"{assignment.name}.toml", assignment)
    return [_mutated(mutant, solution, assignment, whole=whole) for mutant in mutants]


def alternatives_of(course: Course, assignment: Assignment, draws: Draws = USUAL) -> Iterator[Case]:
    """Correct solutions in other hands, each as often as it is graded.

    Raises:
        UsageError: one without some task's file.
    """
    root = course.root / "tests" / "alternatives" / assignment.name
    for folder in sorted(path for path in root.glob("*") if path.is_dir()):
        files = {path.name: path.read_bytes() for path in sorted(folder.glob("*.py"))}
        if missing := [file for file in assignment.files if file not in files]:
            raise UsageError(f"{folder}: expected all task files, found no {', '.join(missing)}.")
        for draw in range(draws.alternative):
            yield Case(Kind.ALTERNATIVE, folder.name, files, draw=draw)


def _mutated(mutant: Mutant, solution: Mapping[str, bytes], assignment: Assignment, *, whole: bool) -> Case:
    files = mutant.edited(solution)
    changed = affected([mutant.file], solution, files, [task.name for task in assignment.task])
    reached = {*changed.written, *changed.using, mutant.check.partition(".")[0]}
    checks = (f"{task.name}.{check}" for task in assignment.task if task.name in reached for check in task.checks)
    return Case(Kind.MUTANT, mutant.name, files, mutant.check, mutant.why, checks=() if whole else tuple(checks))
