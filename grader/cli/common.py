"""What all commands share: the application, its options, and how a command ends."""

import os
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from grader.errors import GraderError, UsageError

app = typer.Typer(
    help="Self-checks for students; marking without trust in what was handed in, and proofs, for those who teach.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

CourseOption = Annotated[
    Path, typer.Option("--course", help="The course's folder (default: the one this folder lies in).", metavar="DIR")
]
HERE = Path()


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
