"""Commands for instructors: grade, show, doctor."""

import json
import os
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from grader.batch import ResultStore, grade_class
from grader.cli.common import HERE, CourseOption, app, end, one_line
from grader.course import Course
from grader.errors import UsageError
from grader.expectations import differences, read_expectations
from grader.gradebook import Gradebook
from grader.results import SubmissionStatus
from grader.sandbox.probe import probe
from grader.submission import discover
from grader.terminal import ClassProgress, class_table, console, doctor_table, student_page, summary_of

PANEL = "For instructors"


@app.command(rich_help_panel=PANEL)
@one_line
def grade(
    assignment: Annotated[str, typer.Argument(help="Name of the assignment, such as house_prices.")],
    submissions: Annotated[Path, typer.Argument(help="Folder with one entry (folder, zip, notebook) per student.")],
    out: Annotated[Path, typer.Option(help="Folder for results and the gradebook.", metavar="DIR")],
    jobs: Annotated[int, typer.Option(min=1, help="Submissions graded at the same time.")] = os.cpu_count() or 1,
    db: Annotated[str, typer.Option(help="Gradebook's URL (default: SQLite in --out).", metavar="URL")] = "",
    only: Annotated[list[str] | None, typer.Option(help="Grade this student only; may be repeated.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of an earlier run, to reproduce its grades.")] = None,
    expect: Annotated[
        Path | None, typer.Option(help="JSON with each student's status, score and bonus; differing ends with 1.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the results as JSON instead of a table.")] = False,
    trust_submissions: Annotated[
        bool, typer.Option("--trust-submissions", help="Grade without a sandbox code that you would run yourself.")
    ] = False,
    course: CourseOption = HERE,
) -> None:
    """Grade a folder of submissions.

    Example: grader grade house_prices fixtures/submissions/house_prices --out results

    Exit code 0 when all were graded, whatever their scores; 1 when the grader failed on some; 2 for wrong use.
    """
    if trust_submissions:
        from grader.trusting import TrustingEngine as Engine
    elif sys.platform == "linux":
        from grader.executor import LocalEngine as Engine
    else:
        raise UsageError(
            f"expected Linux for the sandbox, found {sys.platform}; --trust-submissions grades without one."
        )

    where = Course.find(course)
    declared = where.assignment(assignment)
    entries = _chosen(discover(submissions, declared), only)
    store = ResultStore(out)
    store.prepare()
    drawn = secrets.randbits(32) if seed is None else seed
    wanted = read_expectations(expect) if expect is not None else None
    url = db or f"sqlite:///{(out / 'gradebook.db').resolve()}"
    with Engine(where, declared, seed=drawn, jobs=jobs) as engine, Gradebook(url) as gradebook:
        gradebook.prepare(declared)
        with ClassProgress(len(entries), quiet=as_json) as progress:
            engine.wait_ready()
            progress.started(engine.sandbox, engine.jobs, drawn)
            results = grade_class(entries, declared, engine, store, gradebook, progress.graded)
    if as_json:
        print(json.dumps(summary_of(declared.name, results), ensure_ascii=False, indent=2))
    else:
        console().print(class_table(results))
    if wanted is not None:
        _compare(expect, differences(wanted, results), len(results))
    failed = [result.student for result in results if result.status is SubmissionStatus.GRADER_ERROR]
    if failed:
        names = ", ".join(failed[:10])
        end(f"grader: failed on {len(failed)} of {len(results)}: {names}; grade them again with --only", 1)


def _compare(expect: Path, differing: Sequence[str], total: int) -> None:
    """Say which results are not as expected; all of them must be named, and no other."""
    for line in differing:
        console().print(line, highlight=False, markup=False, soft_wrap=True)
    if differing:
        end(f"grader: {len(differing)} of {total} results are not as {expect} says", 1)
    console().print(f"All {total} results are as {expect} says.", highlight=False, markup=False, soft_wrap=True)


def _chosen(entries: list, only: list[str] | None) -> list:
    """The entries asked for with --only, each of which must exist."""
    if not only:
        return entries
    unknown = sorted(set(only) - {entry.student for entry in entries})
    if unknown:
        raise UsageError(f"--only names {', '.join(unknown)}, who handed in nothing here; check the spelling.")
    return [entry for entry in entries if entry.student in only]


@app.command(rich_help_panel=PANEL)
@one_line
def show(
    directory: Annotated[Path, typer.Argument(help="The --out folder of an earlier `grader grade`.")],
    student: Annotated[str | None, typer.Argument(help="One student, in full.")] = None,
) -> None:
    """Show results: the class as a table, or one student check by check.

    Example: grader show results ada
    """
    results = ResultStore(directory).read()
    if student is None:
        console().print(class_table(results))
        return
    for result in results:
        if result.student == student:
            console().print(student_page(result))
            return
    raise UsageError(
        f"no result of {student!r} in {directory}; there are: {', '.join(r.student for r in results[:20])}."
    )


@app.command(rich_help_panel=PANEL)
@one_line
def doctor() -> None:
    """Say what this machine can do: versions, the sandbox level and why, accelerators."""
    console().print(doctor_table(probe()))
