"""The command that makes a class folder of what a learning platform gives."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from grader.cli.common import INSTRUCTORS, app, end, one_line
from grader.errors import UsageError
from grader.exports.texts import counted, line
from grader.intake.download import opened
from grader.intake.platforms import LOOKS, known_platform, take
from grader.intake.worksheet import submission_times
from grader.intake.writing import students_file, write_class


@app.command(rich_help_panel=INSTRUCTORS)
@one_line
def intake(
    download: Annotated[Path, typer.Argument(help="What the platform gave, a folder or a zip, as it is.")],
    out: Annotated[Path, typer.Option(help="Class folder to write, for `grader grade`.", metavar="CLASS")],
    platform: Annotated[
        str, typer.Option("--from", help=f"One of {', '.join(LOOKS)} (default: by its looks).", metavar="PLATFORM")
    ] = "",
    assignment: Annotated[
        str,
        typer.Option(help="nbgrader: which of many. GitHub: what stands before the student in names.", metavar="NAME"),
    ] = "",
    commit_times: Annotated[
        bool,
        typer.Option("--commit-times", help="GitHub: take the time of the last commit, which is its author's word."),
    ] = False,
    worksheet: Annotated[
        Path | None,
        typer.Option(help="Moodle: the grading worksheet, in English, says when they handed in.", metavar="FILE"),
    ] = None,
    zone: Annotated[
        str, typer.Option(help="The zone of the worksheet's times, such as Europe/Rome.", metavar="ZONE")
    ] = "",
) -> None:
    """Make a class folder of a download from Canvas, Moodle, Gradescope, GitHub Classroom or nbgrader.

    Example: grader intake submissions.zip --out class

    Entries are ada@2026-04-30T18-02-11Z where the platform tells the time, else ada. CLASS.students.csv, beside the folder,
    says who is who, for `grader export --students`. The same command adds a later download to the class.

    Exit code 0 when each work is an entry, 1 when one is not and a line says why, 2 for wrong use.
    """
    known_platform(platform)
    if out.resolve() == download.resolve() or download.resolve() in out.resolve().parents:
        raise UsageError(f"expected --out to be outside of the download, found {out} in {download}.")
    if zone and worksheet is None:
        raise UsageError("expected --zone with --worksheet, found it alone.")
    submitted = submission_times(worksheet, zone) if worksheet else None
    with opened(download) as found:
        name, taken = take(found, platform, assignment, by_commits=commit_times, submitted=submitted)
        done = write_class(found, taken.works, out)
        left = [*found.left, *taken.left]
    for text in (
        *taken.notes,
        *(f"left alone: {text}" for text in left),
        *(f"no entry: {text}" for text in done.refused),
    ):
        print(f"grader: {line(text)}", file=sys.stderr)
    if not done.entries:
        end(f"grader: expected works in {download}, found none that could be taken from {name}", 1)
    again = f", {done.replaced} in the place of earlier ones" if done.replaced else ""
    who = f"{counted(len(done.entries), 'entry', 'entries')} of {counted(len(done.handed_in), 'student')}"
    print(f"{who} from {name}{again}, written to {out}.")
    print(f"Who is who: {students_file(out.resolve())}")
    if done.refused:
        end(f"grader: {counted(len(done.refused), 'work is no entry', 'works are no entries')}, see above", 1)
