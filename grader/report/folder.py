"""Writes a report: the class page, and a page for each student in a folder beside it, each of them whole."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from markupsafe import Markup

from grader.aside import write_aside
from grader.course import Assignment
from grader.errors import GraderFault, UsageError
from grader.report.pages import MARKER, Pages
from grader.report.tally import Tally, page_name
from grader.report.times import Clock
from grader.results import SubmissionResult
from grader.settings import Shown, Window
from grader.store import ResultStore

INDEX, STUDENTS = "index.html", "students"
HEAD_BYTES = 2000  # within which a page says who wrote it


@dataclass(frozen=True)
class Written:
    """What a report has become."""

    index: Path
    students: int
    removed: int
    """Pages of an earlier report whose students have no result any more."""


def write_report(
    store: ResultStore,
    assignment: Assignment,
    out: Path,
    on_student: Callable[[SubmissionResult], None] = lambda result: None,
    *,
    shown: Shown = Shown(),  # noqa: B008  it is frozen
    moment: datetime | None = None,
    course: str = "",
) -> Written:
    """Write `index.html` and `students/<file name>.html` into `out`; `on_student` is told of each page.

    Students' pages have what they are `shown` at this moment, or another. `course` is the course's title.

    Raises:
        UsageError: there are no results, or one that this version cannot read.
        GraderFault: a page cannot be written; those before it are whole.
    """
    at = moment or datetime.now(UTC)
    pages = Pages(assignment, Clock.of(assignment.deadline.due), course, at)
    tally, folder = Tally(), out / STUDENTS
    for result in store.each():
        page = page_name(result.student)
        window = Window.at(at, shown, _due(result, assignment))
        _write(folder / page, pages.student(result, _figures(result) if window.figures else [], window))
        tally.add(result)
        on_student(result)
    _write(out / INDEX, pages.of_class(tally))
    return Written(out / INDEX, len(tally.rows), _remove_others(folder, {row.page for row in tally.rows}))


def _due(result: SubmissionResult, assignment: Assignment) -> datetime | None:
    """Until when this student had time, in the zone in which the due date is set now."""
    standing = result.standing
    if standing is None or standing.due is None:
        return assignment.deadline.due
    due = standing.due + timedelta(seconds=standing.extension_seconds)
    return due.astimezone(Clock.of(assignment.deadline.due).zone)


def _figures(result: SubmissionResult) -> list[tuple[str, str, Markup]]:
    """The result's exhibits, drawn; matplotlib is imported for the first one."""
    if not result.exhibits:
        return []
    from grader.report.drawings import drawing_of

    return [(one.task, one.title, drawing_of(one, number)) for number, one in enumerate(result.exhibits, 1)]


def _write(target: Path, text: str) -> None:
    try:
        write_aside(target, text.encode("utf-8", "replace"))
    except (FileExistsError, NotADirectoryError):
        raise UsageError(f"expected a folder to write pages to, found a file in the way of {target}.") from None
    except OSError as error:
        raise GraderFault(
            f"{target} cannot be written ({error.strerror}); mend that, and run the command again."
        ) from None


def _remove_others(folder: Path, pages: set[str]) -> int:
    """Remove what an earlier report wrote of students who have no result now, and nothing that is anybody else's."""
    others = [path for path in _pages_in(folder) if path.name not in pages]
    for path in others:
        path.unlink()
    return len(others)


def _pages_in(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.glob("*.html")):
        if path.is_symlink() or not path.is_file():
            continue
        with path.open("rb") as file:
            if MARKER.encode() in file.read(HEAD_BYTES):
                yield path
