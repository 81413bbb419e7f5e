"""Run the self-checks of a student's folder with pytest."""

import os
from contextlib import chdir
from pathlib import Path

import pytest

from grader.desk.workplace import SELF_CHECKS, assignment_in
from grader.suite.runner import DESK, NAME


def run_checks(folder: Path, task: str | None = None, *options: str) -> int:
    """Run all self-checks, or those of a task, as pytest shows them with these options; 0 when nothing is wrong, else 1.

    Raises:
        UsageError: no such folder or task.
    """
    folder = folder.resolve()
    assignment = assignment_in(folder)
    if task is not None:
        assignment.task_of(task)
    with chdir(folder):
        code = pytest.main([*arguments(folder), "--quiet", *options], plugins=[Chosen(task)])
    return 0 if code == pytest.ExitCode.OK else 1


def arguments(folder: Path) -> list[str]:
    """pytest's arguments for a folder's self-checks; no other project's settings reach it."""
    where = [str(path) for path in sorted(folder.glob(SELF_CHECKS))]
    alone = ["-c", os.devnull, f"--rootdir={folder}", f"--confcutdir={folder}", "--import-mode=importlib"]
    quiet = ["-pno:cacheprovider", "--no-header", "-Wignore::pytest.PytestAssertRewriteWarning"]
    return [*where, *alone, *quiet]


class Chosen:
    """A pytest plugin that leaves out what is not of the task."""

    def __init__(self, task: str | None) -> None:
        self._task = task

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        kept = [item for item in items if self._task in (None, task_of(item))]
        left_out = [item for item in items if item not in kept]
        items[:] = kept
        if left_out:
            config.hook.pytest_deselected(items=left_out)


def task_of(item: pytest.Item) -> str:
    """The task of a collected check, or nothing."""
    return item.stash[NAME].partition(".")[0] if DESK in item.stash else ""
