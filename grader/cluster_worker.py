"""What a Dask worker does for `grader grade --cluster`: it keeps warm processes of its own, and grades with them.

Nothing that student code could have made is unpickled here or where it goes to: submissions travel as packed bytes, and
results as the JSON that they are written as.
"""

import asyncio
import os
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from grader.course import Course
from grader.errors import GraderError, GraderFault, SandboxError, UsageError
from grader.executor import LocalEngine
from grader.sandbox.launch import Level
from grader.submission import Submission
from grader.surroundings import Surroundings

if TYPE_CHECKING:
    from distributed import Worker, WorkerPlugin

COURSE_VARIABLE = "GRADER_COURSE"
LEASE_SECONDS = 600  # without a word from the client, before the warm processes are ended
ALONE_SECONDS = 30  # for another run's processes to end
ENDED = "its processes were ended"


class Brief(msgspec.Struct, frozen=True):
    """What a run's client tells each worker, once."""

    course: str
    """The course's folder on the client, and on a worker whose `GRADER_COURSE` names no other."""
    assignment: str
    seed: int
    surroundings: Surroundings
    exhibits: bool = True


class Status(msgspec.Struct, frozen=True):
    """How far a worker is."""

    state: str
    """starting, ready, or refused: it gets no work."""
    why: str = ""
    jobs: int = 0
    sandbox: str = ""
    titles: Mapping[str, str] = {}


class HandedIn(msgspec.Struct, frozen=True):
    """A submission on its way to a worker."""

    student: str
    files: Mapping[str, bytes]
    notes: Sequence[str]
    checks: Sequence[str] = ()
    """Those that are to run; all when there are none."""

    @classmethod
    def packed(cls, submission: Submission, checks: Sequence[str] = ()) -> bytes:
        """The submission as bytes."""
        told = cls(submission.student, dict(submission.files), list(submission.notes), list(checks))
        return msgspec.msgpack.encode(told)


class Answer(msgspec.Struct, frozen=True):
    """What became of a submission at a worker: one of the last three."""

    worker: str
    record: bytes = b""
    """A result's JSON."""
    fault: str = ""
    """The grader failed on it, twice."""
    refused: str = ""
    """Nothing was tried: this worker cannot grade, and why."""


class Station:
    """A worker's warm processes for one run; they start in the background, and end when nobody asks for them any more."""

    def __init__(self, brief: Brief, address: str, jobs: int, on_left: Callable[[], None] = lambda: None) -> None:
        self._brief, self._address, self._jobs = brief, address, jobs
        self._on_left = on_left
        self._engine: LocalEngine | None = None
        self._alone: Any = None
        self._status = Status("starting")
        self._settled, self._asked, self._closing = threading.Event(), threading.Event(), False
        self._thread = threading.Thread(target=self._run, name="station", daemon=True)
        self._thread.start()

    def look(self, *, titles: bool = False) -> Status:
        """How far it is; asking is what keeps it."""
        self._asked.set()
        return self._status if titles else msgspec.structs.replace(self._status, titles={})

    def grade(self, packed: bytes) -> Answer:
        """Grade one submission (`HandedIn.packed`), once there is something to grade with; waits for it."""
        self._settled.wait()
        engine = self._engine
        if self._status.state != "ready" or engine is None:
            return Answer(self._address, refused=self._status.why or ENDED)
        handed_in = msgspec.msgpack.decode(packed, type=HandedIn)
        submission = Submission(handed_in.student, handed_in.files, "", handed_in.notes)
        try:
            return Answer(self._address, record=engine.submit(submission, checks=handed_in.checks).result().to_json())
        except SandboxError as error:
            self._status = Status("refused", str(error))  # who fails fast would get all the work
            return Answer(self._address, refused=str(error))
        except (GraderFault, CancelledError, RuntimeError) as error:
            if self._closing:
                return Answer(self._address, refused=ENDED)
            return Answer(self._address, fault=str(error))

    def close(self) -> None:
        """End everything; waits for it."""
        self._closing = True
        self._asked.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            self._status = self._begin()
        except Exception as error:
            why = str(error) if isinstance(error, GraderError) else f"{type(error).__name__}: {error}"
            self._status = Status("refused", why)
            self._end()
        self._settled.set()
        while not self._closing and self._asked.wait(LEASE_SECONDS):
            self._asked.clear()
        abandoned = not self._closing
        self._closing = True
        self._end()
        if abandoned:
            self._on_left()

    def _begin(self) -> Status:
        """Start the engine, if what it would mark by is what the client has.

        Raises:
            GraderError: it is not, or student code could not be confined well enough here.
        """
        course = Course(Path(os.environ.get(COURSE_VARIABLE) or self._brief.course))
        if not course.names:
            raise UsageError(
                f"expected the course in {course.root}, found none; {COURSE_VARIABLE} names another folder"
            )
        assignment = course.assignment(self._brief.assignment)
        unlike = Surroundings.of(course, assignment).unlike(self._brief.surroundings)
        if unlike:
            raise UsageError(
                f"it would not mark as this machine does: it has another suite, grader or library: {unlike}"
            )
        self._engine = LocalEngine(
            course, assignment, seed=self._brief.seed, jobs=self._jobs, exhibits=self._brief.exhibits
        )
        self._engine.wait_ready()
        if self._engine.sandbox.startswith(Level.LANDLOCK):
            self._require_walls()
        return Status("ready", "", self._engine.jobs, self._engine.sandbox, self._engine.titles)

    def _require_walls(self) -> None:
        """Without namespaces, student code reaches ports of the machine, and counts all processes of its user."""
        from filelock import FileLock, Timeout

        if not self._address.startswith("tls://"):
            raise SandboxError(
                "expected user namespaces, found a sandbox (landlock) from which Dask's own ports can be reached: allow "
                "them there, or have a scheduler at tls://"
            )
        self._alone = FileLock(Path(tempfile.gettempdir(), f"grader-landlock-{os.getuid()}.lock"))
        try:
            self._alone.acquire(timeout=ALONE_SECONDS)
        except Timeout:
            raise SandboxError(
                "expected to be alone on its machine, found another worker that grades there: without user namespaces "
                "(landlock) there can be one for each machine, with one thread"
            ) from None

    def _end(self) -> None:
        engine, self._engine = self._engine, None
        if engine is not None:
            engine.close()
        if self._alone is not None:
            self._alone.release()


def plugin(name: str, brief: bytes) -> "WorkerPlugin":
    """A Dask plugin that keeps a `Station` on each worker, present and future."""
    from distributed import WorkerPlugin

    class Grading(WorkerPlugin):
        """Travels by value, being no module's: on a worker without this grader it does nothing, and breaks nothing."""

        def __init__(self) -> None:
            self.name, self.brief = name, brief
            self.station: Station | None = None

        def setup(self, worker: "Worker") -> None:
            try:
                from grader.cluster_worker import station_of
            except ImportError:
                return
            self.station = station_of(worker, self.name, self.brief)

        async def teardown(self, worker: "Worker") -> None:
            import asyncio

            if self.station is not None:
                await asyncio.to_thread(self.station.close)

    return Grading()


def station_of(worker: "Worker", name: str, brief: bytes) -> Station:
    """Begin a worker's station; one that its client has left takes the plugin from the whole cluster."""

    def leave() -> None:
        gone = worker.scheduler.unregister_worker_plugin(name=name)
        asyncio.run_coroutine_threadsafe(gone, worker.loop.asyncio_loop)  # type: ignore[attr-defined]

    told = msgspec.msgpack.decode(brief, type=Brief)
    return Station(told, worker.address, worker.state.nthreads, leave)


def look(name: str, titles: bool, dask_worker: "Worker") -> bytes:
    """The packed status of a worker's station; nothing where it has none. Run on workers by `Client.run`."""
    station = _station_at(dask_worker, name)
    return msgspec.msgpack.encode(station.look(titles=titles)) if station else b""


def grade(name: str, packed: bytes) -> bytes:
    """Grade a packed submission on the worker that this runs on: Dask's task. Gives a packed `Answer`."""
    from distributed import get_worker

    worker = get_worker()
    station = _station_at(worker, name)
    if station is None:
        return msgspec.msgpack.encode(Answer(worker.address, refused="it has left this run"))
    return msgspec.msgpack.encode(station.grade(packed))


def _station_at(worker: "Worker", name: str) -> Station | None:
    """The station that the plugin of this name keeps there, if it is there and keeps one."""
    return getattr(worker.plugins.get(name), "station", None)


def present() -> None:
    """Found by whoever can import the grader: the scheduler has to, since it reads what a task is."""
