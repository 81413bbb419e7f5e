"""Commands for authors: new, sync, release, nbgrader, verify."""

import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from grader.cli.common import HERE, AssignmentsArgument, CourseOption, JobsOption, app, end, one_line
from grader.course import Course
from grader.terminal import console

PANEL = "For authors"


@app.command(rich_help_panel=PANEL)
@one_line
def new(
    name: Annotated[str, typer.Argument(help="Of the project's folders: small letters, digits and _.")],
    title: Annotated[str, typer.Option(help="What students read above the handout (default: the name).")] = "",
    course: CourseOption = HERE,
) -> None:
    """Begin a project: two small tasks with all that belongs to them, which `grader verify` finds sound.

    Example: grader new wind_power --title "Wind power: how much will it be tomorrow?"

    Then rewrite it piece by piece, and verify as you go. --course names a folder that is no course yet, too.
    """
    from grader.scaffold import start_project

    root = Course.find(course).root if course == HERE else course.resolve()
    for path in start_project(root, name, title or name.replace("_", " ").capitalize()):
        console().print(str(path), highlight=False, markup=False, soft_wrap=True)
    console().print(f"Next: grader verify {name}", highlight=False, markup=False)


@app.command(rich_help_panel=PANEL)
@one_line
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


@app.command(rich_help_panel=PANEL)
@one_line
def release(
    out: Annotated[Path, typer.Option(help="Folder for the students' folder and its zip.", metavar="DIR")],
    assignments: AssignmentsArgument = None,
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
        end(f"grader: {len(leaks)} leaks, nothing written; take them out of what students receive.", 2)
    for path in bundle.write(out):
        console().print(str(path), highlight=False, markup=False, soft_wrap=True)


@app.command(rich_help_panel=PANEL)
@one_line
def nbgrader(
    out: Annotated[Path, typer.Option(help="Folder of the nbgrader course.", metavar="DIR")],
    assignments: AssignmentsArgument = None,
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


@app.command(rich_help_panel=PANEL)
@one_line
def verify(
    assignments: AssignmentsArgument = None,
    check: Annotated[
        str,
        typer.Option(help="Of the mutants only those of this check, or of all whose names begin so.", metavar="NAME"),
    ] = "",
    every: Annotated[bool, typer.Option("--all", help="Grade what is known from an earlier run, too.")] = False,
    whole: Annotated[
        bool, typer.Option("--whole", help="Mark mutants by all checks, not only by those that their file can reach.")
    ] = False,
    page: Annotated[
        Path | None, typer.Option(help="Where the report goes (default: .verify/report.html).", metavar="FILE")
    ] = None,
    jobs: JobsOption = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of an earlier run, to draw the same.")] = None,
    course: CourseOption = HERE,
) -> None:
    """Prove hidden suites sound: the starter gets 0, correct solutions all points, and each known mistake is found.

    Example: grader verify house_prices --check train

    The solution is graded on 50 draws of data, which tells how near right work comes to the lines that checks draw.
    Exit code 1 when a suite is not sound; what is wrong with it stands below the tables, and with all else in the report.
    """
    from grader.cli.proofs import ProofProgress, margin_table, proof_table
    from grader.executor import LocalEngine
    from grader.results import new_seed
    from grader.soundness.proving import MEMORY, prove
    from grader.soundness.report import write_report

    where = Course.find(course)
    drawn = new_seed() if seed is None else seed
    proofs = []
    for name in assignments or where.names:
        with ProofProgress(name) as progress:
            declared = where.assignment(name)
            start = partial(LocalEngine, where, declared, seed=drawn, jobs=jobs, exhibits=False)
            told = progress.judged
            proofs.append(prove(where, name, start, seed=drawn, whole=whole, every=every, only=check, on_verdict=told))
    console().print(proof_table(proofs))
    console().print(margin_table(proofs))
    problems = [f"{proof.assignment}: {line}" for proof in proofs for line in proof.problems]
    for line in problems:
        console().print(line, highlight=False, markup=False, soft_wrap=True)
    written = write_report(proofs, page or where.root / MEMORY / "report.html", seed=drawn)
    console().print(f"The whole report: {written}", highlight=False, markup=False, soft_wrap=True)
    if problems:
        end(f"grader: not sound: {len(problems)} problems; seed {drawn}", 1)
    console().print(f"Sound, as far as these cases tell; seed {drawn}.", highlight=False)
