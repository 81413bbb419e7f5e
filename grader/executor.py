"""The local engine: a warm host and a warm sandbox, started once; one grading child for each submission.

This process only passes messages on. It never forks, runs no check and reads no byte that comes from student code.
"""

import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path

import msgspec

import grader
from grader.course import Assignment, Course
from grader.errors import GraderFault, UsageError
from grader.results import SubmissionResult
from grader.sandbox.launch import Level, Sandbox
from grader.submission import Submission
from grader.wire import FAULT, MAX_MESSAGE, RESULT, Job, Ready, read_all, told

TRIES = 2  # a fault of ours is tried once more before it is reported
PRELOAD = (
    "accelerate matplotlib.pyplot numpy pandas scipy.stats sklearn.compose sklearn.ensemble sklearn.impute "
    "sklearn.linear_model sklearn.model_selection sklearn.pipeline sklearn.preprocessing torch torch._dynamo "
    "torch.distributed torch.multiprocessing torch.utils.data torchvision tqdm grader.suite.builders"
)


class Host:
    """The warm trusted process that has collected the suite."""

    def __init__(self, course: Course, assignment: Assignment, seed: int) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  closed with the host
        arguments = [str(course.root), assignment.name, str(seed), str(theirs.fileno())]
        single_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "grader.host", *arguments],
            env={**os.environ, **single_thread, "CUDA_VISIBLE_DEVICES": "", "MPLBACKEND": "Agg"},
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )
        theirs.close()
        self._lock = threading.Lock()

    def wait_ready(self) -> Mapping[str, str]:
        """Titles of the checks, once the suite is collected.

        Raises:
            UsageError: the suite and the rubric do not fit, or the suite cannot be imported.
        """
        message = self._control.recv(MAX_MESSAGE)
        ready = msgspec.json.decode(message, type=Ready) if message else Ready(error=self._last_words())
        if ready.error:
            raise UsageError(f"the hidden suite cannot be used: {ready.error}")
        return ready.titles

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def mark(self, job: Job, child: socket.socket, session: socket.socket) -> None:
        """Have a grading child forked that talks on `child` and owns `session`."""
        with self._lock:
            socket.send_fds(self._control, [msgspec.json.encode(job)], [child.fileno(), session.fileno()])

    def close(self) -> None:
        self._control.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def _last_words(self) -> str:
        self._process.wait()
        self._log.seek(0)
        lines = self._log.read().decode("utf-8", "replace").strip().splitlines()
        return "; ".join(line.strip() for line in lines[-6:]) or f"its process ended with {self._process.returncode}"


class LocalEngine:
    """Grades submissions on this machine, `jobs` at a time; `submit` gives futures, as an executor does.

    Starting takes seconds and goes on in the background until `wait_ready`.
    """

    def __init__(
        self, course: Course, assignment: Assignment, *, seed: int, jobs: int, level: Level | None = None
    ) -> None:
        self._course, self._assignment, self._seed, self._wanted = course, assignment, seed, level
        self._lock = threading.Lock()
        self._alone = threading.Lock()  # without namespaces, only who is alone can end all of its processes
        self._closing = False
        self.jobs = jobs
        self.titles: Mapping[str, str] = {}
        self._sandbox: Sandbox | None = None
        self._threads = ThreadPoolExecutor(jobs, thread_name_prefix="job")
        self._host = Host(course, assignment, seed)
        self._starting = self._threads.submit(self._start_sandbox)  # the two import side by side, on two cores

    def wait_ready(self) -> None:
        """Wait for the warm processes, once; until then, only `close` may be called.

        Raises:
            SandboxError: student code could not be confined.
            UsageError: the hidden suite cannot be used.
        """
        if self._sandbox is not None:
            return
        self._sandbox = self._starting.result()
        self.titles = self._host.wait_ready()
        if self._sandbox.level is Level.LANDLOCK:
            self.jobs = 1

    @property
    def sandbox(self) -> str:
        """The level that student code runs at, and why."""
        return f"{self._sandbox.level}: {self._sandbox.reason}"

    def submit(
        self, submission: Submission, *, seed: int | None = None, checks: Sequence[str] = ()
    ) -> "Future[SubmissionResult]":
        """Grade one submission; the future raises GraderFault when the grader failed on it twice.

        `seed` draws from another one than the engine's, `checks` names those that are to run instead of all: for whoever
        asks about the suite, and not about the submission.
        """
        return self._threads.submit(self._grade, submission, seed, tuple(checks))

    def close(self) -> None:
        """End everything that was started."""
        self._closing = True
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self._sandbox is None and self._starting.exception() is None:  # closed before it was ready
            self._sandbox = self._starting.result()
        if self._sandbox is not None:
            self._sandbox.close()  # what is still being graded loses its workers, and ends
        self._host.close()
        self._threads.shutdown(wait=True)

    def __enter__(self) -> "LocalEngine":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start_sandbox(self) -> Sandbox:
        return Sandbox.start(
            preload=[*PRELOAD.split(), *self._assignment.libraries],
            warm_up="grader.suite.builders:warm_up",
            serve="grader.suite.builders:serve",
            readable=[Path(grader.__file__).parent],
            canary=self._course.suite(self._assignment.name),
            level=self._wanted,
        )

    def _grade(self, submission: Submission, seed: int | None, checks: tuple[str, ...]) -> SubmissionResult:
        job = Job(submission.student, self._sandbox.level, seed, checks)
        with self._alone if self._sandbox.level is Level.LANDLOCK else nullcontext():
            return self._grade_twice(submission, job)

    def _grade_twice(self, submission: Submission, job: Job) -> SubmissionResult:
        for tried in range(1, TRIES + 1):
            try:
                return self._grade_once(submission, job)
            except GraderFault as fault:
                if tried == TRIES or self._closing:
                    raise
                self._renew(fault)
        raise AssertionError("unreachable")

    def _grade_once(self, submission: Submission, job: Job) -> SubmissionResult:
        ours, theirs = socket.socketpair()
        try:
            with ours, theirs, self._sandbox.open_session() as session:
                self._host.mark(job, theirs, session)
                theirs.close()
                session.close()
                ours.sendall(msgspec.msgpack.encode(dict(submission.files)))
                ours.shutdown(socket.SHUT_WR)
                answer = read_all(ours)
        except OSError as error:
            raise GraderFault(f"a grading process went away: {error}") from None
        if answer.startswith(FAULT):
            raise GraderFault(answer[1:].decode("utf-8", "replace"))
        if not answer.startswith(RESULT):
            raise GraderFault("the grading process ended without a result")
        return told(submission, answer[1:])

    def _renew(self, fault: GraderFault) -> None:
        """Start again whichever warm process has died."""
        with self._lock:
            if not self._host.alive:
                self._host.close()
                self._host = Host(self._course, self._assignment, self._seed)
                self._host.wait_ready()
            if not self._sandbox.alive:
                self._sandbox.close()
                self._sandbox = self._start_sandbox()
