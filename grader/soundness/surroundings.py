"""What marks depend on besides the submission: rubric, hidden suite, fixtures, the rooms that mark, and the libraries."""

import hashlib
import platform
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path

import grader
from grader.course import Assignment, Course

MARKING = (
    "course.py",
    "errors.py",
    "executor.py",
    "grading.py",
    "host.py",
    "results.py",
    "sandbox",
    "suite",
    "watch.py",
)
"""The rooms of the grader that have a say in marks."""
OTHER_TASK = re.compile(r"""task\s*=\s*["'](\w+)["']""")


@dataclass(frozen=True)
class Surroundings:
    """Digests of what all checks depend on, and of the files that only some do."""

    common: str
    files: Mapping[str, tuple[frozenset[str], str]]
    """File of checks -> the tasks whose checks it may hold, and its digest."""

    @classmethod
    def of(cls, course: Course, assignment: Assignment) -> "Surroundings":
        """Those of an assignment's marks, as they are on disk."""
        suite, package = course.suite(assignment.name), Path(grader.__file__).parent
        of_tasks = set(suite.glob("test_*.py"))
        shared = [course.handout(assignment.name) / "assignment.toml", *course.fixtures(assignment.name).rglob("*")]
        shared += [path for path in suite.rglob("*") if path not in of_tasks]
        shared = [path for path in shared if path.suffix != ".md"]  # what is written for people marks nothing
        shared += [path for room in MARKING for path in (package / room, *(package / room).rglob("*.py"))]
        libraries = sorted(f"{one.name} {one.version}" for one in distributions())
        told = [platform.python_version(), platform.machine(), *libraries, _digest(shared)]
        names = [task.name for task in assignment.task]
        files = {path.name: (_tasks_of(path, names), _digest([path])) for path in sorted(of_tasks)}
        return cls(hashlib.sha256("\0".join(told).encode()).hexdigest(), files)

    def digest(self, checks: Sequence[str]) -> str:
        """The digest for these checks; for all when there are none."""
        tasks = {check.partition(".")[0] for check in checks}
        return " ".join([self.common, *(digest for of, digest in self.files.values() if not checks or of & tasks)])


def _tasks_of(path: Path, names: Sequence[str]) -> frozenset[str]:
    """Tasks that a file of checks may belong to: those that its name begins with, and those that are named in it."""
    stem = path.stem.removeprefix("test_")
    own = {name for name in names if f"{stem}_".startswith(f"{name}_")} | set(
        OTHER_TASK.findall(path.read_text("utf-8"))
    )
    return frozenset(own or names)


def _digest(paths: Iterable[Path]) -> str:
    told = hashlib.sha256()
    for path in sorted(path for path in paths if path.is_file() and "__pycache__" not in path.parts):
        told.update(f"\0{path.name}\0".encode() + path.read_bytes())
    return told.hexdigest()
