"""What marks depend on besides the submission: rubric, hidden suite, fixtures, the rooms that mark, and the libraries."""

import ast
import hashlib
import platform
import re
import sys
import sysconfig
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import distributions
from pathlib import Path

import msgspec

import grader
from grader.attempts import NO_DEADLINE
from grader.course import Assignment, Course
from grader.sandbox.canary import PREFIX

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
ALL = "common"
"""The part that all checks depend on."""
OTHER_TASK = re.compile(r"""task\s*=\s*["'](\w+)["']""")
MOST_TOLD = 3


@dataclass(frozen=True)
class Surroundings:
    """Digests of what all checks depend on, and of the files that only some do; the same wherever the files lie."""

    parts: Mapping[str, str]
    """What all checks depend on, in words -> its version or digest."""
    files: Mapping[str, tuple[frozenset[str], str]]
    """File of checks -> the tasks whose checks it may hold, and its digest."""
    functions: Mapping[str, str]
    """Digests of each check's function (`test_train.py::test_adamw`) and of the rest of its file, by what they say, whatever
    their comments and layout."""

    @classmethod
    def of(cls, course: Course, assignment: Assignment) -> "Surroundings":
        """Those of an assignment's marks, as they are on disk."""
        suite, package = course.suite(assignment.name), Path(grader.__file__).parent
        of_tasks = set(suite.glob("test_*.py"))
        shared = [*course.fixtures(assignment.name).rglob("*")]
        shared += [path for path in suite.rglob("*") if path not in of_tasks]
        shared = [path for path in shared if path.suffix != ".md"]  # what is written for people marks nothing
        marking = [path for room in MARKING for path in (package / room, *(package / room).rglob("*.py"))]
        parts = {
            "Python": platform.python_version(),
            "the processor's kind": platform.machine(),
            **dict(sorted((str(one.name), str(one.version)) for one in distributions(path=_places()))),
            "what marks in grader/": _digest(marking),
            "fixture or what the suite's files share": _digest(shared),
            "rubric or limits": _rubric(assignment),
        }
        names = [task.name for task in assignment.task]
        files = {path.name: (_tasks_of(path, names), _digest([path])) for path in sorted(of_tasks)}
        functions = {part: digest for path in sorted(of_tasks) for part, digest in _functions(path).items()}
        return cls(parts, files, functions)

    @cached_property
    def common(self) -> str:
        """The digest of what all checks depend on."""
        return hashlib.sha256("\0".join(f"{part} {what}" for part, what in self.parts.items()).encode()).hexdigest()

    @property
    def by_check(self) -> dict[str, str]:
        """What a later run needs to know to tell which checks have changed."""
        return {ALL: self.common, **self.functions}

    def changed(self, earlier: Mapping[str, str], checks: Collection[str]) -> list[str]:
        """Those of the checks, in their order, that depend on something that is not as it was (`by_check`), or not known of."""
        files = {part.partition("::")[0] for part in earlier.keys() - {ALL}}
        if earlier.get(ALL) != self.common or not files <= self.files.keys():
            return list(checks)
        both = earlier.keys() | self.functions.keys() - {ALL}
        tasks: set[str] = set()
        names: set[str] = set()
        for part in (part for part in both - {ALL} if earlier.get(part) != self.functions.get(part)):
            file, _, function = part.partition("::")
            if function:
                names |= {f"{task}.{function.removeprefix('test_')}" for task in self.files[file][0]}
            else:
                tasks |= self.files[file][0]
        return [check for check in checks if check in names or check.partition(".")[0] in tasks]

    def unlike(self, other: "Surroundings") -> str:
        """What these differ in from those of `other`, in a few words; nothing where they are alike."""
        told = []
        for part in sorted(self.parts.keys() | other.parts.keys()):
            found, expected = self.parts.get(part, "none"), other.parts.get(part, "none")
            if found != expected:
                told.append(part if " " in part else f"{part} {found} instead of {expected}")
        files = sorted(self.files.keys() | other.files.keys())
        told += [name for name in files if self.files.get(name) != other.files.get(name)]
        more = f" and {len(told) - MOST_TOLD} more" if len(told) > MOST_TOLD else ""
        return ", ".join(told[:MOST_TOLD]) + more

    def digest(self, checks: Sequence[str]) -> str:
        """The digest for these checks; for all when there are none."""
        tasks = {check.partition(".")[0] for check in checks}
        return " ".join([self.common, *(digest for of, digest in self.files.values() if not checks or of & tasks)])


def _places() -> list[str]:
    """Where installed packages are looked for; not what a package has put on the path to find its own copies of others."""
    installed = {sysconfig.get_path(kind) for kind in ("purelib", "platlib")}
    return [place for place in sys.path if not any(place.startswith(f"{folder}/") for folder in installed)]


def _rubric(assignment: Assignment) -> str:
    """What is declared for it, but for the deadline: that it is put off marks nobody anew."""
    return msgspec.json.encode(msgspec.structs.replace(assignment, deadline=NO_DEADLINE)).decode()


def _tasks_of(path: Path, names: Sequence[str]) -> frozenset[str]:
    """Tasks that a file of checks may belong to: those that its name begins with, and those that are named in it."""
    stem = path.stem.removeprefix("test_")
    own = {name for name in names if f"{stem}_".startswith(f"{name}_")} | set(
        OTHER_TASK.findall(path.read_text("utf-8"))
    )
    return frozenset(own or names)


def _functions(path: Path) -> dict[str, str]:
    """Digests of a file's checks and of all else in it."""
    tree = ast.parse(path.read_text("utf-8"))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
    tree.body = [node for node in tree.body if node not in functions]
    told = {path.name: ast.dump(tree)} | {f"{path.name}::{node.name}": ast.dump(node) for node in functions}
    return {part: hashlib.sha256(text.encode()).hexdigest() for part, text in told.items()}


def _digest(paths: Iterable[Path]) -> str:
    """Of names and contents, whichever folders they lie in."""
    counted = (path for path in paths if "__pycache__" not in path.parts and not path.name.startswith(PREFIX))
    files = (path for path in counted if path.is_file())
    told = sorted(f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}" for path in files)
    return hashlib.sha256("\0".join(told).encode()).hexdigest()
