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
from pathlib import Path

import msgspec

import grader
from grader.course import Assignment, Course
from grader.errors import GraderFault, UsageError
from grader.pace import IdleShare, Pace, cores
from grader.renewal import Renewable
from grader.results import SubmissionResult
from grader.sandbox.launch import Level, Sandbox
from grader.sandbox.processes import resident_memory
from grader.submission import Submission
from grader.wire import EXHIBITS, FAULT, HUNG, MAX_MESSAGE, RESULT, Job, Ready, heard, read_all, told

TRIES = 2  # a fault of ours is tried once more before it is reported
MOST_GIVEN_UP = 2  # checks of one submission
PRELOAD = (
    "accelerate matplotlib.pyplot numpy pandas scipy.stats sklearn.compose sklearn.ensemble sklearn.impute "
    "sklearn.linear_model sklearn.model_selection sklearn.pipeline sklearn.preprocessing torch torch._dynamo "
    "torch.distributed torch.multiprocessing torch.utils.data torchvision tqdm grader.suite.builders"
)


class Unjudgeable(GraderFault):
    """A check did not come to its end with what the student's code had given back."""

    def __init__(self, check: str) -> None:
        super().__init__(f"{check} does not come to an end with what it is given")
        self.check = check


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
            GraderFault: somebody has ended the process meanwhile.
        """
        message = self._control.recv(MAX_MESSAGE)
        if not message and self._process.wait() < 0:
            raise GraderFault(f"the process that collects the suite was ended by signal {-self._process.returncode}")
        ready = msgspec.json.decode(message, type=Ready) if message else Ready(error=self._last_words())
        if ready.error:
            raise UsageError(f"the hidden suite cannot be used: {ready.error}")
        return ready.titles

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def memory(self) -> int:
        """Bytes of resident memory that are no file's."""
        return resident_memory(self._process.pid)

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

    Starting takes seconds and goes on in the background until `wait_ready`. Without `jobs` it is one for each core, and up
    to half as many more while these wait. With `exhibits` a result of all checks shows what the code computes, too.
    """

    def __init__(
        self,
        course: Course,
        assignment: Assignment,
        *,
        seed: int,
        jobs: int | None = None,
        level: Level | None = None,
        exhibits: bool = True,
    ) -> None:
        self._course, self._assignment, self._seed, self._wanted = course, assignment, seed, level
        self._exhibits = exhibits
        self._alone = threading.Lock()  # without namespaces, only who is alone can end all of its processes
        self.jobs = jobs or cores()
        most = jobs or self.jobs + max(1, self.jobs // 2)
        self._pace = Pace(self.jobs, most, IdleShare())
        self.titles: Mapping[str, str] = {}
        self._sandboxes: Renewable[Sandbox] | None = None
        self._hosts: Renewable[Host] | None = None
        self._threads = ThreadPoolExecutor(most, thread_name_prefix="job")
        self._host = Host(course, assignment, seed)
        self._starting = self._threads.submit(self._start_sandbox)  # the two import side by side, on two cores

    def wait_ready(self) -> None:
        """Wait for the warm processes, once; until then, only `close` may be called.

        Raises:
            SandboxError: student code could not be confined.
            UsageError: the hidden suite cannot be used.
            GraderFault: somebody has ended the process that collects it, twice.
        """
        if self._hosts is not None:
            return
        first = self._starting.result()
        self._wanted = first.level  # one that replaces it is as good, or there is none
        self._sandboxes = Renewable(first, self._start_sandbox)
        try:
            self.titles = self._host.wait_ready()
        except GraderFault:  # once may be an accident
            self._host.close()
            self._host = Host(self._course, self._assignment, self._seed)
            self.titles = self._host.wait_ready()
        self._hosts = Renewable(self._host, self._start_host)
        if self._level is Level.LANDLOCK:
            self.jobs = 1

    @property
    def sandbox(self) -> str:
        """The level that student code runs at, and why."""
        assert self._sandboxes is not None
        sandbox = self._sandboxes.present
        return f"{sandbox.level}: {sandbox.reason}"

    @property
    def _level(self) -> Level:
        assert self._sandboxes is not None
        return self._sandboxes.present.level

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
        self._pace.close()
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self._sandboxes is not None:
            self._sandboxes.close()  # what is still being graded loses its workers, and ends
        elif self._starting.exception() is None:  # closed before it was ready
            self._starting.result().close()
        (self._hosts or self._host).close()
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

    def _start_host(self) -> Host:
        host = Host(self._course, self._assignment, self._seed)
        try:
            host.wait_ready()
        except UsageError as error:  # it was ready before: the suite has been changed or removed since
            host.close()
            raise GraderFault(str(error)) from None
        return host

    def _grade(self, submission: Submission, seed: int | None, checks: tuple[str, ...]) -> SubmissionResult:
        job = Job(submission.student, self._level, seed, checks, exhibits=self._exhibits and not checks)
        with self._alone if self._level is Level.LANDLOCK else self._pace.turn():
            tries = TRIES
            while True:
                try:
                    return self._grade_once(submission, job)
                except Unjudgeable as hung:
                    if hung.check == EXHIBITS:
                        job = msgspec.structs.replace(job, exhibits=False)
                        continue
                    if len(job.given_up) == MOST_GIVEN_UP:
                        raise
                    job = msgspec.structs.replace(job, given_up=(*job.given_up, hung.check))
                except GraderFault:
                    tries -= 1
                    if not tries:
                        raise

    def _grade_once(self, submission: Submission, job: Job) -> SubmissionResult:
        assert self._hosts is not None
        assert self._sandboxes is not None
        self._hosts.renew_if_needed()
        self._sandboxes.renew_if_needed()
        ours, theirs = socket.socketpair()
        try:
            with ours, theirs, self._hosts.use() as host, self._sandboxes.use() as sandbox:
                with sandbox.open_session() as session:
                    host.mark(job, theirs, session)
                    theirs.close()
                ours.sendall(msgspec.msgpack.encode(dict(submission.files)))
                ours.shutdown(socket.SHUT_WR)
                said = heard(read_all(ours))
        except OSError as error:
            raise GraderFault(f"a grading process went away: {error}") from None
        if said.check == EXHIBITS and not said.last.startswith(RESULT):
            raise Unjudgeable(EXHIBITS)  # all checks had their results: the same come again without exhibits
        if said.last.startswith(FAULT):
            raise GraderFault(said.last[1:].decode("utf-8", "replace"))
        if said.last.startswith(HUNG) and said.answered:
            raise Unjudgeable(said.check)
        if not said.last.startswith(RESULT):
            where = f" in {said.check}" if said.check else ""
            raise GraderFault(f"the grading process {'hung' if said.last else 'ended without a result'}{where}")
        return told(submission, said.last[1:])
