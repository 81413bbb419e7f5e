"""The `grader` command: the only place that prints, and the only one that ends a process."""

from grader.cli import (  # they register their commands
    authoring,
    exporting,
    gradescope,
    marking,
    regrading,
    reporting,
    selfcheck,
    similarity,
    taking,
)
from grader.cli.common import app

__all__ = [
    "app",
    "authoring",
    "exporting",
    "gradescope",
    "main",
    "marking",
    "regrading",
    "reporting",
    "selfcheck",
    "similarity",
    "taking",
]


def main() -> None:
    """Entry point of the `grader` command."""
    app()
