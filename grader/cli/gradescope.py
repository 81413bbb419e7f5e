"""The command for instructors who collect with Gradescope: gradescope."""

from pathlib import Path
from typing import Annotated

import typer

from grader.cli.common import HERE, INSTRUCTORS, CourseOption, app, one_line
from grader.course import Course
from grader.results import new_seed
from grader.terminal import console


@app.command(rich_help_panel=INSTRUCTORS)
@one_line
def gradescope(
    assignment: Annotated[str, typer.Argument(help="Name of the assignment, such as house_prices.")],
    out: Annotated[Path, typer.Option(help="The new zip, such as autograder.zip.", metavar="FILE")],
    visibility: Annotated[
        str,
        typer.Option(
            help="When students see titles, points, outcomes and hints of the checks: visible, hidden, after_due_date or "
            "after_published (default: as [shown] in course.toml)."
        ),
    ] = "",
    trust_submissions: Annotated[
        bool,
        typer.Option("--trust-submissions", help="Grade without a sandbox where the container allows none."),
    ] = False,
    course: CourseOption = HERE,
) -> None:
    """Pack the autograder of an assignment for Gradescope, hidden suite and all.

    Example: grader gradescope house_prices --out autograder.zip

    Upload it at Configure Autograder. Students' code runs in the grader's sandbox there. Lateness is Gradescope's to settle.
    """
    from grader.gradescope import pack

    where = Course.find(course)
    packed = pack(where, assignment, visibility=visibility, trust_submissions=trust_submissions)
    seed = where.term.seed
    if seed is not None or where.term.of(assignment).thresholds:
        _prove(where, assignment, new_seed() if seed is None else seed)
    for line in (
        str(packed.write(out)),
        f"Students see checks there: {packed.visibility}{'' if packed.hints else ', without hints'}.",
        "It holds the hidden suite: for Gradescope's Configure Autograder alone.",
        f"In Gradescope's settings: a container of at least {packed.memory_mb / 1024:g} GB of memory, and a time limit of at "
        f"least {packed.minutes} minutes.",
    ):
        console().print(line, highlight=False, markup=False, soft_wrap=True)


def _prove(course: Course, assignment: str, seed: int) -> None:
    """See that the suite holds for a term's seed and thresholds, by which all uploads will be graded."""
    from grader.executor import LocalEngine
    from grader.soundness.seeds import prove_seed

    declared = course.assignment(assignment)
    with LocalEngine(course, declared, seed=seed, exhibits=False) as engine:
        engine.wait_ready()
        prove_seed(course, declared, engine, seed)
