"""A course on disk: its assignments, and what each `assignment.toml` declares, and `course.toml` for a term.

Points, thresholds and limits are declared there and nowhere else; the rubric read from it is the order and the maximum
of every result, whatever the suite or the submission does.
"""

import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import msgspec

from grader.attempts import Deadline
from grader.declared import checked, one_of
from grader.errors import UsageError
from grader.settings import NAME as SETTINGS
from grader.settings import Term, read_term, thresholds_of


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a submission may use. CPU time counts first; wall time has slack, so that a loaded machine fails nobody."""

    check_seconds: float = 10
    """CPU seconds of the student's processes during one check."""
    submission_seconds: float = 120
    """CPU seconds of the student's processes during the whole submission."""
    wall_slack: float = 4
    """Wall seconds allowed for each CPU second."""
    memory_mb: int = 2048
    """Memory of all of the student's processes together, beyond the warm interpreter."""
    scratch_mb: int = 256
    """Files in the worker's scratch."""
    processes: int = 64
    submission_mb: int = 50
    """Size of the submission, unpacked."""
    submission_files: int = 500


class Task(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One task: a file to hand in, and the checks that mark it with their points, in rubric order."""

    number: int
    name: str
    """The task's name; its file is `<name>.py`, its hidden suite `test_<name>.py` or `test_<name>_<idea>.py`."""
    title: str
    checks: dict[str, float]
    bonus: bool = False

    @property
    def file(self) -> str:
        return f"{self.name}.py"

    @property
    def label(self) -> str:
        """What students read: `Task 3`, or `Bonus`."""
        return "Bonus" if self.bonus else f"Task {self.number}"

    @property
    def points(self) -> float:
        return sum(self.checks.values())


class Assignment(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What `assignment.toml` declares."""

    name: str
    title: str
    difficulty: str
    task: list[Task]
    libraries: list[str] = []
    """Modules beyond those that every assignment has, to be imported once, before any submission is graded."""
    data: list[str] = []
    """Files and folders of the fixture that students receive, in `data/` beside `main.py`; the others are never released."""
    limits: Limits = Limits()
    thresholds: dict[str, float] = {}
    deadline: Deadline = Deadline()
    """Until when, and which of many attempts counts. It marks nothing."""

    @property
    def points(self) -> float:
        return sum(task.points for task in self.task if not task.bonus)

    @property
    def bonus(self) -> float:
        return sum(task.points for task in self.task if task.bonus)

    @property
    def checks(self) -> list[str]:
        """Names of all checks, `task.check`, in rubric order."""
        return [f"{task.name}.{check}" for task in self.task for check in task.checks]

    @property
    def files(self) -> list[str]:
        return [task.file for task in self.task]

    def task_of(self, name: str) -> Task:
        """The task called `name`.

        Raises:
            UsageError: there is none.
        """
        for task in self.task:
            if task.name == name:
                return task
        raise UsageError(f"{self.name} has no task {name!r}: its tasks are {', '.join(t.name for t in self.task)}.")


@dataclass(frozen=True)
class Course:
    """The folder that holds `assignments/`, `solutions/`, `fixtures/` and `tests/hidden/`."""

    root: Path

    @classmethod
    def find(cls, start: Path) -> "Course":
        """The course that `start` lies in: the nearest folder upwards that holds `assignments/`.

        Raises:
            UsageError: no such folder.
        """
        start = start.resolve()
        for folder in (start, *start.parents):
            if any(folder.glob("assignments/*/assignment.toml")):
                return cls(folder)
        raise UsageError(
            f"expected a course (a folder with assignments/<name>/assignment.toml) at or above {start}, found none; "
            "run the command inside the course, or name it with --course."
        )

    @cached_property
    def names(self) -> list[str]:
        """Names of the assignments, sorted."""
        return sorted(path.parent.name for path in self.root.glob("assignments/*/assignment.toml"))

    @cached_property
    def term(self) -> Term:
        """What `course.toml` says.

        Raises:
            UsageError: it does not fit.
        """
        return read_term(self.root, self.names)

    def assignment(self, name: str) -> Assignment:
        """Read and validate one assignment's declaration, with what `course.toml` says instead.

        Raises:
            UsageError: unknown name, or a file that does not fit, with the nearest name or the faulty place.
        """
        one_of("assignment", name, self.names, where=f" in {self.root / 'assignments'}")
        path = self.handout(name) / "assignment.toml"
        assignment = read_assignment(path)
        _require(path, assignment.name == name, f"name must be the folder's, {name!r}")
        thresholds = thresholds_of(self.term.of(name), assignment.thresholds, f"{SETTINGS}, assignments.{name}")
        deadline = self.term.deadline(name, assignment.deadline)
        return msgspec.structs.replace(assignment, thresholds=thresholds, deadline=deadline)

    def handout(self, name: str) -> Path:
        """What students receive."""
        return self.root / "assignments" / name

    def solution(self, name: str) -> Path:
        return self.root / "solutions" / name

    def fixtures(self, name: str) -> Path:
        return self.root / "fixtures" / name

    def suite(self, name: str) -> Path:
        return self.root / "tests" / "hidden" / name


def read_assignment(path: Path) -> Assignment:
    """Read one `assignment.toml`.

    Raises:
        UsageError: not TOML, an unknown or missing key (with the nearest known one), or an impossible value.
    """
    try:
        told = tomllib.loads(path.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: expected TOML, found a mistake: {error}.") from None
    assignment = checked(told, Assignment, str(path), [Task, Limits, Deadline])
    _require(path, bool(assignment.task), "at least one [[task]] is needed")
    names = [task.name for task in assignment.task]
    _require(path, len(set(names)) == len(names), "two tasks have the same name")
    limits = assignment.limits
    room = f"limits.submission_mb ({limits.submission_mb}) must leave room in limits.scratch_mb ({limits.scratch_mb})"
    _require(path, limits.submission_mb < limits.scratch_mb, room)
    for entry in assignment.data:
        _require(path, entry not in ("", ".", "..") and "/" not in entry, f"data names {entry!r}, not a file or folder")
    for task in assignment.task:
        _require(path, task.name.isidentifier(), f"task name {task.name!r} must be a Python module's name")
        _require(path, bool(task.checks), f"task {task.name!r} has no checks")
        for check, points in task.checks.items():
            _require(path, points > 0, f"check {task.name}.{check} must have more than 0 points, not {points}")
    return assignment


def _require(path: Path, holds: bool, what: str) -> None:
    if not holds:
        raise UsageError(f"{path}: {what}.")
