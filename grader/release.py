"""From solutions to what students receive: stubs, main.py and the notebook in the assignment's folder."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from grader.aside import write_aside
from grader.course import Course
from grader.errors import UsageError
from grader.notebook_source import as_text, student_notebook
from grader.stubs import GIVEN, make_stub, read_given, read_solution


class Action(StrEnum):
    """What a file that students receive needs, to be in step with the solutions."""

    CREATE = "create"
    UPDATE = "update"


@dataclass(frozen=True)
class Change:
    """One file that is, or was, out of step."""

    path: Path
    action: Action

    def __str__(self) -> str:
        return f"{self.action} {self.path}"


def sync(course: Course, name: str, *, check: bool) -> list[Change]:
    """Bring what students receive in step with the solutions: stubs, main.py, notebook; with `check`, only say what is not.

    All files are made before the first is written, and each is written aside and renamed.

    Raises:
        UsageError: a solution that is missing or has no sound stub, or a place that cannot be written.
    """
    assignment = course.assignment(name)
    wanted = {
        task.file: make_stub(read_solution(course, name, task.file), assignment, task) for task in assignment.task
    }
    wanted |= {GIVEN: read_given(course, name), f"{name}.ipynb": as_text(student_notebook(course, name))}
    changes = []
    for file, text in wanted.items():
        path, content = course.handout(name) / file, text.encode()
        if not path.is_file():
            changes.append(Change(path, Action.CREATE))
        elif path.read_bytes() != content:
            changes.append(Change(path, Action.UPDATE))
        else:
            continue
        if not check:
            _write(path, content)
    return changes


def _write(path: Path, content: bytes) -> None:
    try:
        write_aside(path, content)
    except OSError as error:
        raise UsageError(f"{path}: expected to write it, cannot: {error.strerror}.") from None
