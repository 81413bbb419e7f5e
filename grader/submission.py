"""What was handed in: entries of a class folder, read into memory, or the reason why one cannot be.

An entry is a folder, a zip, a notebook, or a single task file named `<student>__<task>.py` (one underscore will do, and
a plain `<student>.py` where the assignment has a single task). Its name is the student's id, and may be followed by the
time of an attempt (`grader/entries.py`). Nothing of it is executed here, no link is followed, and nothing is dropped
without a word but what operating systems and editors leave behind.
"""

import hashlib
import os
import re
import stat
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from urllib.parse import quote

from grader.archive import JUNK_FILES, JUNK_FOLDERS, MB, Intake, quoted, read_file, read_folder, read_zip
from grader.course import Assignment
from grader.entries import Entry, Times
from grader.errors import GraderFault, InvalidSubmission, UsageError
from grader.notebook import odd_cells, read_notebook, with_notebook

_NO_ENTRY = re.compile(r"\..*|expected\.json|readme(\.\w+)?", re.IGNORECASE)
_LONGEST_FILE_NAME = 160
_MOST_NOTES = 5
_MOST_NAMES = 200
NO_TIMES = Times()


@dataclass(frozen=True)
class Submission:
    """The files of one student, by their path relative to the submission's root, `/` between parts."""

    student: str
    files: Mapping[str, bytes]
    source: str
    """The entry's name in the class folder."""
    notes: Sequence[str] = ()
    """What is worth a look although it could be read."""
    attempt: str = ""
    """Which of the student's attempts it is; empty where there is one, without a time."""

    @property
    def digest(self) -> str:
        """SHA-256 of all names and contents, in hexadecimal."""
        digest = hashlib.sha256()
        for name, content in sorted(self.files.items()):
            for part in (name.encode(), content):
                digest.update(len(part).to_bytes(8, "big") + part)
        return digest.hexdigest()

    def missing(self, assignment: Assignment) -> list[str]:
        """Task files that were not handed in, in the rubric's order."""
        return [file for file in assignment.files if file not in self.files]


@dataclass(frozen=True)
class Invalid:
    """An entry that is no submission; `reason` is one line for the student and the instructor."""

    student: str
    reason: str


def discover(folder: Path, assignment: Assignment, times: Times = NO_TIMES) -> list[Entry]:
    """One entry for each attempt in a class folder, sorted by student and time; hidden files and READMEs are no entries.

    Raises:
        UsageError: not a folder, without entries, a single submission instead of a class, or a name with half a time.
    """
    paths = _visible(folder)
    own = [path.name for path in paths if path.name in assignment.files]
    others = any(path.is_dir() or path.suffix.lower() in (".zip", ".ipynb") for path in paths)
    if len(own) > 1 or (own and not others):
        raise UsageError(
            f"expected a folder with one entry for each student, found a single submission in {folder} "
            f"({', '.join(own)}); name the folder above it."
        )
    return times.told_apart((_entry(path, assignment) for path in paths), assignment.name)


def better_fit(entries: Sequence[Entry], assignment: Assignment, others: Sequence[Assignment]) -> tuple[str, int]:
    """Another assignment that more than half of a class's folders look like, by the names of their files, and how many do."""
    votes: Counter[str] = Counter()
    for entry in entries:
        if entry.path.is_dir() and not entry.path.is_symlink():
            names = {path.name for path in islice(entry.path.glob("*.py"), _MOST_NAMES)}
            fits = {other.name: len(names.intersection(other.files)) for other in (assignment, *others)}
            best = max(fits, key=fits.__getitem__)  # the first of equals: the one that was asked for
            votes[best] += bool(fits[best])
    best, count = max(votes.items(), key=lambda vote: vote[1], default=(assignment.name, 0))
    return (best, count) if best != assignment.name and 2 * count > votes.total() else ("", 0)


def load(entry: Entry, assignment: Assignment) -> Submission | Invalid:
    """Read one entry into memory.

    Raises:
        GraderFault: it could not be read for a reason that is not the student's, such as missing permission.
    """
    try:
        handed_in = _at_root(_read(entry, assignment), assignment)
        notes = _notes(entry, handed_in)
        files = with_notebook(handed_in, assignment)
        _require_task_file(files, assignment)
        _require_room(files, assignment)
    except InvalidSubmission as error:
        return Invalid(entry.student, str(error))
    except OSError as error:
        raise GraderFault(
            f"{quoted(entry.path.name)} cannot be read ({error.strerror}): make it readable and grade it again."
        ) from error
    except Exception as error:  # a mistake of ours, met in one entry, must not end the whole class
        raise GraderFault(f"reading {quoted(entry.path.name)} failed: {type(error).__name__}: {error}") from error
    return Submission(entry.student, files, entry.path.name, notes, entry.attempt)


def _notes(entry: Entry, files: Mapping[str, bytes]) -> tuple[str, ...]:
    """What is worth a look in the notebooks of an entry."""
    notebooks = {path: content for path, content in files.items() if path.endswith(".ipynb")}
    if entry.path.suffix.lower() == ".ipynb":
        notebooks = {entry.path.name: entry.path.read_bytes()}
    notes = [f"{quoted(path)} {clause}" for path, content in notebooks.items() for clause in odd_cells(content)]
    more = len(notes) - _MOST_NOTES
    return (*notes[:_MOST_NOTES], *([f"and {more} more such cells"] if more > 0 else []))


def file_name(student: str) -> str:
    """A student's id as a file name: `%` escapes for all but ASCII letters, digits, `.`, `_` and `-`.

    Different ids have different names. `urllib.parse.unquote` gives the id back, but for long ones, cut to a digest.
    """
    name = quote(student, safe="", errors="surrogatepass").replace("~", "%7E")
    if name.startswith("."):
        name = "%2E" + name[1:]
    if name and len(name) <= _LONGEST_FILE_NAME:
        return name
    # No escaped name holds a `~`, so that a shortened one cannot meet another.
    digest = hashlib.sha256(student.encode(errors="surrogatepass")).hexdigest()[:32]
    return f"{name[: _LONGEST_FILE_NAME - 40]}~{digest}"


def _visible(folder: Path) -> list[Path]:
    try:
        paths = sorted(folder.iterdir())
    except FileNotFoundError:
        raise UsageError(f"expected a folder of submissions, found nothing at {folder}; check the path.") from None
    except NotADirectoryError:
        raise UsageError(f"expected a folder of submissions, found a file, {folder}; name the folder.") from None
    except OSError as error:
        raise UsageError(f"expected a folder of submissions, cannot read {folder}: {error.strerror}.") from None
    if any(path.name == "nbgrader_config.py" for path in paths):
        raise UsageError(f"expected a folder of submissions, found nbgrader's course; name {folder / 'submitted'}.")
    paths = [path for path in paths if not _is_no_entry(path)]
    if not paths:
        raise UsageError(f"expected a folder of submissions, found no entry in {folder}; check the path.")
    return paths


def _is_no_entry(path: Path) -> bool:
    name = path.name
    return name in JUNK_FOLDERS | JUNK_FILES or bool(_NO_ENTRY.fullmatch(name) and (name[0] == "." or path.is_file()))


def _entry(path: Path, assignment: Assignment) -> Entry:
    mode = path.lstat().st_mode
    if stat.S_ISDIR(mode):
        return Entry(_student(path.name), path)
    student = _student(path.stem.removesuffix(".tar"))
    suffix = path.suffix.lower()
    if stat.S_ISLNK(mode):
        return Entry(student, path, "expected a folder or a file, found a link, which is not followed.")
    if not stat.S_ISREG(mode):
        return Entry(student, path, "expected a folder or a file, found a device, a pipe or a socket.")
    if suffix == ".py":
        return _single_file(path, assignment)
    if suffix in (".zip", ".ipynb"):
        return Entry(student, path)
    kind = f"a {suffix} file" if suffix else "a file without an extension"
    return Entry(student, path, f"expected a folder, a .zip, an .ipynb or a .py, found {kind}, {quoted(path.name)}.")


def _single_file(path: Path, assignment: Assignment) -> Entry:
    student, task = _task_of(path, assignment)
    if task:
        return Entry(_student(student), path)
    example = f"{path.stem if path.name not in assignment.files else 'student'}__{assignment.task[0].name}.py"
    problem = (
        f"expected a file named <student>__<task>.py, as in {quoted(example)}, found {quoted(path.name)}; "
        f"the tasks are {', '.join(task.name for task in assignment.task)}."
    )
    return Entry(_student(path.stem), path, problem)


def _task_of(path: Path, assignment: Assignment) -> tuple[str, str]:
    """Student and task file that a single file's name stands for; ("", "") when it names none."""
    tasks = sorted(assignment.task, key=lambda task: -len(task.name))
    for ending, task in ((f"{bars}{task.name}", task) for bars in ("__", "_") for task in tasks):
        student = path.stem.removesuffix(ending)
        if student not in ("", path.stem):
            return student, task.file
    if len(tasks) == 1 and path.name != tasks[0].file:
        return path.stem, tasks[0].file
    return "", ""


def _student(name: str) -> str:
    """A student's id: the text as it is (NFC), with escapes for control characters and bytes that are no text."""
    text = unicodedata.normalize("NFC", os.fsencode(name).decode("utf-8", "backslashreplace"))
    text = "".join(repr(letter)[1:-1] if unicodedata.category(letter) == "Cc" else letter for letter in text)
    return text.strip() or name


def _read(entry: Entry, assignment: Assignment) -> dict[str, bytes]:
    """All files of an entry, as they lie there."""
    if entry.problem:
        raise InvalidSubmission(entry.problem)
    limits, suffix = assignment.limits, entry.path.suffix.lower()
    if stat.S_ISDIR(entry.path.lstat().st_mode):
        files = read_folder(_own_folder(entry.path, assignment), limits)
        return _of_lone_zip(files, assignment) or files
    if suffix == ".zip":
        return read_zip(entry.path, limits)
    content = read_file(entry.path, limits.submission_mb * MB)
    if len(content) > limits.submission_mb * MB:
        raise InvalidSubmission(f"expected at most {limits.submission_mb} MB, found a larger file.")
    if suffix == ".ipynb":
        return read_notebook(content, assignment)
    return {_task_of(entry.path, assignment)[1]: content}


def _own_folder(folder: Path, assignment: Assignment) -> Path:
    """The folder; or in one that has a folder for each assignment, as in nbgrader's `submitted/`, this assignment's."""
    entries = list(folder.iterdir())
    folders = {path.name for path in entries if stat.S_ISDIR(path.lstat().st_mode)} - JUNK_FOLDERS
    at_root = any(path.name in assignment.files or path.suffix == ".ipynb" for path in entries)
    return folder / assignment.name if assignment.name in folders and len(folders) > 1 and not at_root else folder


def _of_lone_zip(files: Mapping[str, bytes], assignment: Assignment) -> dict[str, bytes] | None:
    """A folder's files with its only zip unpacked, where nothing else can be graded: learning platforms make such."""
    zips = [path for path in files if path.lower().endswith(".zip")]
    if len(zips) != 1 or _holds_task(files, assignment.files) or any(path.endswith(".ipynb") for path in files):
        return None
    beside = {path: content for path, content in files.items() if path != zips[0]}
    return beside | read_zip(files[zips[0]], assignment.limits)


def _at_root(files: dict[str, bytes], assignment: Assignment) -> dict[str, bytes]:
    """The files with the task files at the root: folders around all of them are unwrapped, files beside these stay."""
    while not _holds_task(files, assignment.files, depth=0):
        folders = {path.partition("/")[0] for path in files if "/" in path}
        if len(folders) != 1 or not _is_wrapped(files, assignment):
            return files
        inner = f"{folders.pop()}/"
        beside = {path: content for path, content in files.items() if "/" not in path}
        files = beside | {path.removeprefix(inner): content for path, content in files.items() if "/" in path}
    return files


def _is_wrapped(files: Iterable[str], assignment: Assignment) -> bool:
    notebooks = [path for path in files if path.endswith(".ipynb")]
    return _holds_task(files, assignment.files) or bool(notebooks and all("/" in path for path in notebooks))


def _holds_task(files: Iterable[str], tasks: list[str], depth: int | None = None) -> bool:
    return any(path.rpartition("/")[2] in tasks and depth in (None, path.count("/")) for path in files)


def _require_task_file(files: Mapping[str, bytes], assignment: Assignment) -> None:
    if not any(file in files for file in assignment.files):
        found = ", ".join(quoted(path) for path in sorted(files)[:5]) + (", …" if len(files) > 5 else "")
        hint = "; mind upper and lower case" if {path.lower() for path in files} & set(assignment.files) else ""
        wanted = ", ".join(assignment.files)
        raise InvalidSubmission(f"expected at least one of {wanted}, found {found or 'nothing'}{hint}.")


def _require_room(files: Mapping[str, bytes], assignment: Assignment) -> None:
    """What was unwrapped, unzipped or taken from a notebook must fit together, in names and sizes."""
    intake = Intake(assignment.limits)
    for path, content in files.items():
        intake.reserve(path, len(content))
