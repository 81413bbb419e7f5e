"""A student's folder: the assignment that it holds, and the files that checks depend on."""

import os
from contextlib import suppress
from pathlib import Path

from grader.course import Assignment, read_assignment
from grader.errors import UsageError

DECLARATION = "assignment.toml"
SELF_CHECKS = "test_public_*.py"
LOOKED_AT = (".py", ".toml")
PASSED_OVER = {"figures", "results", "outputs", "data"}


def assignment_in(folder: Path) -> Assignment:
    """The assignment whose handout `folder` is.

    Raises:
        UsageError: there is no `assignment.toml` with self-checks beside it.
    """
    found = [(folder / DECLARATION).is_file(), any(folder.glob(SELF_CHECKS))]
    if not all(found):
        raise UsageError(
            f"expected an assignment's folder with {DECLARATION} and {SELF_CHECKS} in it, found neither or only one of them "
            f"in {folder}: go to the folder that you were given, or name it."
        )
    return read_assignment(folder / DECLARATION)


def read_files(folder: Path) -> dict[str, bytes]:
    """Contents of the folder's Python files, its own and those of its packages, and of `assignment.toml`."""
    files = {}
    for where, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if _is_own(Path(where, name))]
        for name in names:
            if name.endswith(LOOKED_AT) and not name.startswith("."):
                path = Path(where, name)
                with suppress(OSError):  # it went in between
                    files[path.relative_to(folder).as_posix()] = path.read_bytes()
    return files


def _is_own(folder: Path) -> bool:
    hidden = folder.name.startswith((".", "__"))
    return not hidden and folder.name not in PASSED_OVER and not (folder / "pyvenv.cfg").exists()
