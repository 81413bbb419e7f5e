"""The warm side of watching: a collected suite of self-checks whose checks are run again and again."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import TextIO

import pytest

from grader.desk.checking import task_of
from grader.desk.messages import Checking, Done, Request
from grader.errors import WorkerDied
from grader.suite.runner import DESK, NAME, Desk
from grader.suite.scoreboard import write_scoreboard, write_tasks

CANNOT_BE_IMPORTED = "importing "  # how the detail of such a result begins


class Rounds:
    """A pytest plugin whose run loop runs a round for each request, until the checks must be collected anew.

    Attributes:
        collected: whether there was a suite to run.
        next: the request that asked for collecting anew; None when the watcher has gone.
    """

    def __init__(self, connection: Connection, screen: TextIO, limit: float, first: Request) -> None:
        self._connection = connection
        self._screen = screen
        self._limit = limit
        self._failed: list[pytest.TestReport] = []
        self._in_check = False
        self.collected = False
        self.next: Request | None = first

    def superseded(self, *_: object) -> None:
        """Stop the running check: another request waits. A signal's handler."""
        if self._in_check:
            raise KeyboardInterrupt

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._screen.write(f"{report.longreprtext}\n")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._failed.append(report)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = [item for item in session.items if DESK in item.stash]
        if not items or session.testsfailed:
            return True
        self.collected = True
        for item in items:
            item.add_marker(pytest.mark.timeout(self._limit), append=False)
        desk = items[0].stash[DESK]
        reporter = pytest.TerminalReporter(session.config, self._screen)
        request = self.next
        while request is not None:
            self._screen.flush()
            if self._round(reporter, desk, items, request):
                self._connection.send(Done(request.number))
            request = self.next = receive(self._connection)
            if request is not None and request.affected.collect:
                break
        return True

    def _round(
        self, reporter: pytest.TerminalReporter, desk: Desk, items: Sequence[pytest.Item], request: Request
    ) -> bool:
        """Run what is affected, on modules imported anew; False when another request came in between."""
        started = time.monotonic()
        stages = [tasks for tasks in (request.affected.written, request.affected.using) if tasks]
        for task in sum(stages, ()):
            for name in [name for name in desk.results if name.startswith(f"{task}.")]:
                del desk.results[name]
        desk.close()
        for tasks in stages:
            self._failed.clear()
            for item in (item for task in tasks for item in items if task_of(item) == task):
                if self._connection.poll() or not self._run(item, desk):
                    return False
            self._show_failures(reporter, desk)
            if tasks is not stages[-1]:
                write_tasks(reporter, desk, [task for task in desk.rubric.assignment.task if task.name in tasks])
                reporter.write_line(f"Now what uses this: {', '.join(stages[-1])} …", light=True)
                self._screen.flush()
        seconds = time.monotonic() - started
        write_scoreboard(reporter, desk)
        reporter.write_line(f"Checked in {seconds:.2f} s at {time.strftime('%H:%M:%S')}; watching …", light=True)
        self._screen.flush()
        return True

    def _run(self, item: pytest.Item, desk: Desk) -> bool:
        """Run one check, with nothing left set up after it; False when it was stopped for another request."""
        self._connection.send(Checking(item.stash[NAME]))
        desk.fault = None
        try:
            with self._interruptible():
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
        except KeyboardInterrupt:
            item.config.hook.pytest_runtest_teardown(item=item, nextitem=None)
            if self._connection.poll():
                return False
            desk.note(item.stash[NAME], WorkerDied("KeyboardInterrupt ended the check"), 0)
        return True

    @contextmanager
    def _interruptible(self) -> Iterator[None]:
        self._in_check = True
        try:
            yield
        finally:
            self._in_check = False

    def _show_failures(self, reporter: pytest.TerminalReporter, desk: Desk) -> None:
        """One message for each; for all that a broken file keeps from running, one."""
        shown, waiting, seen = [], [], set()
        by_name = {result.name.partition(".")[2]: result for result in desk.results.values()}
        for report in self._failed:
            name = report.location[2].removeprefix("test_")
            detail = by_name[name].detail if name in by_name else ""
            if detail.startswith(CANNOT_BE_IMPORTED) and detail in seen:
                waiting.append(name)
            else:
                shown.append(report)
            seen.add(detail)
        reporter.stats = {"failed": shown}
        reporter.summary_failures()
        if waiting:
            reporter.write_line(f"Also waiting for a file that Python can import: {', '.join(waiting)}")


def receive(connection: Connection) -> Request | None:
    """The newest request, waited for; None when the watcher has gone."""
    try:
        request = connection.recv()
        while connection.poll():
            request = connection.recv()
    except (EOFError, OSError):
        return None
    return request
