"""One export: from a run's folder to the file, or files, of a format, and what is to be said about it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from grader.declared import one_of
from grader.errors import UsageError
from grader.exports.canvas import Filled, canvas
from grader.exports.gradescope import results_json
from grader.exports.junit import junit
from grader.exports.marks import Mark, Marks
from grader.exports.moodle import moodle
from grader.exports.nbgrader_csv import nbgrader_csv
from grader.exports.plain_table import plain_table
from grader.exports.students import Student, read_students
from grader.exports.texts import counted, named, points
from grader.submission import file_name

FORMATS = {
    "canvas": "canvas.csv",
    "moodle": "moodle.csv",
    "gradescope": "gradescope",
    "nbgrader": "nbgrader.csv",
    "csv": "marks.csv",
    "junit": "junit.xml",
}
"""How what is written is called where nothing else is said."""
WITH_ROSTER = ("canvas", "moodle")


@dataclass(frozen=True)
class Export:
    """Files by their path, which is empty for a single one; and what is to be said about them."""

    files: Mapping[str, bytes]
    summary: str
    lines: Sequence[str] = ()
    lost: Sequence[str] = field(default=())
    """Students with a mark that goes nowhere."""


def known_format(name: str) -> str:
    """The name of a format.

    Raises:
        UsageError: there is none of this name.
    """
    return one_of("format", name, FORMATS)


def export(
    format: str,
    marks: Marks,
    *,
    roster: Path | None = None,
    students: Path | None = None,
    column: Sequence[str] = (),
    visibility: str = "visible",
    hints: bool = True,
) -> Export:
    """The marks in a format; `roster` and `students` are for those that fill one, `visibility` and `hints` for Gradescope.

    Raises:
        UsageError: a roster is missing, of no use, or given for nothing; or as of the format.
    """
    for option, value in (("--roster", roster), ("--students", students)):
        if value is not None and format not in WITH_ROSTER:
            raise UsageError(
                f"expected {option} with {' or '.join(WITH_ROSTER)}, found it with {format}, which needs none."
            )
    if format in WITH_ROSTER:
        if roster is None:
            what = (
                "the gradebook that Canvas exports" if format == "canvas" else "the grading worksheet that Moodle gives"
            )
            raise UsageError(f"expected --roster FILE, {what}: it says who is who there.")
        known = read_students(students) if students else {}
        filled = canvas(marks, roster, known, column) if format == "canvas" else moodle(marks, roster, known)
        return _filled(filled, _late(marks, known))
    if format == "gradescope":
        return _gradescope(marks, visibility, hints=hints)
    with_mark = sum(not mark.failed for mark in marks.marks)
    summary = f"{counted(with_mark, 'mark')} of {counted(len(marks.marks), 'result')}"
    lines: list[str] = []
    if format == "nbgrader":
        content, lines = nbgrader_csv(marks)
        summary = f"{counted(len(content.splitlines()) - 1, 'mark')} of {counted(len(marks.marks), 'result')}"
    else:
        content = plain_table(marks) if format == "csv" else junit(marks)
    return Export({"": content}, summary, lines)


def _late(marks: Marks, known: Mapping[str, Student]) -> list[str]:
    """A line on those whom the platform calls late, and whose marks know nothing of it."""
    on_time = [
        mark.student for mark in marks.marks if not (mark.result.standing and mark.result.standing.attempt.seconds_late)
    ]
    late = [student for student in on_time if student in known and known[student].late]
    if not late:
        return []
    return [
        f"{counted(len(late), 'student')} handed in late as the platform says, and nothing is taken off for it: {named(late)}; "
        "--times of `grader grade` says when they did."
    ]


def _filled(filled: Filled, lines: Sequence[str]) -> Export:
    given = sum(mark.final is not None for mark in filled.match.marks.values())
    return Export(
        {"": filled.content},
        f"{counted(given, 'mark')} for {filled.rows} in the roster",
        [*filled.lines, *lines],
        filled.match.lost,
    )


def _gradescope(marks: Marks, visibility: str, *, hints: bool) -> Export:
    """A folder for each student, with a `results.json`."""
    files = {
        f"{file_name(mark.student)}/results.json": json.dumps(
            _with_manual(mark, results_json(mark.result, visibility, hints=hints)), ensure_ascii=False, indent=2
        ).encode()
        for mark in marks.marks
        if not mark.failed
    }
    return Export(files, f"{counted(len(files), 'mark')} of {counted(len(marks.marks), 'result')}")


def _with_manual(mark: Mark, found: dict) -> dict:
    """The same with points that a person has entered."""
    if mark.score is None:
        return found
    for test, check in zip(found["tests"], mark.result.checks, strict=True):
        test["score"] = mark.checks[check.name]
    words = [f"Points: {points(mark.points)} of {mark.result.max_score:g}, some of them entered by a person."]
    words += [f"Bonus: {points(mark.bonus)} of {mark.result.max_bonus:g}."] if mark.result.max_bonus else []
    words += [f"Late: {points(mark.penalty)} points taken off."] if mark.penalty else []
    return {**found, "score": mark.final, "output": " ".join(words)}
