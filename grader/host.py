"""The warm trusted process: imports and collects the hidden suite once, then forks a grading child for each submission.

    python -m grader.host COURSE ASSIGNMENT SEED CONTROL        (CONTROL: the number of an inherited socket)

The control socket carries jobs: a JSON line and two descriptors, the child's socket to the broker and its session with the
sandbox. The child reads the submission from its socket, writes one result there and ends. The broker never forks, the host
never talks to a worker, and a child's death is seen by the broker as a closed socket.
"""

import gc
import os
import signal
import socket
import sys
import traceback
from pathlib import Path

import msgspec
import pytest

from grader.course import Course
from grader.errors import GraderError, UsageError
from grader.grading import grade
from grader.sandbox.collapse import collapse
from grader.sandbox.launch import Session
from grader.submission import Submission
from grader.suite.builders import warm_up
from grader.suite.checks import Rubric
from grader.suite.desks import shipped_recipes
from grader.suite.runner import DESK, NAME, Suite
from grader.wire import FAULT, MAX_MESSAGE, RESULT, Job, Ready, read_all

SPARE_SECONDS = 120


class Hosting:
    """A pytest plugin whose run loop serves jobs instead of running the collected checks once."""

    def __init__(self, control: socket.socket, suite_folder: Path) -> None:
        self._control = control
        self._folder = suite_folder

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if session.testsfailed:
            raise UsageError(f"the hidden suite in {self._folder} could not be collected")
        suite = _suite_of(session, self._folder)
        suite.compute_references(_reference_builders(session))
        warm_up()
        gc.collect()
        collapse()
        gc.freeze()
        _tell(self._control, Ready({name: check.title for name, check in suite.rubric.checks.items()}))
        _serve(self._control, suite)
        return True


def _suite_of(session: pytest.Session, folder: Path) -> Suite:
    """The collected items as a suite whose checks are exactly the rubric's."""
    items = {item.stash[NAME]: item for item in session.items if DESK in item.stash}
    desk = next(iter(items.values())).stash[DESK] if items else None
    if desk is None:
        raise UsageError(f"{folder} has no checks: expected test_<task>.py files with functions declared by @check")
    assignment = desk.rubric.assignment
    desk.rubric = Rubric.match(assignment, {n: i.function.__check__ for n, i in items.items()}, folder)
    return Suite(desk, items, shipped_recipes(folder))


def _reference_builders(session: pytest.Session) -> list:
    modules = [*session.config.pluginmanager.get_plugins(), *{item.module for item in session.items}]
    things = [thing for module in modules for thing in getattr(module, "__dict__", {}).values()]
    return [thing.build_reference for thing in things if hasattr(type(thing), "__name__") and _is_reference(thing)]


def _is_reference(thing: object) -> bool:
    return "build_reference" in getattr(thing, "__dict__", {})


def _serve(control: socket.socket, suite: Suite) -> None:
    """Fork a child for each job until the broker closes the control socket."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # children are reaped by the kernel
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, MAX_MESSAGE, 2)
        if not message:
            return
        pid = os.fork()
        if pid == 0:
            control.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _mark(msgspec.json.decode(message, type=Job), *descriptors, suite)
        for descriptor in descriptors:
            os.close(descriptor)


def _mark(job: Job, broker: int, session: int, suite: Suite) -> None:
    """Be the grading child of one submission: read it, mark it, write the result, end."""
    limits = suite.rubric.assignment.limits
    signal.alarm(int(limits.submission_seconds * limits.wall_slack) + SPARE_SECONDS)  # a hung check of ours ends too
    try:
        wire = socket.socket(fileno=broker)
        try:
            files = msgspec.msgpack.decode(read_all(wire), type=dict[str, bytes])
            submission = Submission(job.student, files, source="")
            result = grade(submission, suite, Session(socket.socket(fileno=session)), sandbox=job.sandbox)
            wire.sendall(RESULT + result.to_json())
        except GraderError as error:
            wire.sendall(FAULT + str(error).encode("utf-8", "replace"))
        except BaseException:
            wire.sendall(FAULT + traceback.format_exc(limit=-6).encode("utf-8", "replace"))
    finally:
        os._exit(0)


def _tell(control: socket.socket, message: Ready) -> None:
    control.send(msgspec.json.encode(message))


def main() -> int:
    """Host one assignment's suite until the control socket closes."""
    course, name, seed = Course(Path(sys.argv[1])), sys.argv[2], sys.argv[3]
    control = socket.socket(fileno=int(sys.argv[4]))
    control.set_inheritable(False)
    folder = course.suite(name)
    arguments = [str(folder), "-q", "-c", os.devnull, f"--rootdir={folder}", f"--confcutdir={folder}", "--draw", seed]
    arguments += [
        f"-pno:{plugin}" for plugin in ("logging", "warnings", "doctest", "unraisableexception", "threadexception")
    ]
    arguments += ["--import-mode=importlib", "-p", "no:cacheprovider", "-p", "no:timeout", "--capture=no"]
    try:
        code = pytest.main(arguments, plugins=[Hosting(control, folder)])
    except UsageError as error:
        _tell(control, Ready(error=str(error)))
        return 2
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
