"""Works into a class folder, each whole or not at all, and the table of who is who beside it."""

import os
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from grader.archive import Intake, quoted
from grader.attempts import dated, stamp
from grader.course import Limits
from grader.errors import InvalidSubmission, UsageError
from grader.exports.files import write
from grader.exports.students import Student, read_students, students_table
from grader.intake.download import Download
from grader.intake.names import entry_name, same
from grader.intake.work import Work

LIMITS = Limits(submission_mb=200, submission_files=5000)
"""Of one work: more than an assignment takes, so that `grader grade` says of what is too large that it is; not without end."""


@dataclass
class Written:
    """What became of a download."""

    entries: list[str] = field(default_factory=list)
    students: dict[str, Student] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    """Works that are no entries, and why, a line each."""
    handed_in: set[str] = field(default_factory=set)
    """Students with an entry of this download."""
    replaced: int = 0
    """Entries of an earlier download, in the place of which there are new ones."""


def students_file(out: Path) -> Path:
    """Where the table of students lies: beside the class folder, whose entries are all students'."""
    return out.parent / f"{out.name}.students.csv"


def write_class(download: Download, works: Sequence[Work], out: Path) -> Written:
    """Write a class folder, or add to one that was written so.

    An entry of an earlier download with the same name is replaced as a whole. Nothing is in `out` before all is read.

    Raises:
        UsageError: `out` holds something else, cannot be written, or has no room for what the download declares.
    """
    out = out.resolve()
    earlier = _earlier(out)
    _require_room(works, out)
    done = Written(students=dict(earlier))
    part = ""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        part = tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}.", suffix=".part")
        for entry, work in _named(works, out, done.refused):
            _write_entry(download, work, Path(part) / entry, done)
        out.mkdir(exist_ok=True)
        for entry in done.entries:
            _put(Path(part), entry, out, done)
    except OSError as error:
        raise UsageError(f"expected a folder to write the class to, cannot use {out}: {error.strerror}.") from None
    finally:
        if part:
            shutil.rmtree(part, ignore_errors=True)
    if done.entries:
        write(students_file(out), students_table(done.students))
    return done


def _earlier(out: Path) -> dict[str, Student]:
    """The students of an earlier download, if there was one."""
    table = students_file(out)
    if out.is_dir() and any(out.iterdir()) and not table.is_file():
        raise UsageError(
            f"expected --out to be new, empty, or of an earlier intake, found other things in {out}: name another folder."
        )
    if out.exists() and not out.is_dir():
        raise UsageError(f"expected --out to name a folder, found a file, {out}.")
    return read_students(table) if table.is_file() else {}


def _require_room(works: Sequence[Work], out: Path) -> None:
    """What a download declares must fit on the disk: a small zip can declare very much."""
    wanted = sum(item.size for work in works for item in work.files.values())
    there = next(folder for folder in out.parents if folder.is_dir())
    free = shutil.disk_usage(there).free
    if wanted > free:
        raise UsageError(f"expected a download of at most {free:,} bytes, which are free in {there}, found {wanted:,}.")


def _named(works: Sequence[Work], out: Path, refused: list[str]) -> list[tuple[str, Work]]:
    """Each work with the name of its entry; those that `grader grade` could not tell apart are refused."""
    by_student = defaultdict(list)
    for work in works:
        by_student[same(entry_name(work.who.student))].append(work)
    timed, untimed = _there(out)
    named = []
    for name, those in by_student.items():
        stamps = [stamp(work.time) if work.time else "" for work in those]
        if problem := _not_apart(those, stamps) or _unlike(name, stamps, timed, untimed):
            refused.append(problem)
            continue
        for text, work in zip(stamps, those, strict=True):
            student = entry_name(work.who.student)
            named.append(
                (f"{student}@{text}" if text else student, replace(work, who=replace(work.who, student=student)))
            )
    return named


def _not_apart(works: Sequence[Work], stamps: Sequence[str]) -> str:
    """Why works under one name are not one student's attempts; mostly nothing."""
    where = " and ".join(quoted(work.source) for work in works)
    names = sorted({work.who.student for work in works})
    if len(names) > 1:
        return f"{' and '.join(map(quoted, names))} are one name to the grader ({where}): rename one in the download"
    if len(works) > 1 and ("" in stamps or len(set(stamps)) < len(stamps)):
        return f"{quoted(names[0])} has {len(works)} works that no time tells apart, {where}: keep one of them in the download"
    return ""


def _there(out: Path) -> tuple[set[str], set[str]]:
    """Students who have entries with a time there already, and those who have one without."""
    timed: set[str] = set()
    untimed: set[str] = set()
    for path in out.iterdir() if out.is_dir() else ():
        told = None
        with suppress(ValueError):  # not of ours
            told = dated(path.name)
        (timed if told else untimed).add(same(told[0] if told else path.name))
    return timed, untimed


def _unlike(name: str, stamps: Sequence[str], timed: set[str], untimed: set[str]) -> str:
    """Why a work does not go with what is there of the student: attempts have a time, all or none."""
    if (any(stamps) and name in untimed) or (not all(stamps) and name in timed):
        return f"{quoted(name)} has an entry of an earlier download, and one of both has no time: remove or rename that"
    return ""


def _write_entry(download: Download, work: Work, folder: Path, done: Written) -> None:
    """Copy a work's files; all of them, or the work is refused."""
    intake = Intake(LIMITS)
    try:
        for path, item in work.files.items():
            intake.reserve(path, item.size)
        folder.mkdir()
        for path, item in work.files.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(download.read(item))
    except InvalidSubmission as error:
        done.refused.append(f"{work.who.student} ({quoted(work.source)}): {str(error).rstrip('.')}")
        shutil.rmtree(folder, ignore_errors=True)
        return
    done.entries.append(folder.name)
    done.handed_in.add(work.who.student)
    done.students[work.who.student] = work.who


def _put(part: Path, entry: str, out: Path, done: Written) -> None:
    """Let an entry be one of the class, in the place of the one that has its name."""
    target = out / entry
    if target.exists():
        os.replace(target, part / f".{entry}.before")
        done.replaced += 1
    os.replace(part / entry, target)
