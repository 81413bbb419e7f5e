"""Collect a hidden suite with pytest once, and do something with it instead of running it once."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.course import Course
from grader.errors import GraderError, UsageError
from grader.suite.checks import Rubric, Run
from grader.suite.desks import shipped_recipes
from grader.suite.exhibits import Exhibition
from grader.suite.runner import DESK, NAME, Suite

UNUSED_PLUGINS = (
    "cacheprovider",
    "doctest",
    "logging",
    "threadexception",
    "timeout",
    "unraisableexception",
    "warnings",
)


def with_suite(course: Course, name: str, seed: int, use: Callable[[Suite], None]) -> int:
    """Collect the hidden suite of an assignment, compute its references, and call `use` on it; pytest's exit code.

    Raises:
        UsageError: the suite and the rubric do not name the same checks, or there is no suite.
        GraderError: whatever `use` raised of the kind.
    """
    folder = course.suite(name)
    arguments = [str(folder), "-q", "-c", os.devnull, f"--rootdir={folder}", f"--confcutdir={folder}", f"--draw={seed}"]
    arguments += ["--import-mode=importlib", "--capture=no", *(f"-pno:{plugin}" for plugin in UNUSED_PLUGINS)]
    instead = RunLoop(folder, use)
    code = pytest.main(arguments, plugins=[instead])
    if instead.error is not None:
        raise instead.error
    return int(code)


class RunLoop:
    """A pytest plugin whose run loop hands the collected suite over."""

    def __init__(self, folder: Path, use: Callable[[Suite], None]) -> None:
        self._folder = folder
        self._use = use
        self.error: GraderError | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        try:
            suite = self._suite_of(session)
            suite.compute_references(_reference_builders(session))
            self._use(suite)
        except GraderError as error:  # pytest would make an internal error of it
            self.error = error
        return True

    def _suite_of(self, session: pytest.Session) -> Suite:
        """The collected items as a suite whose checks are exactly the rubric's."""
        checks = [item for item in session.items if isinstance(item, pytest.Function) and DESK in item.stash]
        items = {item.stash[NAME]: item for item in checks}
        if session.testsfailed or not items:
            raise UsageError(
                f"expected test_<task>.py files with functions declared by @check in {self._folder}, "
                f"found {len(items)} and {session.testsfailed} files that cannot be imported."
            )
        desk = next(iter(items.values())).stash[DESK]
        declared = {name: item.function.__check__ for name, item in items.items()}
        desk.rubric = Rubric.match(desk.rubric.assignment, declared, self._folder)
        return Suite(desk, items, shipped_recipes(self._folder), Exhibition.of(self._folder, desk.run))


def _reference_builders(session: pytest.Session) -> list[Callable[[Run], object]]:
    """The builders behind every `@reference` of the suite's modules and conftest."""
    own = {item.module for item in session.items if isinstance(item, pytest.Function)}
    modules = [*session.config.pluginmanager.get_plugins(), *own]
    things = [thing for module in modules for thing in getattr(module, "__dict__", {}).values()]
    return [thing.build_reference for thing in things if "build_reference" in getattr(thing, "__dict__", {})]
