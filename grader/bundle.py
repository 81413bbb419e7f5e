"""What students receive: one folder, and the same as a zip, that works by itself.

It holds the chosen assignments with their data, the grader's package (it is what runs the self-checks), and a project file
with what these need. The same course gives the same bytes.
"""

import os
import tempfile
import tomllib
import zipfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import grader
from grader.bundle_texts import declaration, project_file, read_me
from grader.course import Assignment, Course
from grader.errors import UsageError
from grader.leaks import Leak, find_leaks
from grader.release import sync
from grader.scaffold import TEMPLATE
from grader.stubs import GIVEN

LARGEST_MB = 100
"""A fixture beyond this is a mistake: the real data set that lies where the small one should."""

_EARLIEST = (1980, 1, 1, 0, 0, 0)
"""The only date that a zip can always hold."""


@dataclass(frozen=True)
class Bundle:
    """A bundle in memory: its name, and the content of each file by its path."""

    name: str
    files: Mapping[str, bytes]

    def leaks(self, course: Course) -> list[Leak]:
        """What is hidden in the course and would be released."""
        return find_leaks(self.files, course)

    def write(self, out: Path) -> list[Path]:
        """Write the folder and the zip into `out`, whole or not at all: aside first, then renamed.

        Raises:
            UsageError: one of them is there already, or cannot be written.
        """
        folder, archive = out / self.name, out / f"{self.name}.zip"
        for path in (folder, archive):
            if path.exists():
                raise UsageError(f"{path}: there already; remove it, or name another folder with --out.")
        try:
            out.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=out, prefix=f".{self.name}.") as scratch:
                aside = Path(scratch)
                self._write_folder(aside / "folder")
                self._write_zip(aside / "zip")
                os.replace(aside / "folder", folder)
                os.replace(aside / "zip", archive)
        except OSError as error:
            raise UsageError(f"{out}: expected to write the bundle there, cannot: {error.strerror}.") from None
        return [folder, archive]

    def _write_folder(self, folder: Path) -> None:
        for name, content in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    def _write_zip(self, path: Path) -> None:
        write_zip(path, {f"{self.name}/{name}": content for name, content in self.files.items()})


def write_zip(path: Path, files: Mapping[str, bytes], programs: Collection[str] = ()) -> None:
    """Write a zip whose bytes depend on the files alone; `programs` are the names of those that can be run.

    Stored, not compressed: what a compressor makes of it differs from one zlib to the next.
    """
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            mode = 0o100755 if name in programs else 0o100644  # a file that its owner may change, of Unix
            entry = zipfile.ZipInfo(name, _EARLIEST)
            entry.create_system, entry.external_attr = 3, mode << 16
            archive.writestr(entry, files[name])


def make_bundle(course: Course, names: Sequence[str] = ()) -> Bundle:
    """What students of these assignments receive (default: of all).

    Raises:
        UsageError: an unknown assignment, a stub that is out of step with its solution, a missing file, or a course without a
            `pyproject.toml` that names it and what it needs.
    """
    assignments = [course.assignment(name) for name in sorted(set(names or course.names))]
    project = declared_project(course)
    files = {
        "README.md": read_me(project["project"], assignments, course.term.title).encode(),
        "pyproject.toml": project_file(project, assignments).encode(),
        **package(),
    }
    for assignment in assignments:
        files |= {f"assignments/{assignment.name}/{name}": data for name, data in handout(course, assignment).items()}
    return Bundle(project["project"]["name"], dict(sorted(files.items())))


def declared_project(course: Course) -> dict[str, Any]:
    """The course's `pyproject.toml`.

    Raises:
        UsageError: there is none that names the course and what it needs.
    """
    path = course.root / "pyproject.toml"
    try:
        project = tomllib.loads(path.read_text("utf-8"))
        name, needed = project["project"]["name"], project["project"]["dependencies"]
    except (OSError, ValueError, KeyError):
        raise UsageError(f"{path}: expected the course's project with name and dependencies, found none.") from None
    if not (isinstance(name, str) and isinstance(needed, list) and PurePosixPath(name).name == name):
        raise UsageError(f"{path}: expected a plain name and a list of dependencies, found {name!r}.")
    return project


def package() -> dict[str, bytes]:
    """The grader itself, as it runs; without what authors begin a project with."""
    root = Path(grader.__file__).parent
    return {
        f"grader/{path.relative_to(root).as_posix()}": path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and not {"__pycache__", TEMPLATE.name} & set(path.parts) and not path.name.startswith(".")
    }


def handout(course: Course, assignment: Assignment) -> dict[str, bytes]:
    """What students receive of one assignment, its data too, by the paths in its folder.

    Raises:
        UsageError: a stub that is out of step with its solution, a missing file, or too much data.
    """
    folder = course.handout(assignment.name)
    if changes := sync(course, assignment.name, check=True):
        raise UsageError(
            f"{changes[0].path}: not in step with solutions/; run `grader sync`, and look at what changed."
        )
    needed = ["README.md", "assignment.toml", GIVEN, f"{assignment.name}.ipynb", *assignment.files]
    optional = [folder / "conftest.py", *sorted(folder.glob("test_public_*.py"))]
    files = {name: content_of(folder / name) for name in needed}
    files |= {path.name: content_of(path) for path in optional if path.is_file()}
    files["assignment.toml"] = declaration(files["assignment.toml"].decode(), assignment).encode()
    return files | _data(course, assignment)


def _data(course: Course, assignment: Assignment) -> dict[str, bytes]:
    fixtures, files = course.fixtures(assignment.name), {}
    for entry in assignment.data:
        place = fixtures / entry
        found = [path for path in sorted(place.rglob("*")) if path.is_file()] if place.is_dir() else [place]
        for path in found:
            files[f"data/{path.relative_to(fixtures).as_posix()}"] = content_of(path)
    size = sum(map(len, files.values())) / 1e6
    if size > LARGEST_MB:
        raise UsageError(f"{fixtures}: expected at most {LARGEST_MB} MB of data to release, found {size:.0f} MB.")
    return files


def content_of(path: Path, to: str = "release") -> bytes:
    """A file's bytes.

    Raises:
        UsageError: it cannot be read; what it was `to` be used for is said.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: expected a file to {to}, cannot read it: {error.strerror}.") from None
