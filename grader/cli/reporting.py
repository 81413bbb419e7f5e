"""The command that makes pages of results: report."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from grader.cli.common import HERE, INSTRUCTORS, CourseOption, app, one_line
from grader.course import Course
from grader.deadlines import outdated
from grader.errors import GraderFault, UsageError
from grader.results import SubmissionResult
from grader.store import ResultStore
from grader.terminal import Live, console

FOLDER = "report"


@app.command(rich_help_panel=INSTRUCTORS)
@one_line
def report(
    directory: Annotated[Path, typer.Argument(help="The --out folder of an earlier `grader grade`.")],
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for the pages (default: report/ beside the results).", metavar="FOLDER"),
    ] = None,
    course: CourseOption = HERE,
) -> None:
    """Write a page of the class, and a page for each student that can be handed out.

    Example: grader report results --out pages

    Students' pages have what course.toml shows at this moment: some of it perhaps after the due date alone.
    """
    from grader.report import write_report

    store = ResultStore(directory)
    run = store.earlier_run() if directory.is_dir() else None
    if run is None:
        raise UsageError(f"expected results of `grader grade … --out {directory}`, found no run.json in {directory}.")
    where = Course.find(course)
    assignment, shown = where.assignment(run.assignment), where.term.shown_of(run.assignment)
    for line in outdated(run, where):
        print(f"grader: {line}", file=sys.stderr)
    with Progress(sum(1 for _ in store.folder.glob("*.json"))) as progress:
        try:
            target, title = out or directory / FOLDER, where.term.title
            written = write_report(store, assignment, target, progress.written, shown=shown, course=title)
        except OSError as error:
            raise GraderFault(f"{error.filename or directory} cannot be read: {error.strerror}.") from None
    removed = f"; removed {written.removed} of students who have no result any more" if written.removed else ""
    console().print(
        f"{written.index}: the class; {written.index.parent / 'students'}: {written.students} "
        f"{'page' if written.students == 1 else 'pages'} to hand out{removed}.",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )


class Progress(Live):
    """How many pages are written."""

    def __init__(self, total: int) -> None:
        super().__init__(total, what="writing pages")

    def __exit__(self, *raised: object) -> None:
        if any(raised):  # what is said then does not stand below a bar that has stopped
            self._progress.live.transient = True
        super().__exit__(*raised)

    def written(self, result: SubmissionResult) -> None:
        self._progress.update(self._task, advance=1)
