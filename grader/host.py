"""The warm trusted process: imports and collects the hidden suite once, then forks a grading child for each submission.

    python -m grader.host COURSE ASSIGNMENT SEED CONTROL        (CONTROL: the number of an inherited socket)

The control socket carries jobs: a JSON line and two descriptors, the child's socket to the broker and its session with
the sandbox. The child reads the submission from its socket, writes one result there and ends. The broker never forks,
the host never talks to a worker, and a child's death is seen by the broker as a closed socket.
"""

import contextlib
import gc
import os
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import msgspec

from grader.course import Course
from grader.errors import GraderError, UsageError
from grader.grading import grade
from grader.sandbox.collapse import collapse
from grader.sandbox.launch import Session
from grader.submission import Submission
from grader.suite.builders import warm_up
from grader.suite.collection import with_suite
from grader.suite.runner import Suite
from grader.watch import Watch
from grader.wire import FAULT, MAX_MESSAGE, RESULT, Job, Ready, read_all

SPARE_SECONDS = 120


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
            _mark(msgspec.json.decode(message, type=Job), *descriptors, suite)
        for descriptor in descriptors:
            os.close(descriptor)


def _reap() -> None:
    """Let go of the children that have ended; those that have not are asked again at the next job."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _mark(job: Job, broker: int, session: int, suite: Suite) -> None:
    """Be the grading child of one submission: read it, mark it, write the result, end."""
    limits = suite.rubric.assignment.limits
    signal.alarm(int(limits.submission_seconds * limits.wall_slack) + SPARE_SECONDS)  # a hung check of ours ends too
    try:
        wire = socket.socket(fileno=broker)
        try:
            files = msgspec.msgpack.decode(read_all(wire), type=dict[str, bytes])
            submission = Submission(job.student, files, source="")
            watch = Watch(files, Session(socket.socket(fileno=session)), limits)
            if job.seed is not None:
                suite.draw(job.seed)
            result = grade(submission, suite, watch, sandbox=job.sandbox, only=job.checks)
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
