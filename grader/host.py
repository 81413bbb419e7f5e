"""The warm trusted process: imports and collects the hidden suite once, then forks a grading child for each submission.

    python -m grader.host COURSE ASSIGNMENT SEED CONTROL        (CONTROL: the number of an inherited socket)

The control socket carries jobs: a JSON line and two descriptors, the child's socket to the broker and its session with
the sandbox. The child reads the submission from its socket, writes one result there and ends. The broker never forks,
the host never talks to a worker, and a child's death is seen by the broker as a closed socket.
"""

import contextlib
import faulthandler
import gc
import os
import resource
import socket
import sys
import traceback
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import msgspec

from grader.course import Course, Limits
from grader.errors import GraderError, UsageError
from grader.grading import Progress, exhibits_of, grade
from grader.results import CheckStatus, SubmissionResult
from grader.sandbox.collapse import collapse
from grader.sandbox.launch import Session
from grader.sandbox.processes import status_kb
from grader.submission import Submission
from grader.suite.builders import warm_up
from grader.suite.collection import with_suite
from grader.suite.runner import Suite
from grader.watch import Watch
from grader.wire import ANSWER, CHECK, EXHIBITS, FAULT, MAX_MESSAGE, RESULT, Job, Ready, read_all

SPARE_SECONDS = 120
SPARE_BYTES = 1 << 30
TRIES_AFTER_KILL = 2  # before it is taken for the student's own doing


def _serve_jobs(control: socket.socket) -> Callable[[Suite], None]:
    """What to do with the collected suite: warm up, say so, and serve jobs."""

    def serve(suite: Suite) -> None:
        warm_up()
        gc.collect()
        collapse()
        gc.freeze()
        _tell(control, Ready({name: check.title for name, check in suite.rubric.checks.items()}))
        _serve(control, suite)

    return serve


def _serve(control: socket.socket, suite: Suite) -> None:
    """Fork a child for each job until the broker closes the control socket."""
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, MAX_MESSAGE, 2)
        _reap()
        if not message:
            return
        pid = os.fork()
        if pid == 0:
            control.close()
            broker, session = descriptors
            _mark(msgspec.json.decode(message, type=Job), broker, session, suite)
        for descriptor in descriptors:
            os.close(descriptor)


def _reap() -> None:
    """Let go of the children that have ended; those that have not are asked again at the next job."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _mark(job: Job, broker: int, session: int, suite: Suite) -> None:
    """Be the grading child of one submission: read it, mark it, write the result, end."""
    most = (status_kb("VmData") << 10) + SPARE_BYTES  # an answer that takes more to judge is none
    resource.setrlimit(resource.RLIMIT_DATA, (most, resource.getrlimit(resource.RLIMIT_DATA)[1]))
    try:
        wire = socket.socket(fileno=broker)
        try:
            files = msgspec.msgpack.decode(read_all(wire), type=dict[str, bytes])
            submission = Submission(job.student, files, source="")
            if job.seed is not None:
                suite.draw(job.seed)
            watchdog = Watchdog(wire, suite.rubric.assignment.limits)
            result = _graded(submission, job, suite, Session(socket.socket(fileno=session)), watchdog)
            faulthandler.cancel_dump_traceback_later()
            wire.sendall(RESULT + result.to_json())
        except GraderError as error:
            wire.sendall(FAULT + str(error).encode("utf-8", "replace"))
        except BaseException:
            wire.sendall(FAULT + traceback.format_exc(limit=-6).encode("utf-8", "replace"))
    finally:
        os._exit(0)


class Watchdog(Progress):
    """Tells the broker how far it is, and ends this process when a check does not come to its end, wherever it hangs."""

    def __init__(self, wire: socket.socket, limits: Limits) -> None:
        self._wire = wire
        self._patience = 2 * limits.check_seconds * limits.wall_slack + SPARE_SECONDS

    def on_check(self, name: str) -> None:
        self._wire.sendall(CHECK + name.encode() + b"\n")
        faulthandler.dump_traceback_later(self._patience, exit=True, file=self._wire)

    def on_answer(self) -> None:
        self._wire.sendall(ANSWER + b"\n")


def _graded(submission: Submission, job: Job, suite: Suite, session: Session, watchdog: Watchdog) -> SubmissionResult:
    """Mark it; checks in which somebody's SIGKILL ended the worker are run again, in case it was an accident of the
    machine's: what the student's own code does comes again."""
    limits = suite.rubric.assignment.limits
    mark = partial(grade, submission, suite, sandbox=job.sandbox, given_up=job.given_up, progress=watchdog)
    watch = Watch(submission.files, session, limits)
    result = mark(watch, only=job.checks)
    for _ in range(TRIES_AFTER_KILL):
        lost = [check.name for check in result.checks if check.status is CheckStatus.CRASHED]
        if not (watch.killed and lost):
            break
        watch = Watch(submission.files, session, limits)
        again = mark(watch, only=lost)
        found = {check.name: check for check in again.checks}
        checks = [found.get(check.name, check) for check in result.checks]
        seconds, cpu = result.seconds + again.seconds, result.cpu_seconds + again.cpu_seconds
        result = replace(result, checks=checks, seconds=round(seconds, 3), cpu_seconds=round(cpu, 3))
    if job.exhibits and suite.exhibition.functions:
        watchdog.on_check(EXHIBITS)
        of_one_check = msgspec.structs.replace(limits, submission_seconds=limits.check_seconds)
        exhibits = exhibits_of(submission, suite, Watch(submission.files, session, of_one_check))
        result = replace(result, exhibits=exhibits)
    return result


def _tell(control: socket.socket, message: Ready) -> None:
    control.send(msgspec.json.encode(message))


def main() -> int:
    """Host one assignment's suite until the control socket closes."""
    course, name, seed = Course(Path(sys.argv[1])), sys.argv[2], int(sys.argv[3])
    control = socket.socket(fileno=int(sys.argv[4]))
    control.set_inheritable(False)
    try:
        return with_suite(course, name, seed, _serve_jobs(control))
    except UsageError as error:
        _tell(control, Ready(error=str(error)))
        return 2


if __name__ == "__main__":
    sys.exit(main())
