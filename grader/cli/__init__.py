"""The `grader` command: the only place that prints, and the only one that ends a process."""

from grader.cli import authoring, marking, selfcheck  # they register their commands
from grader.cli.common import app

__all__ = ["app", "authoring", "main", "marking", "selfcheck"]


def main() -> None:
    """Entry point of the `grader` command."""
    app()
