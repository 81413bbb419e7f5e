"""The command for instructors that compares submissions with each other: similar."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from grader.cli.common import HERE, INSTRUCTORS, CourseOption, app, one_line
from grader.course import Course
from grader.errors import UsageError
from grader.submission import discover
from grader.terminal import Live, console, printable, wide_table

if TYPE_CHECKING:
    from grader.similarity.compare import Comparison, Findings

MOST_ROWS = 50


@app.command(rich_help_panel=INSTRUCTORS)
@one_line
def similar(
    submissions: Annotated[
        Path, typer.Argument(help="Folder with an entry (folder, zip, notebook) per student or attempt.")
    ],
    assignment: Annotated[str, typer.Option(help="Name of the assignment, such as house_prices.", metavar="NAME")],
    out: Annotated[
        Path | None, typer.Option(help="New folder for pages that show the pairs side by side.", metavar="DIR")
    ] = None,
    at_least: Annotated[float, typer.Option(help="Similarity from which on a pair is named, up to 1.")] = 0.6,
    common: Annotated[
        float, typer.Option(help="Leave out what more than this part of the class has; 1 leaves nothing out.")
    ] = 0.5,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    course: CourseOption = HERE,
) -> None:
    """Find submissions that are suspiciously alike, whatever was renamed, reordered or reformatted.

    Example: grader similar submissions --assignment house_prices --out similar

    The starter does not count, nor what most of the class has, but for hand-ins that are identical: these are always named.
    Attempts of one student are not compared with each other.
    Similarity is a reason to look, not a verdict. Exit code 0, whatever is found; 2 for wrong use.
    """
    from grader.similarity.compare import compare
    from grader.similarity.pages import write_pages
    from grader.similarity.reading import read_class
    from grader.similarity.words import as_json as written
    from grader.similarity.words import common_note

    for name, value in (("--at-least", at_least), ("--common", common)):
        if not 0 < value <= 1:
            raise UsageError(f"expected {name} above 0 and at most 1, such as 0.6, found {value:g}.")
    where = Course.find(course)
    declared = where.assignment(assignment)
    entries = discover(submissions, declared)
    with Live(len(entries), quiet=as_json, what="reading") as progress:
        found = read_class(entries, where, declared, jobs=os.cpu_count() or 1, on_read=progress.advance)
    comparison, findings = compare(found, at_least, common)
    notes = [*common_note(comparison), *found.notes]
    index = write_pages(out, declared, comparison, findings, notes) if out is not None else None
    if as_json:
        print(written(declared.name, comparison, findings, notes).decode())
        return
    console().print(findings_table(comparison, findings, notes))
    if index is not None:
        console().print(f"Side by side: {index}", highlight=False, markup=False, soft_wrap=True)


def findings_table(comparison: "Comparison", findings: "Findings", notes: Sequence[str]) -> RenderableType:
    """Pairs, groups, what was not compared, and what all of it means."""
    from grader.similarity.reading import name_of
    from grader.similarity.words import WARNING, lead_of

    table = wide_table()
    table.add_column("one", overflow="fold")
    table.add_column("other", overflow="fold")
    for column in ("of one", "lines", "of other", "lines"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("files most alike", overflow="fold")
    for pair in findings.pairs[:MOST_ROWS]:
        sides = (pair.left, pair.right)
        names = [Text(printable(name_of(comparison.documents[side.place].entry))) for side in sides]
        files = ", ".join(f"{file} {similarity:.0%}" for file, similarity in pair.files[:3])
        files = "all: identical" if pair.identical else files
        parts = [part for side in sides for part in (f"{side.similarity:.0%}", str(side.lines))]
        table.add_row(*names, *parts, Text(printable(files)))
    lines = [f"Group: {', '.join(group)}" for group in findings.groups]
    beyond = len(findings.pairs) + findings.more - MOST_ROWS
    lines += [f"… and {beyond} more pairs: --json and --out show them."] if beyond > 0 else []
    said = [Text(printable(line)) for line in (*lines, *notes, lead_of(comparison, findings))]
    return Group(*([table] if findings.pairs else []), *said, Text(WARNING, style="dim"))
