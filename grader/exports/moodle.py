"""Moodle: the offline grading worksheet of an assignment, with grades and feedback in it, to be uploaded there.

All of its columns stay, among them the times by which Moodle sees what has been changed meanwhile. A grade is the final
points, scaled to the worksheet's maximum where that is not the rubric's. Moodle leaves out, without a word, a grade above
the maximum; so a bonus that leads beyond it is cut there, and said. An empty grade changes nothing.

Source: https://docs.moodle.org/en/Offline_grading_worksheet
"""

import html
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from grader.errors import UsageError
from grader.exports.canvas import Filled
from grader.exports.files import Table, read_table
from grader.exports.marks import Mark, Marks
from grader.exports.roster import Match, Row, keys, match, without_mark
from grader.exports.students import Student
from grader.exports.texts import cell, line, points
from grader.results import SubmissionStatus

WHAT = "the grading worksheet of a Moodle assignment, in English"
NEEDED = ("Identifier", "Grade", "Maximum grade", "Last modified (grade)")
COMMENTS = "Feedback comments"
OURS = "Points: "
"""How feedback of ours begins: such may be written over."""
_NUMBER = re.compile(r"(\d+)\s*$")


def moodle(marks: Marks, roster: Path, students: Mapping[str, Student]) -> Filled:
    """The worksheet with grades, and feedback where it has a column for it and nobody has written there.

    Raises:
        UsageError: no such worksheet: a column is missing, or its maximum is no number.
    """
    table = read_table(roster, WHAT)
    places = {name: _place(table, name) for name in NEEDED}
    rows = [_row(place, row, table) for place, row in enumerate(table.rows)]
    found = match(marks.marks, rows, students, by_name=True)
    comments = table.place(COMMENTS)
    filled, cut, kept = [], [], []
    for place, row in enumerate(table.rows):
        cells, mark = list(row), found.marks.get(place)
        grade, was_cut = _grade(mark, row[places["Maximum grade"]], table)
        cells[places["Grade"]] = points(grade)
        cut += [line(mark.student)] if mark and was_cut else []
        if comments is not None and mark and grade is not None:
            if row[comments].strip() in ("", "-") or row[comments].startswith(OURS):
                cells[comments] = feedback(mark)
            else:
                kept.append(rows[place].name)
        filled.append(cells)
    lines = [*found.lines, *_said(rows, found, cut, kept, comments)]
    return Filled(table.with_rows(table.header, filled), found, len(rows), lines)


def _place(table: Table, name: str) -> int:
    place = table.place(name)
    if place is None:
        raise UsageError(
            f"{table.path}: expected {WHAT}, found no column {name!r} among {', '.join(table.header[:12])}; "
            "download it in English, with “Offline grading worksheet” among the assignment's feedback types."
        )
    return place


def _row(place: int, row: Sequence[str], table: Table) -> Row:
    identifier = row[_place(table, "Identifier")].strip()
    number = identified(identifier)
    also = [at for name in ("Email address", "ID number", "Username") if (at := table.place(name)) is not None]
    known = keys(identifier, number, *(row[at] for at in also))
    name = table.place("Full name")
    return Row(place, (row[name].strip() if name is not None else "") or identifier, known)


def identified(identifier: str) -> str:
    """The number in `Participant 1234567`, which is in the names of downloaded folders, too; empty where there is none."""
    number = _NUMBER.search(identifier)
    return number[1] if number else ""


def _grade(mark: Mark | None, maximum: str, table: Table) -> tuple[float | None, bool]:
    """The grade that a worksheet gets, scaled to two decimals if it has another maximum, and whether it was cut there."""
    if mark is None or mark.final is None:
        return None, False
    try:
        most = float(maximum.replace(",", "."))
    except ValueError:
        raise UsageError(
            f"{table.path}: expected a number as Maximum grade, found {maximum!r}; scales have no points."
        ) from None
    top = mark.result.max_score
    grade = mark.final if most == top or not top else round(mark.final * most / top, 2)
    return min(grade, most), grade > most


def feedback(mark: Mark) -> str:
    """Points by task in one line, as text for Moodle's editor, which takes HTML."""
    result = mark.result
    if result.status is SubmissionStatus.INVALID and not mark.score:
        words = f"{OURS}0. Could not be read as a submission: {result.message}"
    else:
        tasks = [f"{name} {points(mark.tasks[name])}/{task.max_points:g}" for name, task in result.tasks.items()]
        words = f"{OURS}{points(mark.final)} of {result.max_score:g} ({', '.join(tasks)})."
        if mark.penalty:
            words += f" Late: {points(mark.penalty)} taken off."
    return cell(html.escape(line(words), quote=False))


def _said(
    rows: Sequence[Row], found: Match, cut: Sequence[str], kept: Sequence[str], comments: int | None
) -> list[str]:
    names = without_mark(rows, found)
    lines = (
        [f"{len(names)} of {len(rows)} in the worksheet get no grade, an empty cell: {'; '.join(names)}"]
        if names
        else []
    )
    if cut:
        lines.append(f"above the maximum, and cut there, since Moodle takes no more: {', '.join(cut)}")
    if kept:
        lines.append(f"feedback that somebody has written stays, without points by task: {'; '.join(kept)}")
    if comments is None:
        lines.append(f"the worksheet has no column {COMMENTS!r}: no feedback is written.")
    return lines
