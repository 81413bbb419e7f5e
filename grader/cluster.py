"""A cluster by Dask: the engine behind `grader grade --cluster`, whose gradings run on workers elsewhere.

Dask carries submissions to workers and results back, and sees who comes and goes; each worker grades with a `LocalEngine`
of its own (`cluster_worker`). A submission has one future here, which is set once, however often it had to be begun.
"""

import itertools
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from grader.cluster_connection import Connection
from grader.cluster_worker import Answer, Brief, HandedIn, Status, grade, look, plugin, present
from grader.course import Assignment, Course
from grader.errors import GraderFault, UsageError
from grader.pace import cores
from grader.results import SubmissionResult
from grader.submission import Submission
from grader.surroundings import Surroundings

if TYPE_CHECKING:
    import distributed

LOOK_SECONDS = 1
SAY_SECONDS = 10  # without any worker, before a line is said about it
PATIENCE_SECONDS = 600  # … before it is given up
TRIES = 2  # on different workers, if there are
LOOKS_WITHOUT_PLUGIN = 5  # before it is brought to the scheduler again
MOST_TOLD = 3


@dataclass(eq=False)
class _Grading:
    """One submission on its way."""

    submission: Submission
    packed: bytes
    future: "Future[SubmissionResult]" = field(default_factory=Future)
    sent: "distributed.Future | None" = None
    to: Collection[str] = ()
    """The workers that may grade it."""
    tries: int = 0
    """How often the grader has failed on it."""


class ClusterEngine:
    """Grades submissions on a Dask cluster; `submit` gives futures, as an executor does.

    `address` is a scheduler's, or `local:N` for N worker processes on this machine, with `jobs` threads in all
    (as many as it has cores). `tell` is given a line about each worker that gets no work, and about each that is lost.

    Raises:
        UsageError: no such address, nobody answers there, or Dask is not installed.
    """

    def __init__(
        self,
        course: Course,
        assignment: Assignment,
        *,
        seed: int,
        jobs: int | None = None,
        address: str,
        tell: Callable[[str], None] = lambda line: None,
        exhibits: bool = True,
    ) -> None:
        self.titles: Mapping[str, str] = {}
        self._address, self._tell = address, tell
        self._lock, self._changed = threading.RLock(), threading.Event()
        self._workers: dict[str, Status] = {}
        self._gradings: set[_Grading] = set()
        self._keys, self._closing = itertools.count(), False
        self._fault: GraderFault | None = None
        told = Brief(str(course.root), assignment.name, seed, Surroundings.of(course, assignment), exhibits)
        self._brief = msgspec.msgpack.encode(told)
        self._connection = Connection(address, jobs or cores())
        self._client = self._connection.client
        self._name = f"grader-{self._client.id}"
        self._watching = threading.Thread(target=self._watch, name="cluster", daemon=True)

    def wait_ready(self) -> None:
        """Wait until a worker is ready, and no other is about to be.

        Raises:
            UsageError: there is none that may grade, or the grader is not where the scheduler is.
        """
        try:
            self._client.run_on_scheduler(present)
        except Exception as error:
            raise UsageError(
                f"expected the grader to be installed where the scheduler {self._address} runs, too, found: {error}"
            ) from None
        self._register()
        self._watching.start()
        deadline, say_at = time.monotonic() + PATIENCE_SECONDS, time.monotonic() + SAY_SECONDS
        while True:
            self._changed.wait(LOOK_SECONDS)
            self._changed.clear()
            if self._fault:
                raise UsageError(str(self._fault))
            states = [worker.state for worker in self._workers.values()]
            if states and "starting" not in states:
                if "ready" not in states:
                    raise UsageError(self._nobody())
                return
            if not states and time.monotonic() > deadline:
                raise UsageError(self._nobody())
            if not states and time.monotonic() > say_at:
                say_at = deadline
                self._tell(
                    f"no worker at {self._address} yet; waiting for one, {PATIENCE_SECONDS / 60:g} minutes at most"
                )

    @property
    def jobs(self) -> int:
        """Submissions that can be graded at the same moment, at all workers; at least 1."""
        return max(1, sum(worker.jobs for worker in self._ready().values()))

    @property
    def sandbox(self) -> str:
        """The levels that student code runs at, and on how many workers; each result says its own."""
        levels = Counter(worker.sandbox.partition(":")[0] for worker in self._ready().values())
        return ", ".join(f"{level} on {n} worker{'s' * (n > 1)}" for level, n in sorted(levels.items()))

    def submit(self, submission: Submission, *, checks: Sequence[str] = ()) -> "Future[SubmissionResult]":
        """Grade one submission; the future raises GraderFault when the grader failed on it at two workers.

        `checks` names those that are to run instead of all.

        Raises:
            GraderFault: there is no cluster any more.
        """
        grading = _Grading(submission, HandedIn.packed(submission, checks))
        with self._lock:
            if self._fault:
                raise self._fault
            self._gradings.add(grading)
            self._send(grading)
        return grading.future

    def close(self) -> None:
        """Let the workers end what they have started for this run; a cluster of our own ends, too."""
        with self._lock:
            self._closing = True
            self._give_up(GraderFault("the grading was ended"))
        self._changed.set()
        self._connection.close(lambda client: client.unregister_worker_plugin(self._name))

    def __enter__(self) -> "ClusterEngine":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ready(self) -> dict[str, Status]:
        return {address: worker for address, worker in list(self._workers.items()) if worker.state == "ready"}

    def _register(self) -> None:
        """Have the plugin at all workers, now and later; what goes wrong at one is seen when it is asked."""
        try:
            self._client.register_plugin(plugin(self._name, self._brief), name=self._name)
        except Exception as error:
            logging.getLogger(__name__).debug("a worker did not take the plugin: %s", error)

    def _send(self, grading: _Grading, avoid: Collection[str] = ()) -> None:
        """Have a submission graded at any ready worker, rather not at those to `avoid`; without one, it waits."""
        ready = self._ready().keys()
        grading.to = sorted(ready - set(avoid) or ready)
        if not grading.to:
            grading.sent = None
            return
        key = f"{self._name}-{next(self._keys)}"
        grading.sent = self._client.submit(
            grade, self._name, grading.packed, key=key, workers=grading.to, pure=False, retries=0
        )
        grading.sent.add_done_callback(lambda sent: self._came_back(grading, sent))

    def _came_back(self, grading: _Grading, sent: "distributed.Future") -> None:
        """Take an answer, once; what was not tried, or was lost on the way, is sent again."""
        if grading.sent is not sent:
            return
        try:
            answer = msgspec.msgpack.decode(sent.result(), type=Answer) if not sent.cancelled() else None
        except CancelledError:
            answer = None
        except Exception as error:  # such as KilledWorker: several workers were lost while they had it
            answer = Answer("", fault=f"{type(error).__name__}: {error}")
        with self._lock:
            if grading.sent is not sent or self._closing:
                return
            grading.sent = None
            if answer is None:
                return  # the scheduler was away; `_watch` sends it again
            if answer.record:
                self._finish(grading, answer.record)
            elif answer.refused:
                self._note({**self._workers, answer.worker: Status("refused", answer.refused)})
                self._send(grading)
            else:
                grading.tries += 1
                if grading.tries < TRIES:
                    self._send(grading, avoid=[answer.worker])
                else:
                    self._gradings.discard(grading)
                    grading.future.set_exception(GraderFault(answer.fault))

    def _finish(self, grading: _Grading, record: bytes) -> None:
        self._gradings.discard(grading)
        try:
            result = SubmissionResult.from_json(record)
            if (result.student, result.digest) != (grading.submission.student, grading.submission.digest):
                raise ValueError("it is of other files")
            grading.future.set_result(result)
        except ValueError as error:
            grading.future.set_exception(GraderFault(f"a worker's answer is not this submission's result: {error}"))

    def _watch(self) -> None:
        """Look at the workers again and again, until the end: who is ready, who is gone, and who left work behind."""
        seen, without = time.monotonic(), 0
        while not self._closing:
            try:
                answers = self._client.run(look, self._name, not self.titles, on_error="return")
            except Exception as error:
                answers = {}
                if self._client.status == "closed":
                    self._lose(f"the scheduler {self._address} is gone ({error})")
                    return
            without = without + 1 if answers and not any(answers.values()) else 0
            if without > LOOKS_WITHOUT_PLUGIN:  # the scheduler was started anew
                self._register()
            with self._lock:
                if self._closing:
                    return
                self._note({address: self._status_in(address, answer) for address, answer in answers.items()})
                self._rescue()
            if any(worker.state != "refused" for worker in self._workers.values()):
                seen = time.monotonic()
            elif time.monotonic() - seen > PATIENCE_SECONDS:
                self._lose(self._nobody())
                return
            self._changed.set()
            time.sleep(LOOK_SECONDS)

    def _status_in(self, address: str, answer: "bytes | Exception") -> Status:
        if isinstance(answer, OSError):  # it did not answer this time
            return self._workers.get(address, Status("starting"))
        if isinstance(answer, Exception):
            return Status("refused", f"the grader cannot be used there: {type(answer).__name__}: {answer}")
        status = msgspec.msgpack.decode(answer, type=Status) if answer else Status("starting")
        self.titles = self.titles or status.titles
        return status

    def _note(self, workers: dict[str, Status]) -> None:
        """Keep who there is, and tell of those that came to grief."""
        before, self._workers = self._workers, workers
        refused = {address for address, worker in workers.items() if worker.state == "refused"}
        for address in sorted(refused - {address for address, worker in before.items() if worker.state == "refused"}):
            self._tell(f"worker {address} gets no work: {workers[address].why}")
        for address in before.keys() - workers.keys():
            if before[address].state == "ready":
                self._tell(f"worker {address} is gone; what it had is graded elsewhere")

    def _rescue(self) -> None:
        """Send again what waits for a worker, or for those alone that are gone."""
        ready = self._ready().keys()
        for grading in list(self._gradings):
            if ready and (grading.sent is None or not ready & set(grading.to)):
                if grading.sent is not None:
                    grading.sent.cancel()
                self._send(grading)

    def _lose(self, why: str) -> None:
        with self._lock:
            self._fault = GraderFault(f"{why}; what was graded is whole: run the same command again to go on")
            self._give_up(self._fault)
        self._changed.set()

    def _give_up(self, fault: GraderFault) -> None:
        for grading in self._gradings:
            grading.sent = None
            grading.future.set_exception(fault)
        self._gradings.clear()

    def _nobody(self) -> str:
        refused = [f"{address}: {worker.why}" for address, worker in self._workers.items() if worker.why]
        if not refused:
            return f"expected workers at {self._address}, found none: start some with `dask worker {self._address}`"
        more = f" … and {len(refused) - MOST_TOLD} more" if len(refused) > MOST_TOLD else ""
        return (
            f"expected a worker at {self._address} that may grade, found none; {'; '.join(refused[:MOST_TOLD])}{more}"
        )
