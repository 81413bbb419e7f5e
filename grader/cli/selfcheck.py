"""Commands for students: check, watch."""

from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from grader.cli.common import HERE, app, one_line

PANEL = "For students"


@app.command(rich_help_panel=PANEL)
@one_line
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


@app.command(rich_help_panel=PANEL)
@one_line
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
