"""The `grader` command: the only place that prints, and the only one that ends a process."""

import json
import os
import secrets
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial, wraps
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from grader.batch import ResultStore, grade_class
from grader.course import Course
from grader.errors import GraderError, UsageError
from grader.expectations import differences, read_expectations
from grader.gradebook import Gradebook
from grader.results import SubmissionStatus
from grader.sandbox.probe import probe
from grader.submission import discover
from grader.terminal import ClassProgress, class_table, console, doctor_table, student_page, summary_of

app = typer.Typer(
    help="Marks a class of submissions without trusting a line of what was handed in.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

CourseOption = Annotated[
    Path, typer.Option("--course", help="The course's folder (default: the one this folder lies in).", metavar="DIR")
]
HERE = Path()


def main() -> None:
    """Entry point of the `grader` command."""
    app()


def _one_line(command: Callable) -> Callable:
    """End with one line and exit code 2 for wrong use, 1 for a fault of ours; never with a traceback."""

    @wraps(command)
    def run(*args: object, **kwargs: object) -> None:
        try:
            command(*args, **kwargs)
        except UsageError as error:
            _end(f"grader: {error}", 2)
        except GraderError as error:
            _end(f"grader: failed: {error}", 1)
        except KeyboardInterrupt:
            _end("grader: interrupted; results written so far are whole", 130)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(1) from None

    return run


def _end(line: str, code: int) -> NoReturn:
    print(" ".join(line.split()), file=sys.stderr)
    raise typer.Exit(code)


@app.command()
@_one_line
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
        _end(f"grader: failed on {len(failed)} of {len(results)}: {names}; grade them again with --only", 1)


def _compare(expect: Path, differing: Sequence[str], total: int) -> None:
    """Say which results are not as expected; all of them must be named, and no other."""
    for line in differing:
        console().print(line, highlight=False, markup=False, soft_wrap=True)
    if differing:
        _end(f"grader: {len(differing)} of {total} results are not as {expect} says", 1)
    console().print(f"All {total} results are as {expect} says.", highlight=False, markup=False, soft_wrap=True)


def _chosen(entries: list, only: list[str] | None) -> list:
    """The entries asked for with --only, each of which must exist."""
    if not only:
        return entries
    unknown = sorted(set(only) - {entry.student for entry in entries})
    if unknown:
        raise UsageError(f"--only names {', '.join(unknown)}, who handed in nothing here; check the spelling.")
    return [entry for entry in entries if entry.student in only]


@app.command()
@_one_line
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


@app.command()
@_one_line
def check(
    folder: Annotated[Path, typer.Argument(help="The folder that you were given (default: this one).")] = HERE,
    task: Annotated[str | None, typer.Option(help="One task only, such as train.", metavar="NAME")] = None,
) -> None:
    """Run the self-checks of a student's folder, once.

    Example: grader check assignments/house_prices --task train

    Exit code 0 when nothing is wrong, tasks not written yet included; 1 when a check fails.
    """
    from grader.desk.checking import run_checks

    raise typer.Exit(run_checks(folder, task))


@app.command()
@_one_line
def watch(
    folder: Annotated[Path, typer.Argument(help="The folder that you were given (default: this one).")] = HERE,
    limit: Annotated[float, typer.Option(min=1, help="Seconds after which a check is stopped.", metavar="S")] = 30,
) -> None:
    """Run the self-checks after every save, on what it can have changed; Ctrl-C ends it.

    Example: grader watch assignments/house_prices
    """
    from grader.desk.watching import watch as watch_folder
    from grader.desk.workplace import assignment_in

    with suppress(KeyboardInterrupt):
        watch_folder(folder, assignment_in(folder.resolve()), limit, partial(print, flush=True))


@app.command()
@_one_line
def doctor() -> None:
    """Say what this machine can do: versions, the sandbox level and why, accelerators."""
    console().print(doctor_table(probe()))


@app.command()
@_one_line
def sync(
    assignment: Annotated[str | None, typer.Argument(help="One assignment (default: all).")] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit code 1 when something is out of step.")
    ] = False,
    course: CourseOption = HERE,
) -> None:
    """Generate what students receive from solutions/: stubs, main.py, notebooks.

    Example: grader sync --check
    """
    from grader.release import sync as sync_stubs

    where = Course.find(course)
    changes = [
        change
        for name in ([assignment] if assignment else where.names)
        for change in sync_stubs(where, name, check=check)
    ]
    for change in changes:
        console().print(str(change), highlight=False, markup=False)
    if check and changes:
        raise typer.Exit(1)
    if not changes:
        console().print("All stubs and notebooks are in step with the solutions.")


@app.command()
@_one_line
def release(
    out: Annotated[Path, typer.Option(help="Folder for the students' folder and its zip.", metavar="DIR")],
    assignments: Annotated[list[str] | None, typer.Argument(help="Names of assignments (default: all).")] = None,
    course: CourseOption = HERE,
) -> None:
    """Pack what students receive, as a folder and a zip that work by themselves.

    Example: grader release --out released house_prices

    Exit code 2, with a line for each leak and nothing written, when it would hold something hidden.
    """
    from grader.bundle import make_bundle

    where = Course.find(course)
    bundle = make_bundle(where, assignments or ())
    leaks = bundle.leaks(where)
    for leak in leaks:
        print(f"grader: leak: {leak}", file=sys.stderr)
    if leaks:
        _end(f"grader: {len(leaks)} leaks, nothing written; take them out of what students receive.", 2)
    for path in bundle.write(out):
        console().print(str(path), highlight=False, markup=False, soft_wrap=True)


@app.command()
@_one_line
def nbgrader(
    out: Annotated[Path, typer.Option(help="Folder of the nbgrader course.", metavar="DIR")],
    assignments: Annotated[list[str] | None, typer.Argument(help="Names of assignments (default: all).")] = None,
    course: CourseOption = HERE,
) -> None:
    """Make a folder in which nbgrader's own commands work: configuration, and source notebooks with hidden checks.

    Example: grader nbgrader --out nbgrader_course house_prices

    Marks that count come from `grader grade … --db`, into the same gradebook: nbgrader's autograde runs students' code beside
    the hidden tests.
    """
    from grader.nbgrader_course import write_course

    where = Course.find(course)
    for path in write_course(where, assignments or where.names, out):
        console().print(str(path), highlight=False, markup=False, soft_wrap=True)
