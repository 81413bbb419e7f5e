"""Watch a student's folder: after each save, a warm process runs the checks that it can have changed."""

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from grader.course import Assignment
from grader.desk.imports import Affected, affected, changed
from grader.desk.messages import Checking, Done, Ready, Request
from grader.desk.warm import work
from grader.desk.workplace import LOOKED_AT, read_files
from grader.errors import GraderFault

STEP_MS, LONGEST_BURST_MS, TURN_MS = 10, 300, 100
GRACE = 10.0  # seconds that a check may need to end after it was stopped
LONG = 2.0  # seconds after which a check is stopped for a newer save; before, its end is nearer than any new start


def watch(folder: Path, assignment: Assignment, limit: float, say: Callable[[str], None]) -> None:
    """Run the self-checks of `folder` now and after each save, until interrupted; `say` prints a line.

    The checks' results are written to the standard output by the warm process. `limit` is what a check may take, in seconds.

    Raises:
        KeyboardInterrupt: the user has had enough; nothing is left running.
        GraderFault: the warm process cannot be started.
    """
    from watchfiles import watch as changes

    watcher = Watcher(folder.resolve(), assignment, limit, say)
    with _ended_politely():
        try:
            events = changes(
                watcher.folder,
                watch_filter=None,
                debounce=LONGEST_BURST_MS,
                step=STEP_MS,
                rust_timeout=TURN_MS,
                yield_on_timeout=True,
            )
            next(events)  # from here on no save is missed
            watcher.start()
            watcher.look()
            for event in events:
                watcher.turn()
                if any(path.endswith(LOOKED_AT) for _, path in event):
                    watcher.look()
        finally:
            watcher.stop()


@contextmanager
def _ended_politely() -> Iterator[None]:
    """A polite end from outside, or a terminal that is closed, takes the warm process along, as Ctrl-C does."""
    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    polite = [number for number in numbers if signal.getsignal(number) != signal.SIG_IGN]  # nohup's word stays
    asked: list[int] = []

    def end(number: int, _: object) -> None:
        asked.append(number)
        raise KeyboardInterrupt  # the one exception of a handler that watchfiles passes on

    before = {number: signal.signal(number, end) for number in polite}
    try:
        yield
    except KeyboardInterrupt:
        if asked:
            raise SystemExit(128 + asked[0]) from None
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Watcher:
    """What the folder's files are, what is owed to them, and the warm process that pays."""

    def __init__(self, folder: Path, assignment: Assignment, limit: float, say: Callable[[str], None]) -> None:
        self.folder = folder
        self._assignment = assignment
        self._limit = limit
        self._say = say
        self._tasks = tuple(task.name for task in assignment.task)
        self._files = read_files(folder)
        self._owed = Affected(self._tasks)
        self._number = 0
        self._check = ""
        self._since = 0.0
        self._ready = False
        self._superseded = False
        self._held = False

    def start(self) -> None:
        """Start a warm process."""
        self._say(f"Warming up for {self._assignment.title} …")
        context = multiprocessing.get_context("spawn")  # forking what has threads is no good, and not all systems can
        self._connection, theirs = context.Pipe()
        arguments = (theirs, self.folder, self._assignment.libraries, self._limit)
        self._process = context.Process(target=work, args=arguments, name="grader-desk")
        # Inherited by the process: Ctrl-C ends the watcher, and the watcher ends the process.
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            self._process.start()
        finally:
            signal.signal(signal.SIGINT, before)
        theirs.close()
        self._ready, self._check, self._superseded = False, "", False

    def look(self) -> None:
        """See what was saved, and ask for what it affects."""
        before, self._files = self._files, read_files(self.folder)
        names = changed(before, self._files)
        if not names:
            return
        new = affected(names, before, self._files, self._tasks)
        self._say(f"\n{_listed(names)} saved: {_what_runs(new)}")
        if not new and not self._held:
            return
        waiting = {*self._owed.written, *self._owed.using, *new.using} - set(new.written)
        using = tuple(task for task in self._tasks if task in waiting)
        self._owed = Affected(new.written, using, new.collect or self._owed.collect)
        self._held = False
        if self._ready:
            self._ask()

    def turn(self) -> None:
        """Hear what the warm process says; replace it when it has ended or hangs."""
        with suppress(EOFError, OSError):
            while self._connection.poll():
                self._hear(self._connection.recv())
        running = time.monotonic() - self._since if self._check else 0.0
        if not self._process.is_alive():
            self._replace(f"the process ended (exit code {self._process.exitcode})")
        elif running > self._limit + GRACE:
            self._replace(f"it did not stop after {self._limit:g} s")
        elif running > LONG and self._superseded and hasattr(signal, "SIGUSR1"):
            assert self._process.pid is not None  # it is alive
            os.kill(self._process.pid, signal.SIGUSR1)

    def stop(self) -> None:
        """End the warm process and what it started."""
        process = getattr(self, "_process", None)
        if process is None or process.pid is None:
            return
        if hasattr(os, "killpg"):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        process.join()
        self._connection.close()

    def _ask(self) -> None:
        self._number += 1
        self._superseded = bool(self._check)
        with suppress(OSError):  # it has just ended: `turn` sees to that
            self._connection.send(Request(self._number, self._owed))

    def _hear(self, message: Ready | Checking | Done) -> None:
        match message:
            case Ready():
                self._ready = True
                if not self._held:
                    self._ask()
            case Checking(name):
                self._check, self._since, self._superseded = name, time.monotonic(), False
            case Done(number):
                self._check = ""
                if number == self._number:
                    self._owed = Affected(())

    def _replace(self, why: str) -> None:
        """A new process, which waits for the next save: the same code would end it again."""
        if not self._ready:
            raise GraderFault(f"the process that runs the checks ended while it started: {why}.")
        check = self._check or "between two checks"
        self._say(f"\n{check}: {why}. Mend this and save; the checks go on then.")
        self.stop()
        self._owed, self._held = Affected(self._tasks), True
        self.start()


def _listed(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if names[3:] else "")


def _what_runs(what: Affected) -> str:
    if what.collect:
        return "reading the checks anew"
    if not what:
        return "no check depends on it"
    return "checking " + ", ".join(what.written + what.using)
