"""Commands for instructors: grade, show, doctor."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from msgspec.structs import replace

from grader.attempts import Policy
from grader.batch import Engine, grade_class, proven
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
from grader.deadlines import penalty_by, read_extensions, terms_of, unknown
from grader.doctor import examination
from grader.entries import Entry, Times, same_student
from grader.errors import UsageError
from grader.expectations import differences, read_expectations
from grader.gradebook import Gradebook
from grader.results import new_seed
from grader.sandbox.probe import probe
from grader.settings import nearest
from grader.store import ResultStore, Run
from grader.submission import better_fit, discover
from grader.terminal import ClassProgress, class_table, console, student_page, summary_of


@app.command(rich_help_panel=INSTRUCTORS)
@one_line
def grade(
    assignment: AssignmentArgument,
    submissions: Annotated[
        Path, typer.Argument(help="Folder with an entry (folder, zip, notebook) per student or attempt.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for results and the gradebook.", metavar="DIR")],
    jobs: JobsOption = None,
    cluster: Annotated[
        str, typer.Option(help="Grade on Dask workers: tcp://scheduler:8786, or local:N processes.", metavar="ADDRESS")
    ] = "",
    db: Annotated[str, typer.Option(help="Gradebook's URL (default: SQLite in --out).", metavar="URL")] = "",
    only: Annotated[list[str] | None, typer.Option(help="Grade this student only; may be repeated.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of an earlier run, to reproduce its grades.")] = None,
    expect: Annotated[
        Path | None, typer.Option(help="JSON with each student's status, score and bonus; differing ends with 1.")
    ] = None,
    times: TimesOption = "",
    extensions: ExtensionsOption = None,
    force: Annotated[bool, typer.Option("--force", help="Grade again what has a result in --out already.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the results as JSON instead of a table.")] = False,
    exhibits: Annotated[
        bool, typer.Option("--exhibits/--no-exhibits", help="Keep figures of what the code computes, for reports.")
    ] = True,
    trust_submissions: Annotated[
        bool, typer.Option("--trust-submissions", help="Grade without a sandbox code that you would run yourself.")
    ] = False,
    course: CourseOption = HERE,
) -> None:
    """Grade a folder of submissions.

    Example: grader grade house_prices fixtures/submissions/house_prices --out results

    The same command goes on with a run that was ended, and grades what was handed in since: what the same files got by
    the same suite is kept. Of many attempts of a student, ada@2026-04-30T18-02-11Z and so on, the one counts that [deadline]
    in assignment.toml says.

    Exit code 0 when all were graded, whatever their scores; 1 when the grader failed on some; 2 for wrong use.
    """
    start = _engine(cluster, trusting=trust_submissions)
    options = {} if exhibits or trust_submissions else {"exhibits": False}
    where = Course.find(course)
    declared = where.assignment(assignment)
    given, more_time = Times.read(times), read_extensions(extensions, where, declared)
    handed_in = discover(submissions, declared, given)
    entries = _chosen(handed_in, only)
    wanted = read_expectations(expect) if expect is not None else {}
    store = ResultStore(out)
    with store.held():
        run, why = _run_to_go_on_with(store, where, declared, seed, force=force)
        url = db or f"sqlite:///{(out / 'gradebook.db').resolve()}"
        _warn(handed_in, declared, given, more_time, _others(where, declared))
        with (
            start(where, declared, seed=run.seed, jobs=jobs, **options) as engine,
            Gradebook(url, penalty := penalty_by(declared.deadline, where)) as gradebook,
        ):
            policy = Policy(declared.deadline, more_time, penalty)
            gradebook.prepare(declared)
            with ClassProgress(len(entries), quiet=as_json) as progress:
                engine.wait_ready()
                of_term = run.seed == where.term.seed or where.term.of(declared.name).thresholds
                if of_term and not run.proven:
                    progress.trying(run.seed)
                    run = proven(run, where, declared, engine)
                store.begin(run)
                progress.started(engine.sandbox, engine.jobs, run.seed, why)
                grade_class(
                    entries, declared, engine, store, gradebook, progress.graded, run=run, force=force, policy=policy
                )
                if not only:
                    store.begin(replace(run, terms=terms_of(declared.deadline, more_time, own=extensions is None)))
        students = list(dict.fromkeys(entry.student for entry in entries))
        if as_json:
            print(json.dumps(summary_of(declared.name, store.results_of(students)), ensure_ascii=False, indent=2))
        else:
            console().print(class_table(store.results_of(students)))
        if expect is not None:
            _compare(expect, differences(wanted, store.results_of(students)), len(students))
        failed = [result.student for result in store.results_of(students) if result.has_faults]
    if failed:
        names = ", ".join(failed[:10])
        end(f"grader: failed on {len(failed)} of {len(students)}: {names}; grade them again with --only", 1)


def _engine(cluster: str, *, trusting: bool) -> Callable[..., AbstractContextManager[Engine]]:
    """What starts the engine that was asked for, once there are a course, an assignment, `seed` and `jobs`.

    Raises:
        UsageError: there is none for this.
    """
    if cluster:
        if trusting:
            raise UsageError("expected --cluster or --trust-submissions, found both: workers grade in a sandbox alone.")
        from grader.cluster import ClusterEngine

        return partial(ClusterEngine, address=cluster, tell=lambda line: print(f"grader: {line}", file=sys.stderr))
    if trusting:
        from grader.trusting import TrustingEngine

        return TrustingEngine
    if sys.platform == "linux":
        from grader.executor import LocalEngine

        return LocalEngine
    raise UsageError(f"expected Linux for the sandbox, found {sys.platform}; --trust-submissions grades without one.")


def _warn(
    entries: Sequence[Entry],
    assignment: Assignment,
    times: Times,
    extensions: Mapping[str, timedelta],
    others: Sequence[Assignment],
) -> None:
    """Say before grading which times are missing, which times and extensions are nobody's, and what is not meant perhaps."""
    other, count = better_fit(entries, assignment, others)
    lines = (
        [f"{count} of {len(entries)} entries look like work on {other}, and not on {assignment.name}."] if other else []
    )
    lines += unknown("the file of extensions", extensions, {entry.student for entry in entries})
    lines += unknown("--times", times.unused(entries), {entry.path.stem for entry in entries})
    undated = [entry.student for entry in entries if entry.time is None and not entry.problem]
    if assignment.deadline.due and undated:
        lines.append(
            f"{len(undated)} of {len(entries)} entries have no time and are taken as on time: {', '.join(undated[:5])}"
            f"{', …' if len(undated) > 5 else ''}; name them <student>@2026-04-30T18-02-11Z, or give --times."
        )
    for line in lines:
        print(f"grader: {line}", file=sys.stderr)


def _others(course: Course, assignment: Assignment) -> list[Assignment]:
    """The course's other assignments, but for those that cannot be read: that is nobody's business here."""
    found = []
    for name in course.names:
        if name != assignment.name:
            with suppress(UsageError):
                found.append(course.assignment(name))
    return found


def _run_to_go_on_with(
    store: ResultStore, course: Course, assignment: Assignment, seed: int | None, *, force: bool
) -> tuple[Run, str]:
    """The run that the results are to belong to, and why earlier ones are not kept; nothing where they are."""
    earlier = store.earlier_run()
    if earlier and earlier.assignment != assignment.name:
        raise UsageError(
            f"expected a folder for results of {assignment.name}, found those of {earlier.assignment} in {store.out}; "
            "name another one with --out."
        )
    seed = course.term.seed if seed is None else seed
    if earlier is not None and seed in (None, earlier.seed) and not force:
        drawn = earlier.seed
    else:
        drawn = new_seed() if seed is None else seed
    run = Run.of(course, assignment, drawn)
    if earlier is None:
        return run, ""
    if force:
        return run, "grading all anew (--force)"
    if earlier.seed != run.seed:
        return run, f"grading all anew: the results there are of seed {earlier.seed}"
    if earlier.surroundings != run.surroundings:
        return run, "grading all anew: rubric, suite, grader or libraries are not those of the results there"
    return replace(run, proven=earlier.proven, terms=earlier.terms), ""


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


@app.command(rich_help_panel=INSTRUCTORS)
@one_line
def show(
    directory: Annotated[Path, typer.Argument(help="The --out folder of an earlier `grader grade`.")],
    student: Annotated[str | None, typer.Argument(help="One student, in full.")] = None,
    lost: Annotated[bool, typer.Option("--lost", help="Of a student's checks only those without all points.")] = False,
) -> None:
    """Show results: the class as a table, or one student check by check.

    Example: grader show results ada --lost
    """
    results = sorted(ResultStore(directory).read(), key=lambda result: same_student(result.student))
    if student is None:
        console().print(class_table(results))
        return
    for result in results:
        if result.student == student:
            console().print(student_page(result, only_lost=lost))
            return
    names = [result.student for result in results]
    raise UsageError(f"no result of {student!r} in {directory}{nearest(student, names)}.")


@app.command(rich_help_panel=INSTRUCTORS)
@one_line
def doctor() -> None:
    """Say what this machine can do: versions, the sandbox level and why, accelerators."""
    console().print(examination(probe()))
