"""A class folder as documents to compare: what each student handed in, as numbers, and what could not be read of it."""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from grader.course import Assignment, Course
from grader.entries import Entry
from grader.errors import GraderFault, UsageError
from grader.similarity.prints import Prints
from grader.similarity.reader import Reader
from grader.stubs import GIVEN
from grader.submission import Invalid, load


@dataclass(frozen=True, eq=False)
class Document:
    """One entry of a class folder, read."""

    entry: Entry
    prints: Prints


@dataclass(frozen=True)
class Class:
    """What a folder holds: documents, and a line for whatever could not be read or compared."""

    documents: Sequence[Document]
    notes: Sequence[str]
    given: Prints
    """What students received."""


@dataclass
class Readers:
    """A reader for each thread that asks."""

    _own: threading.local = field(default_factory=threading.local)
    _all: list[Reader] = field(default_factory=list)

    def read(self, files: Mapping[str, bytes]) -> tuple[Prints, list[str]]:
        """The Python among some files as numbers, and what could not be read, each with its file's name.

        Raises:
            GraderFault: no process can be started to read them.
        """
        if not hasattr(self._own, "reader"):
            self._own.reader = Reader()
            self._all.append(self._own.reader)
        streams = self._own.reader.read({name: text for name, text in files.items() if name.endswith(".py")})
        return Prints.of(streams), [f"{name}: {read.problem}" for name, read in sorted(streams.items()) if read.problem]

    def close(self) -> None:
        """End their processes."""
        for reader in self._all:
            reader.close()


def read_class(
    entries: Sequence[Entry],
    course: Course,
    assignment: Assignment,
    *,
    jobs: int,
    on_read: Callable[[], None] = lambda: None,
) -> Class:
    """Read all entries, some at the same time; `on_read` is told of each.

    Raises:
        UsageError: what students receive of the assignment cannot be read.
        GraderFault: no process can be started to read submissions.
    """
    readers = Readers()
    pool = ThreadPoolExecutor(jobs, thread_name_prefix="reader")
    try:
        given, _ = readers.read(handed_out(course, assignment))
        documents, notes = [], []
        for document, told in pool.map(lambda entry: _document(entry, assignment, readers), entries):
            documents += [document] if document else []
            notes += told
            on_read()
        return Class(documents, notes, given)
    finally:
        pool.shutdown(cancel_futures=True)
        readers.close()


def handed_out(course: Course, assignment: Assignment) -> dict[str, bytes]:
    """The Python that students receive: stubs, `main.py`, self-checks.

    Raises:
        UsageError: it cannot be read.
    """
    folder = course.handout(assignment.name)
    try:
        return {path.name: path.read_bytes() for path in _python(folder)}
    except OSError as error:
        raise UsageError(f"{folder}: expected the files that students receive: {error.strerror}.") from None


def _python(folder: Path) -> Iterable[Path]:
    return sorted(path for path in folder.glob("*.py") if path.is_file())


def sources(entry: Entry, assignment: Assignment) -> dict[str, bytes]:
    """The Python files of an entry that could be read before; none where they cannot any more."""
    try:
        found = load(entry, assignment)
    except GraderFault:
        return {}
    return {} if isinstance(found, Invalid) else _written(found.files)


def _document(entry: Entry, assignment: Assignment, readers: Readers) -> tuple[Document | None, list[str]]:
    who = name_of(entry)
    try:
        found = load(entry, assignment)
    except GraderFault as fault:
        return None, [f"{who}: not compared: {fault}"]
    if isinstance(found, Invalid):
        return None, [f"{who}: not compared: {found.reason}"]
    prints, problems = readers.read(_written(found.files))
    return Document(entry, prints), [f"{who}: {problem}" for problem in problems]


def _written(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The Python that a student may have written: not what is given whole, or part of self-checks."""
    return {
        name: text
        for name, text in files.items()
        if name.endswith(".py") and name != GIVEN and not name.rpartition("/")[2].startswith("test_public_")
    }


def name_of(entry: Entry) -> str:
    """The student, and which attempt where there are many."""
    return f"{entry.student}@{entry.attempt}" if entry.attempt else entry.student


def by_student(documents: Sequence[Document]) -> Iterator[tuple[str, list[int]]]:
    """Students, and the places of their documents."""
    places: dict[str, list[int]] = {}
    for place, document in enumerate(documents):
        places.setdefault(document.entry.student, []).append(place)
    yield from places.items()
