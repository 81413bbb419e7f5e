"""A plain table: a row for each student, with points by task and by check."""

from datetime import datetime

from grader.exports.files import table
from grader.exports.marks import Mark, Marks
from grader.exports.texts import cell, points
from grader.results import Attempt

HEAD = ("student", "status", "score", "max_score", "bonus", "max_bonus", "penalty", "final")
ATTEMPT = ("attempt", "time", "seconds_late")
"""Columns that are there where somebody has an attempt with a name or a time, or there is a due date."""


def plain_table(marks: Marks) -> bytes:
    """The table as CSV: an empty cell where there is no mark, or no such check; times are in UTC.

    Points of a task are in the column `points.<task>`, those of a check in the one of its name, `<task>.<check>`.
    """
    tasks = list(dict.fromkeys(task for mark in marks.marks for task in mark.tasks))
    checks = list(dict.fromkeys(check for mark in marks.marks for check in mark.checks))
    attempts = ATTEMPT if any(mark.result.standing for mark in marks.marks) else ()
    header = [*HEAD, *attempts, *(f"points.{task}" for task in tasks), *checks, "remark"]
    rows = [
        [
            *_head(mark),
            *(_attempt(mark.result.standing.attempt if mark.result.standing else None) if attempts else ()),
            *(points(mark.tasks.get(task)) for task in tasks),
            *(points(mark.checks.get(check)) for check in checks),
            cell(mark.remark),
        ]
        for mark in marks.marks
    ]
    return table([cell(name) for name in header], rows)


def _head(mark: Mark) -> list[str]:
    result, known = mark.result, not mark.failed
    numbers = (
        mark.points,
        result.max_score if known else None,
        mark.bonus,
        result.max_bonus if known else None,
        mark.penalty,
        mark.final,
    )
    return [cell(mark.student), result.status.value, *map(points, numbers)]


def _attempt(attempt: Attempt | None) -> list[str]:
    if attempt is None:
        return [""] * len(ATTEMPT)
    time: datetime | None = attempt.time
    return [cell(attempt.name), f"{time:%Y-%m-%dT%H:%M:%SZ}" if time else "", f"{attempt.seconds_late:.10g}"]
