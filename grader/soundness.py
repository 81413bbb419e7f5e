"""What a sound suite makes of submissions whose marks are known: starter 0, correct ones full, each mistake found.

Cases are made here, and verdicts judged; `grader.verify` has them graded.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from grader.course import Course
from grader.errors import UsageError
from grader.mutants import read_mutants
from grader.results import SubmissionResult, SubmissionStatus
from grader.stubs import make_stub, read_solution

PRECISE = 0.95
"""The part of the mutants that should fail no check outside of their own task."""


class Kind(StrEnum):
    """What a case is, which says what it must get."""

    STARTER = "starter"
    SOLUTION = "solution"
    ALTERNATIVE = "alternative"
    MUTANT = "mutant"


@dataclass(frozen=True)
class Case:
    """One submission whose marks are known."""

    kind: Kind
    name: str
    files: Mapping[str, bytes]
    check: str = ""
    """Of a mutant: the check that must fail."""
    why: str = ""

    def digest(self, surroundings: str) -> str:
        """What its verdict depends on; `surroundings` is that of suite, grader and libraries."""
        told = hashlib.sha256(f"{surroundings}\0{self.kind}\0{self.name}\0{self.check}".encode())
        for name, content in sorted(self.files.items()):
            told.update(f"\0{name}\0{len(content)}\0".encode() + content)
        return told.hexdigest()


class Verdict(msgspec.Struct, frozen=True):
    """What came of a case; remembered from run to run."""

    kind: Kind
    name: str
    check: str
    lost: list[str]
    """Checks that did not get their points."""
    seconds: dict[str, float]
    """How long each check took."""
    fault: str = ""
    """Why there is no verdict: it was invalid, or the grader failed."""

    @classmethod
    def of(cls, case: Case, result: SubmissionResult) -> "Verdict":
        """The verdict in a result."""
        lost = [check.name for check in result.checks if check.points < check.max_points]
        seconds = {check.name: check.seconds for check in result.checks}
        fault = "" if result.status is SubmissionStatus.GRADED else f"{result.status.value}: {result.message}"
        return cls(case.kind, case.name, case.check, lost, seconds, fault)

    @property
    def problem(self) -> str:
        """What makes the suite unsound, or nothing."""
        if self.fault:
            return self.fault
        if self.kind is Kind.MUTANT:
            return "" if self.check in self.lost else f"survives {self.check}"
        if self.kind is Kind.STARTER:
            kept = len(self.seconds) - len(self.lost)
            return f"has the points of {kept} checks, which ask for nothing" if kept else ""
        return f"loses {', '.join(self.lost)}" if self.lost else ""

    @property
    def elsewhere(self) -> list[str]:
        """Checks that a mutant fails in tasks that are not its own."""
        task = self.check.partition(".")[0]
        return [name for name in self.lost if name.partition(".")[0] != task] if self.kind is Kind.MUTANT else []


def cases_of(course: Course, name: str) -> list[Case]:
    """Starter, solution, alternatives and mutants of an assignment.

    Raises:
        UsageError: a file of theirs that is missing or does not fit.
    """
    assignment = course.assignment(name)
    sources = {task.file: read_solution(course, name, task.file) for task in assignment.task}
    stubs = {task.file: make_stub(sources[task.file], assignment, task).encode() for task in assignment.task}
    solution = {file: text.encode() for file, text in sources.items()}
    cases = [Case(Kind.STARTER, "starter", stubs), Case(Kind.SOLUTION, "solution", solution)]
    for folder in sorted(path for path in (course.root / "tests" / "alternatives" / name).glob("*") if path.is_dir()):
        files = {path.name: path.read_bytes() for path in sorted(folder.glob("*.py"))}
        if missing := [file for file in assignment.files if file not in files]:
            raise UsageError(f"{folder}: expected all task files, found no {', '.join(missing)}.")
        cases.append(Case(Kind.ALTERNATIVE, folder.name, files))
    for mutant in read_mutants(course.root / "tests" / "mutants" / f"{name}.toml", assignment):
        cases.append(Case(Kind.MUTANT, mutant.name, mutant.edited(solution), mutant.check, mutant.why))
    return cases


@dataclass(frozen=True)
class Proof:
    """The verdicts on one assignment's suite, in the order of their cases."""

    assignment: str
    verdicts: Sequence[Verdict]
    new: int
    """How many of them were graded now; the others are remembered."""

    def of(self, kind: Kind) -> list[Verdict]:
        """Verdicts of one kind."""
        return [verdict for verdict in self.verdicts if verdict.kind is kind]

    @property
    def problems(self) -> list[str]:
        """A line for each thing that makes the suite unsound."""
        lines = [f"{v.kind} {v.name}: {v.problem}" for v in self.verdicts if v.problem]
        if self.precision < PRECISE:
            lines.append(f"{self.precision:.1%} of the mutants fail their own task alone, expected {PRECISE:.0%}")
        return lines

    @property
    def imprecise(self) -> list[str]:
        """A line for each mutant that fails checks of other tasks."""
        return [
            f"mutant {v.name} of {v.check}: also fails {', '.join(v.elsewhere)}" for v in self.verdicts if v.elsewhere
        ]

    @property
    def precision(self) -> float:
        """The part of the mutants that fail nothing outside of their own task; 1 where there are none."""
        mutants = self.of(Kind.MUTANT)
        return sum(not verdict.elsewhere for verdict in mutants) / len(mutants) if mutants else 1.0

    @property
    def slowest(self) -> list[tuple[str, float]]:
        """Checks with the seconds that they take on the solution, the most first."""
        seconds = next((verdict.seconds for verdict in self.of(Kind.SOLUTION)), {})
        return sorted(seconds.items(), key=lambda item: -item[1])
