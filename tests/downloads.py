"""Downloads for the tests of intake, as the platforms make them, and a class read back as `grader grade` reads it."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

from typer.testing import CliRunner

from grader.cli import app
from grader.course import Course
from grader.submission import Invalid, Submission, discover, load

ROOT = Path(__file__).parents[1]
ASSIGNMENT = Course(ROOT).assignment("house_prices")
TRAIN, EXPLORE = b"def train():\n    return 1\n", b"def explore():\n    return 2\n"


def folder(root: Path, files: Mapping[str, bytes]) -> Path:
    """Files below a folder."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


def zipped(path: Path, files: Mapping[str, bytes]) -> Path:
    """The same as a zip."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def small_zip(files: Mapping[str, bytes], tmp_path: Path) -> bytes:
    """A student's zip."""
    path = zipped(tmp_path / "student.zip", files)
    content = path.read_bytes()
    path.unlink()
    return content


def intake(*arguments: object) -> tuple[int, str, str]:
    """Exit code, output and errors of `grader intake`."""
    done = CliRunner().invoke(app, ["intake", *map(str, arguments)])
    assert "Traceback" not in done.output
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done.exit_code, done.stdout, done.stderr


def read_class(out: Path) -> dict[str, dict[str, bytes] | str]:
    """What `grader grade` finds in a class folder: files, or why they are none, by student and attempt."""
    found = {}
    for entry in discover(out, ASSIGNMENT):
        name = f"{entry.student}@{entry.time:%Y-%m-%dT%H:%M:%SZ}" if entry.time else entry.student
        one = load(entry, ASSIGNMENT)
        found[name] = dict(one.files) if isinstance(one, Submission) else one.reason
        assert isinstance(one, Submission | Invalid)
        assert one.student == entry.student
    return found
