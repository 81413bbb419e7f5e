"""The entries of a class folder, told apart: whose each is, which attempt, and when it was handed in.

`<student>@2026-04-30T18-02-11Z` is an attempt at that time, whatever kind of entry it is; another zone is written `+0200`.
Beside these, times are taken from a table (`student,attempt,time`, where `<student>@<attempt>` is the entry, or `<student>`
if the attempt is empty), or from the newest file of an entry, when that is asked for: copies and downloads change it.
"""

import csv
import os
import stat
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from grader.archive import JUNK_FILES, JUNK_FOLDERS, quoted
from grader.attempts import dated, moment, stamp
from grader.errors import UsageError

COLUMNS = ("student", "attempt", "time")


@dataclass(frozen=True)
class Entry:
    """A student's place in a class folder, or one of several; `problem` says why it cannot be read, before it is opened."""

    student: str
    path: Path
    problem: str = ""
    attempt: str = ""
    """What tells it from the student's other attempts; empty where nothing is known about when it was handed in."""
    time: datetime | None = None
    """In UTC."""


@dataclass(frozen=True)
class Row:
    """A line of a table of times."""

    student: str
    attempt: str
    time: datetime


@dataclass(frozen=True)
class Times:
    """Where the times of entries come from that do not tell them in their names."""

    rows: Mapping[str, Row] = field(default_factory=dict)
    """By the entry's name without its suffix."""
    newest_file: bool = False
    """Of entries that nothing else tells about."""

    @classmethod
    def read(cls, where: str) -> "Times":
        """Those of `--times`: nothing, `mtime`, or the path of a table.

        Raises:
            UsageError: it cannot be read as one.
        """
        if where in ("", "mtime"):
            return cls(newest_file=where == "mtime")
        return cls(_read_table(Path(where)))

    def told_apart(self, entries: Iterable[Entry], assignment: str) -> list[Entry]:
        """One entry for each attempt at an assignment, by student and then by time.

        Who has entries that no time puts in order has one, with that as its problem.

        Raises:
            UsageError: an entry's name has a time without a zone, or one that is none.
        """
        by_student = defaultdict(list)
        for entry in map(self._named, entries):
            by_student[same_student(entry.student)].append(entry)
        told = [entry for _, group in sorted(by_student.items()) for entry in _in_order(group)]
        return [self._looked_at(entry, assignment) for entry in told] if self.newest_file else told

    def _named(self, entry: Entry) -> Entry:
        """An entry with what its name or the table tells."""
        row = self.rows.get(entry.student)
        if row:
            return replace(entry, student=row.student, attempt=row.attempt or stamp(row.time), time=row.time)
        try:
            told = dated(entry.student)
        except ValueError as error:
            if entry.problem:  # a file of a wrong kind: its name need not be one
                return entry
            raise UsageError(f"{error}; rename {entry.path.name}.") from None
        if not told:
            return entry
        student, attempt, time = told
        return replace(entry, student=student, attempt=attempt, time=time)

    def _looked_at(self, entry: Entry, assignment: str) -> Entry:
        """A student's only entry with the time of its newest file, if nothing else has told one."""
        if entry.time or entry.problem:
            return entry
        time = _newest(entry.path, assignment)
        return replace(entry, attempt=stamp(time), time=time)

    def unused(self, entries: Iterable[Entry]) -> list[str]:
        """Names of entries that the table has and the folder has not."""
        there = {(entry.student, entry.attempt) for entry in entries}
        rows = self.rows.items()
        return [name for name, row in rows if (row.student, row.attempt or stamp(row.time)) not in there]


def _in_order(entries: list[Entry]) -> list[Entry]:
    """The entries of one student by their times, or one with the reason why there is no order."""
    if len(entries) == 1:
        return entries
    attempts = {entry.attempt for entry in entries}
    if "" not in attempts and len(attempts) == len(entries) and len({entry.student for entry in entries}) == 1:
        return sorted(entries, key=lambda entry: (entry.time, entry.attempt))
    names = " and ".join(quoted(entry.path.name) for entry in entries)
    problem = f"expected one entry for a student, found {len(entries)}: {names}; keep one, or put both into one folder."
    if attempts != {""}:
        problem = (
            f"expected the attempts of a student under one name and with a time each, found {names}: name them as "
            f"{quoted(f'{entries[0].student}@2026-04-30T18-02-11Z')}, or tell all times in a table (--times)."
        )
    return [Entry(entries[0].student, entries[0].path, problem)]


def same_student(student: str) -> str:
    """What two spellings of one student's name have in common, and by which students are sorted."""
    return unicodedata.normalize("NFC", " ".join(student.casefold().split()))


def _newest(path: Path, assignment: str) -> datetime:
    """The modification time of an entry, or of the newest file in it, in whole seconds: copies often keep no parts."""
    about = path.lstat()
    times = []
    if stat.S_ISDIR(about.st_mode):
        own = path / assignment  # as in nbgrader's `submitted/`
        for folder, folders, names in os.walk(own if own.is_dir() else path):
            folders[:] = set(folders) - JUNK_FOLDERS
            times += [os.lstat(os.path.join(folder, name)).st_mtime for name in set(names) - JUNK_FILES]
    return datetime.fromtimestamp(int(max(times, default=about.st_mtime)), UTC)


def _read_table(path: Path) -> dict[str, Row]:
    """Rows of a CSV file by the name of their entry."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.DictReader(file)
            missing = [name for name in COLUMNS if name not in (lines.fieldnames or ())]
            if missing:
                raise UsageError(
                    f"{path}: expected a table with the columns {','.join(COLUMNS)}, found {lines.fieldnames or 'nothing'}."
                )
            rows: dict[str, Row] = {}
            for line in lines:
                row = _row(line, f"{path}, line {lines.line_num}")
                name = f"{row.student}@{row.attempt}" if row.attempt else row.student
                if name in rows:
                    raise UsageError(f"{path}, line {lines.line_num}: expected one time for {name!r}, found another.")
                rows[name] = row
            return rows
    except FileNotFoundError:
        raise UsageError(f"expected --times to be mtime or a table of times, found nothing at {path}.") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"expected a table of times in UTF-8, cannot read {path}: {error}.") from None


def _row(line: Mapping[str, str | None], where: str) -> Row:
    values = [unicodedata.normalize("NFC", (line[name] or "").strip()) for name in COLUMNS]
    student, attempt, time = values
    if not student:
        raise UsageError(f"{where}: expected a student, found none.")
    try:
        return Row(student, attempt, moment(time))
    except ValueError as error:
        raise UsageError(f"{where}: {error}.") from None
