"""The command that hands marks on, to learning platforms and to whatever reads tables or tests."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from grader.cli.common import HERE, INSTRUCTORS, CourseOption, app, end, one_line
from grader.course import Course
from grader.deadlines import outdated
from grader.errors import UsageError
from grader.exports.export import FORMATS, Export, known_format
from grader.exports.export import export as export_to
from grader.exports.files import table, write
from grader.exports.gradescope import as_shown
from grader.exports.marks import read_marks
from grader.exports.texts import counted, line
from grader.exports.total import rows as total_rows
from grader.exports.total import totals, weights_of
from grader.settings import Shown
from grader.store import ResultStore


@app.command(rich_help_panel=INSTRUCTORS)
@one_line
def export(
    format: Annotated[str, typer.Argument(help=f"One of {', '.join(FORMATS)}.")],
    directory: Annotated[Path, typer.Argument(help="The --out folder of `grader grade`.", metavar="DIR")],
    out: Annotated[
        Path | None,
        typer.Option(help="File to write, a folder for gradescope (default: in exports/ in DIR).", metavar="FILE"),
    ] = None,
    roster: Annotated[
        Path | None,
        typer.Option(help="Canvas' exported gradebook, or Moodle's grading worksheet: it is filled.", metavar="FILE"),
    ] = None,
    column: Annotated[
        str, typer.Option(help="Canvas' column, such as 'House prices (12345)' (default: by title).", metavar="NAME")
    ] = "",
    db: Annotated[str, typer.Option(help="Gradebook's URL (default: SQLite in DIR).", metavar="URL")] = "",
    students: Annotated[
        Path | None,
        typer.Option(help="Who is who: a CSV file (student,name,id,email,login) of `grader intake`.", metavar="FILE"),
    ] = None,
    visibility: Annotated[
        str,
        typer.Option(
            help="For gradescope: hidden, after_due_date, after_published or visible (default: as [shown] in course.toml)."
        ),
    ] = "",
    course: CourseOption = HERE,
) -> None:
    """Write the marks for Canvas, Moodle, Gradescope, nbgrader, a spreadsheet, or a reader of JUnit's XML.

    Example: grader export canvas results --roster Grades-CS101.csv --students class.students.csv

    Points are final: with the bonus and by hand, less what being late costs. Who has no mark gets an empty cell, never a 0.

    Exit code 0 when every mark is in it; 1 when one goes nowhere, or the grader had failed on somebody; 2 for wrong use.
    """
    known_format(format)
    marks = read_marks(directory, db)
    columns = [column] if column else _titles(marks.assignment, course) if format == "canvas" else []
    when, hints = (
        as_shown(_shown(marks.assignment, course), visibility) if format == "gradescope" else ("visible", True)
    )
    done = export_to(format, marks, roster=roster, students=students, column=columns, visibility=when, hints=hints)
    target = out or directory / "exports" / f"{marks.assignment}-{FORMATS[format]}"
    _write(done, target, [path for path in (roster, students) if path])
    for text in (*_outdated(directory, course), *marks.remarks, *done.lines):
        print(f"grader: {line(text)}", file=sys.stderr)
    print(f"{done.summary}, written to {target}.")
    if done.lost or marks.failed:
        nowhere = counted(len(done.lost), "mark goes nowhere", "marks go nowhere") if done.lost else ""
        failed = f"the grader failed on {len(marks.failed)}" if marks.failed else ""
        end(f"grader: not everybody has a mark there: {', '.join(filter(None, (nowhere, failed)))}; see above", 1)


def _titles(assignment: str, course: Path) -> list[str]:
    """What an assignment may be called on a platform; its title is known where its course is."""
    names = [assignment, assignment.replace("_", " ")]
    try:
        title = Course.find(course).assignment(assignment).title
    except UsageError:
        return names
    return [title, *([title.partition(":")[0]] if ":" in title else []), *names]


def _outdated(directory: Path, course: Path) -> list[str]:
    """A line where dates have changed since; nothing where there is no course that can tell."""
    try:
        return outdated(ResultStore(directory).earlier_run(), Course.find(course))
    except UsageError:
        return []


def _shown(assignment: str, course: Path) -> Shown:
    """What students are shown when; where there is no course: all, always."""
    try:
        found = Course.find(course)
    except UsageError:
        return Shown()
    return found.term.shown_of(assignment)


def _write(done: Export, target: Path, sources: list[Path]) -> None:
    """Write all files, none of them over what was read."""
    for source in sources:
        if target.exists() and source.exists() and target.samefile(source):
            raise UsageError(f"expected --out to name another file than {source}, which was read; it stays as it is.")
    if "" not in done.files and target.is_file():
        raise UsageError(f"expected --out to name a folder, found a file, {target}.")
    if "" in done.files and target.is_dir():
        raise UsageError(f"expected --out to name a file, found a folder, {target}.")
    for name, content in done.files.items():
        write(target / name if name else target, content)


@app.command(rich_help_panel=INSTRUCTORS)
@one_line
def total(
    directories: Annotated[list[Path], typer.Argument(help="The --out folders of `grader grade`.", metavar="DIR...")],
    out: Annotated[Path, typer.Option(help="CSV file to write.", metavar="FILE")],
    absent_is_zero: Annotated[
        bool, typer.Option("--absent-is-zero", help="Who handed in nothing has 0 there, and not no total.")
    ] = False,
    course: CourseOption = HERE,
) -> None:
    """Make one mark of several assignments, by the weights in course.toml.

    Example: grader total results/house_prices results/stock_forecasting --out totals.csv

    Who has no mark in one of them has no total, which is not a zero.

    Exit code 0; 1 when the grader had failed on somebody, who has no total; 2 for wrong use.
    """
    where = Course.find(course)
    classes = [read_marks(directory) for directory in directories]
    found = list(totals(where, classes, absent_is_zero=absent_is_zero))
    header, *others = total_rows(found)
    write(out, table(header, others))
    for text in (text for directory in directories for text in outdated(ResultStore(directory).earlier_run(), where)):
        print(f"grader: {line(text)}", file=sys.stderr)
    for text in (text for marks in classes for text in marks.remarks):
        print(f"grader: {line(text)}", file=sys.stderr)
    without = sum(one.total is None for one in found)
    names = [marks.assignment for marks in classes]
    print("Weights: " + ", ".join(f"{name} {weight:g}" for name, weight in weights_of(where, names).items()) + ".")
    print(f"{counted(len(found) - without, 'total')} of {counted(len(found), 'student')}, written to {out}.")
    if without:
        print(
            f"{counted(without, 'student')} without one: the column `missing` says in what they have no mark. With "
            "--absent-is-zero who handed in nothing has 0 there."
        )
    failed = {student for marks in classes for student in marks.failed}
    if failed:
        end(f"grader: the grader failed on {len(failed)}, who have no total: grade them again", 1)
