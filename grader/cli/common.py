"""What all commands share: the application, its options, and how a command ends."""

import os
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from grader.course import Course
from grader.errors import GraderError, UsageError

app = typer.Typer(
    help="Self-checks for students; marking without trust in what was handed in, and proofs, for those who teach.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
HERE = Path()
INSTRUCTORS = "For instructors"
"""Where their commands stand in `grader --help`."""


def assignments_here(ctx: typer.Context, incomplete: str) -> list[str]:
    """Names of the course's assignments, for a shell that completes one."""
    try:
        names = Course.find(ctx.params.get("course") or HERE).names
    except UsageError:
        return []
    return [name for name in names if name.startswith(incomplete)]


AssignmentArgument = Annotated[
    str, typer.Argument(help="Name of the assignment, such as house_prices.", autocompletion=assignments_here)
]
AssignmentsArgument = Annotated[
    list[str] | None, typer.Argument(help="Names of assignments (default: all).", autocompletion=assignments_here)
]
CourseOption = Annotated[
    Path, typer.Option("--course", help="The course's folder (default: the one this folder lies in).", metavar="DIR")
]
TimesOption = Annotated[
    str,
    typer.Option(
        help="When entries were handed in that are not named STUDENT@TIME: a CSV file (student,attempt,time), or mtime.",
        metavar="FILE|mtime",
    ),
]
ExtensionsOption = Annotated[
    Path | None,
    typer.Option(help="TOML with more time for some (default: the course's extensions.toml).", metavar="FILE"),
]
JobsOption = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Submissions graded at the same time here (default: one for each core, and some more while these wait).",
        show_default=False,
    ),
]


def one_line(command: Callable) -> Callable:
    """End with one line and exit code 2 for wrong use, 1 for a fault of ours; never with a traceback."""

    @wraps(command)
    def run(*args: object, **kwargs: object) -> None:
        try:
            command(*args, **kwargs)
        except UsageError as error:
            end(f"grader: {error}", 2)
        except GraderError as error:
            end(f"grader: failed: {error}", 1)
        except KeyboardInterrupt:
            end("grader: interrupted; results written so far are whole", 130)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(1) from None

    return run


def end(line: str, code: int) -> NoReturn:
    """End the command with one line on standard error, and this exit code."""
    print(" ".join(line.split()), file=sys.stderr)
    raise typer.Exit(code)
