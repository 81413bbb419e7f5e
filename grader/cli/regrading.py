"""The command for a suite that was mended after grading: who gains and loses what, before it counts."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from grader.attempts import Policy
from grader.cli.common import (
    HERE,
    INSTRUCTORS,
    AssignmentArgument,
    CourseOption,
    ExtensionsOption,
    JobsOption,
    TimesOption,
    app,
    end,
    one_line,
)
from grader.course import Assignment, Course
from grader.deadlines import penalty_by, read_extensions
from grader.entries import Times
from grader.errors import UsageError
from grader.gradebook import Gradebook
from grader.regrading import Difference, Regrade
from grader.store import ResultStore, Run
from grader.submission import discover
from grader.surroundings import Surroundings
from grader.terminal import ClassProgress, console, number, printable, wide_table

MOST_STUDENTS = 40  # in the table on the terminal; --json has all


@app.command(rich_help_panel=INSTRUCTORS)
@one_line
def regrade(
    assignment: AssignmentArgument,
    submissions: Annotated[Path, typer.Argument(help="The folder that was graded.")],
    out: Annotated[Path, typer.Option(help="Folder with its results and gradebook.", metavar="DIR")],
    apply: Annotated[
        bool, typer.Option("--apply", help="Let the new marks count; without it, they are only shown.")
    ] = False,
    check: Annotated[list[str] | None, typer.Option(help="Mark this check again although it is as it was.")] = None,
    jobs: JobsOption = None,
    db: Annotated[str, typer.Option(help="Gradebook's URL (default: SQLite in --out).", metavar="URL")] = "",
    times: TimesOption = "",
    extensions: ExtensionsOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the difference as JSON.")] = False,
    course: CourseOption = HERE,
) -> None:
    """After a suite was mended, mark again what it changes, and show who gains and loses what before it counts.

    Example: grader regrade house_prices submissions --out results

    Only checks whose code has changed since are run, with the same seed; where something has changed that all depend on
    (rubric, fixtures, recipes, libraries, the grader), all are. Points given by hand stay.
    """
    from grader.executor import LocalEngine

    where = Course.find(course)
    declared = where.assignment(assignment)
    entries = discover(submissions, declared, Times.read(times))
    penalty = penalty_by(declared.deadline, where)
    policy = Policy(declared.deadline, read_extensions(extensions, where, declared), penalty)
    store = ResultStore(out)
    with store.held():
        earlier, run = _runs(store, where, declared)
        checks = _checks(Surroundings.of(where, declared), earlier, declared, check or [])
        marking = Regrade(store, earlier, run, checks, policy)
        engine = LocalEngine(where, declared, seed=run.seed, jobs=jobs)
        with engine, ClassProgress(len(entries), quiet=as_json) as progress:
            engine.wait_ready()
            progress.started(engine.sandbox, engine.jobs, run.seed, _what(checks, declared))
            difference = marking.propose(entries, declared, engine, progress.graded)
        if apply:
            url = db or f"sqlite:///{(out / 'gradebook.db').resolve()}"
            with Gradebook(url, penalty) as gradebook:
                gradebook.prepare(declared)
                marking.apply(entries, declared, gradebook)
    if as_json:
        print(json.dumps(_as_json(checks, difference, applied=apply), ensure_ascii=False, indent=2))
    else:
        console().print(_page(checks, difference, applied=apply))
    if difference.failed:
        names = ", ".join(sorted(difference.failed)[:10])
        end(f"grader: failed on {len(difference.failed)} of {difference.students}, who keep what they have: {names}", 1)


def _runs(store: ResultStore, course: Course, assignment: Assignment) -> tuple[Run, Run]:
    """The run whose results are there, and one of the same seed with what marks depend on now."""
    earlier = store.earlier_run()
    if earlier is None or earlier.assignment != assignment.name:
        found = f"those of {earlier.assignment}" if earlier else "none"
        raise UsageError(f"expected results of `grader grade {assignment.name}` in {store.out}, found {found}.")
    return earlier, Run.of(course, assignment, earlier.seed)


def _checks(around: Surroundings, earlier: Run, assignment: Assignment, wanted: list[str]) -> list[str]:
    """The checks to be marked again, in the rubric's order."""
    if unknown := sorted(set(wanted) - set(assignment.checks)):
        raise UsageError(
            f"--check names {', '.join(unknown)}, which {assignment.name} does not have; write task.check."
        )
    changed = around.changed(earlier.parts, assignment.checks)
    return [name for name in assignment.checks if name in changed or name in wanted]


def _what(checks: list[str], assignment: Assignment) -> str:
    if len(checks) == len(assignment.checks):
        return "all checks"
    return ", ".join(checks) or "no check has changed"


def _page(checks: list[str], difference: Difference, *, applied: bool) -> RenderableType:
    """By check, by student, and what to do next."""
    parts: list[RenderableType] = []
    by_check = wide_table()
    for column in ("check", "gain", "lose"):
        by_check.add_column(column, justify="left" if column == "check" else "right")
    for name in [name for name in checks if difference.gained[name] or difference.lost[name]]:
        by_check.add_row(Text(name), str(difference.gained[name]), str(difference.lost[name]))
    if by_check.row_count:
        parts.append(by_check)
    if difference.changes:
        parts.append(_by_student(difference))
    gain = sum(sum(points.values()) > 0 for *_, points in difference.changes)
    lose = sum(sum(points.values()) < 0 for *_, points in difference.changes)
    counted = f"{len(checks)} checks marked again for {difference.students} submissions: {gain} gain, {lose} lose"
    new = f", {len(difference.new)} had no result of these files" if difference.new else ""
    then = "it counts now" if applied else "nothing is changed yet: --apply lets it count"
    return Group(*parts, Text(f"{counted}{new}; {then}."))


def _by_student(difference: Difference) -> RenderableType:
    table = wide_table()
    for column in ("student", "before", "after", "checks"):
        right = column in ("before", "after")
        table.add_column(column, justify="right" if right else "left", overflow="fold")
    for student, before, after, points in difference.changes[:MOST_STUDENTS]:
        table.add_row(Text(printable(student)), number(before), number(after), Text(_signed(points)))
    more = len(difference.changes) - MOST_STUDENTS
    return Group(table, Text(f"… and {more} more: --json names all", style="dim")) if more > 0 else table


def _signed(points: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {gain:+g}" for name, gain in points.items())


def _as_json(checks: list[str], difference: Difference, *, applied: bool) -> dict[str, Any]:
    keys = ("student", "before", "after", "checks")
    return {
        "checks": checks,
        "submissions": difference.students,
        "applied": applied,
        "changes": [dict(zip(keys, change, strict=True)) for change in difference.changes],
        "new": sorted(difference.new),
        "failed": sorted(difference.failed),
    }
