"""Gradescope's autograder: one zip with the grader and, of the course, one assignment with its hidden suite.

Gradescope unpacks it at `/autograder/source`, runs `setup.sh` once, when it builds the image, and `run_autograder` for each
submission. The same course gives the same bytes.

Source: https://gradescope-autograders.readthedocs.io/en/latest/specs/
"""

import math
import os
import shlex
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from grader.bundle import LARGEST_MB, content_of, declared_project, package, write_zip
from grader.bundle_texts import declaration, project_file
from grader.course import Assignment, Course
from grader.errors import UsageError
from grader.exports.gradescope import as_shown
from grader.sandbox.canary import PREFIX

PYTHON = "3.12"
"""Of the image; not that of its system, which may be too old."""
PROGRAMS = ("setup.sh", "run_autograder")
START_SECONDS, WARM_MB = 300, 2048
"""What grading needs besides the submission: time to import everything on half a core, memory of two warm processes."""

_SETUP = f"""\
#!/usr/bin/env bash
# Gradescope runs this once, as root, when it builds the image: Python, what the assignment needs, and the grader.
set -euo pipefail

source="${{AUTOGRADER_ROOT:-/autograder}}/source"
export UV_PYTHON_INSTALL_DIR=/opt/python DEBIAN_FRONTEND=noninteractive

apt-get update -q
apt-get install -y -q --no-install-recommends curl ca-certificates
curl -LsSf https://astral.sh/uv/install.sh | env UV_INSTALL_DIR=/usr/local/bin UV_NO_MODIFY_PATH=1 sh

uv venv --python {PYTHON} /opt/autograder
uv pip install --python /opt/autograder --torch-backend cpu --compile-bytecode -r "$source/requirements.txt"
uv pip install --python /opt/autograder --no-deps "$source/course"

# The hidden suite is root's alone. The sandbox keeps it from students' code, too; two walls are better than one.
chmod -R go= "$source"

# What this image offers to confine students' code with stands in Gradescope's log of the build.
/opt/autograder/bin/grader doctor || true
"""
_RUN = """\
#!/usr/bin/env bash
# Gradescope runs this for each submission: it grades what lies in submission/ and writes results/results.json.
# Without that file, or with another exit code than 0, the grader itself has failed: run the autograder again.
set -euo pipefail

root="${AUTOGRADER_ROOT:-/autograder}"
python="${AUTOGRADER_PYTHON:-/opt/autograder/bin/python}"
cd "$root"
exec "$python" -m grader.autograder "$root" %s
"""
_README = """\
# Autograder of {title}

For Gradescope alone: it holds the hidden suite. `docs/gradescope.md` of the course says how it is used.
"""


@dataclass(frozen=True)
class Package:
    """An autograder in memory: the content of each file by its path."""

    files: Mapping[str, bytes]
    minutes: int
    """Least time limit to be set in Gradescope, so that it is the assignment's own limits that end a submission."""
    memory_mb: int
    """Least memory of the container."""
    visibility: str
    """From when students see checks, as Gradescope calls it."""
    hints: bool
    """Whether they see what a check says when it does not pass."""

    def write(self, path: Path) -> Path:
        """Write the zip, whole or not at all: aside first, then renamed.

        Raises:
            UsageError: there is something already, or it cannot be written.
        """
        if path.exists():
            raise UsageError(f"{path}: there already; remove it, or name another file with --out.")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as scratch:
                write_zip(Path(scratch, "zip"), self.files, PROGRAMS)
                os.replace(Path(scratch, "zip"), path)
        except OSError as error:
            raise UsageError(f"{path}: expected to write the autograder there, cannot: {error.strerror}.") from None
        return path


def pack(course: Course, name: str, *, visibility: str = "", trust_submissions: bool = False) -> Package:
    """The autograder of one assignment.

    Args:
        course: it is taken from.
        name: of the assignment.
        visibility: of each check's title, points, outcome and hint to students, as Gradescope calls it; by default what
            `[shown]` in `course.toml` comes to there.
        trust_submissions: where the container allows no sandbox at all, grade without one, instead of refusing to.

    Raises:
        UsageError: an unknown assignment or visibility, no hidden suite, too large a fixture, or a course without a
            `pyproject.toml` that names it and what it needs.
    """
    assignment, term = course.assignment(name), course.term
    when, hints = as_shown(term.shown_of(name), visibility)
    options = [name, "--visibility", when]
    options += [] if hints else ["--no-hints"]
    options += [] if term.seed is None else ["--seed", str(term.seed)]
    options += ["--trust-submissions"] if trust_submissions else []
    project = declared_project(course)
    declared = declaration((course.handout(name) / "assignment.toml").read_text("utf-8"), assignment)
    inside = {
        "README.md": _README.format(title=assignment.title).encode(),
        "pyproject.toml": project_file(project, [assignment]).encode(),
        f"assignments/{name}/assignment.toml": declared.encode(),
        **package(),
        **_hidden(course, assignment),
    }
    needed = _needed(inside["pyproject.toml"])
    files = {
        "setup.sh": _SETUP.encode(),
        "run_autograder": (_RUN % shlex.join(options)).encode(),
        "requirements.txt": "".join(f"{line}\n" for line in needed).encode(),
        **{f"course/{path}": content for path, content in inside.items()},
    }
    limits = assignment.limits
    minutes = math.ceil((START_SECONDS + limits.submission_seconds * limits.wall_slack) / 60)
    return Package(dict(sorted(files.items())), minutes, limits.memory_mb + WARM_MB, when, hints)


def _needed(project: bytes) -> list[str]:
    """Requirements of the package's project: the course's, without what only a gradebook needs."""
    return tomllib.loads(project.decode())["project"]["dependencies"]


def _hidden(course: Course, assignment: Assignment) -> dict[str, bytes]:
    """The hidden suite and the fixture, by their paths in the course.

    Raises:
        UsageError: there is no suite, something cannot be read, or there is too much.
    """
    suite, fixture = course.suite(assignment.name), course.fixtures(assignment.name)
    if not any(suite.glob("test_*.py")):
        raise UsageError(
            f"{suite}: expected the hidden suite, found no test_<task>.py; there is nothing to grade with."
        )
    files = {}
    for folder in (suite, fixture):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(PREFIX):
                files[path.relative_to(course.root).as_posix()] = content_of(path, "pack")
    size = sum(map(len, files.values())) / 1e6
    if size > LARGEST_MB:
        raise UsageError(f"{fixture}: expected at most {LARGEST_MB} MB for an autograder, found {size:.0f} MB.")
    return files
