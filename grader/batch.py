"""Grade a class: every entry of a folder gets exactly one result, written whole and recorded in the gradebook."""

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, replace
from typing import Protocol

import msgspec

from grader.attempts import Policy
from grader.course import Assignment, Course
from grader.entries import Entry
from grader.errors import GraderFault
from grader.gradebook import Gradebook, student_id
from grader.grading import not_graded
from grader.known import Known, Origin, as_of
from grader.results import SubmissionResult, SubmissionStatus
from grader.settling import Settler
from grader.soundness.seeds import prove_seed
from grader.store import ResultStore, Run
from grader.submission import Invalid, Submission, load

AHEAD = 2  # submissions in memory for each job: enough to keep it busy, and no more
PAUSE_SECONDS = 5  # before a gradebook that has failed is asked again
LAST_TRIES = 4
LAST_COUNTS = Policy()


class Marker(Protocol):
    """What grades: futures of results, whichever machines they come from."""

    titles: Mapping[str, str]

    @property
    def jobs(self) -> int: ...

    def submit(self, submission: Submission) -> "Future[SubmissionResult]": ...


class Engine(Marker, Protocol):
    """A marker that has to be started, and ended, and can run some checks alone."""

    @property
    def sandbox(self) -> str: ...

    def submit(self, submission: Submission, *, checks: Sequence[str] = ()) -> "Future[SubmissionResult]": ...

    def wait_ready(self) -> None: ...

    def close(self) -> None: ...


def grade_class(
    entries: Sequence[Entry],
    assignment: Assignment,
    engine: Engine,
    store: ResultStore,
    gradebook: Gradebook,
    on_result: Callable[[SubmissionResult, Origin], None] = lambda result, origin: None,
    *,
    run: Run,
    force: bool = False,
    policy: Policy = LAST_COUNTS,
) -> None:
    """Grade every entry, the slowest first where an earlier run tells; each student's result is stored and recorded as soon as
    it is known, and is not held in memory.

    Of many attempts of a student the `policy` tells which result counts; the records of all are kept.

    What the same files have already got in the same run, whoever handed them in, is kept, unless by `force`, and recorded
    again in case that it was not. `on_result` is told of each result, and where it comes from.

    Raises:
        GraderFault: results could not be written, or the gradebook would not take them; what was written stays, and the
            same call goes on from there.
    """
    recorder, settler = Recorder(gradebook, assignment, store), Settler(entries, store, policy)
    for entry, result, origin in marked(entries, assignment, engine, Known(store, run, force=force)):
        final = settler.take(entry, result)
        if final is not None:
            recorder.record(final)
        on_result(result, origin)
    recorder.finish()


def marked(
    entries: Sequence[Entry], assignment: Assignment, engine: Marker, known: Known
) -> Iterator[tuple[Entry, SubmissionResult, Origin]]:
    """Results of all entries as they come, and where they come from; whoever takes one stores it before the next."""
    for entry, found, origin in _graded(known.slowest_first(entries), assignment, engine, known):
        result = replace(found, surroundings=known.run.surroundings)
        yield entry, result, origin
        known.add(entry, result)


def proven(run: Run, course: Course, assignment: Assignment, engine: Engine) -> Run:
    """The run, once it is known that the suite holds for what its seed draws; as it is where nothing can tell.

    Raises:
        GraderFault: it does not.
    """
    return msgspec.structs.replace(run, proven=prove_seed(course, assignment, engine, run.seed))


class Recorder:
    """Takes results to the gradebook. One that is locked, full or gone for a while holds nobody up: what it did not take
    waits, and is taken to it later."""

    def __init__(self, gradebook: Gradebook, assignment: Assignment, store: ResultStore) -> None:
        self._gradebook = gradebook
        self._assignment = assignment
        self._store = store
        self._waiting: deque[str] = deque()
        self._taken: list[str] = []
        self._not_before = 0.0
        self._fault: GraderFault | None = None

    def record(self, result: SubmissionResult) -> None:
        """Have one result that is stored recorded, now or later."""
        if not self._waiting and time.monotonic() >= self._not_before and self._takes(result):
            return
        self._waiting.append(result.student)
        if time.monotonic() >= self._not_before:
            self._try()

    def finish(self) -> None:
        """Have everything recorded, and see that the gradebook has it.

        Raises:
            GraderFault: it does not take what is left.
        """
        for tried in range(LAST_TRIES):
            if tried:
                time.sleep(PAUSE_SECONDS)
            if self._try() and self._all_there():
                return
        left = len(self._waiting)
        raise GraderFault(
            f"{left} of {left + len(self._taken)} results are not in the gradebook ({self._fault}); all are in results/: "
            "mend that, and run the same command again to record them."
        )

    def _try(self) -> bool:
        """Record what waits; False if something still does."""
        while self._waiting:
            try:
                result = self._store.result_of(self._waiting[0])
            except OSError as error:
                raise GraderFault(f"a result that was written cannot be read any more: {error}") from None
            if not self._takes(result):
                return False
            self._waiting.popleft()
        return True

    def _takes(self, result: SubmissionResult) -> bool:
        """Record one; False if the gradebook does not take it now."""
        try:
            self._gradebook.record(result)
        except GraderFault as fault:
            self._fault, self._not_before = fault, time.monotonic() + PAUSE_SECONDS
            return False
        if result.status is not SubmissionStatus.GRADER_ERROR:
            self._taken.append(result.student)
        return True

    def _all_there(self) -> bool:
        """Ask the database anew: a file that was exchanged or removed took what it was given without a word."""
        try:
            self._gradebook.reopen()
            there = self._gradebook.students(self._assignment.name)
            if there.issuperset(map(student_id, self._taken)):
                return True
            self._gradebook.prepare(self._assignment)
        except GraderFault as fault:
            self._fault = fault
        else:
            self._fault = GraderFault("it was exchanged or removed while results were recorded")
        self._waiting.extend(self._taken)
        self._taken.clear()
        return False


def _graded(
    entries: Sequence[Entry], assignment: Assignment, engine: Marker, known: Known
) -> Iterator[tuple[Entry, SubmissionResult, Origin]]:
    """Results as they come, and where from, with only a few submissions in memory at a time."""
    running: dict[Future[SubmissionResult], _Alike] = {}
    for entry in entries:
        try:
            submission = load(entry, assignment)
        except GraderFault as fault:
            yield entry, _grader_error(entry.student, assignment, str(fault)), Origin.MARKED
            continue
        if isinstance(submission, Invalid):
            invalid = not_graded(submission.student, submission.reason, assignment, engine.titles)
            yield entry, invalid, Origin.MARKED
            continue
        found = known.of(submission)
        if found is not None:
            yield entry, *found
            continue
        one, digest = (entry, replace(submission, files={})), submission.digest
        twins = next((alike.all for alike in running.values() if alike.digest == digest), None)
        if twins is not None:
            twins.append(one)
            continue
        running[engine.submit(submission)] = _Alike(digest, [one])
        while len(running) >= AHEAD * engine.jobs:
            yield from _finished(running, assignment)
    while running:
        yield from _finished(running, assignment)


@dataclass(frozen=True)
class _Alike:
    """Submissions of the same files, without these, while one of them, the first, is being graded."""

    digest: str
    all: list[tuple[Entry, Submission]]


def _finished(
    running: dict[Future, _Alike], assignment: Assignment
) -> Iterator[tuple[Entry, SubmissionResult, Origin]]:
    """Take the futures that are done; a fault of ours becomes a record without a score."""
    for future in wait(running, return_when=FIRST_COMPLETED).done:
        alike = running.pop(future).all
        try:
            result = future.result()
        except GraderFault as fault:
            for entry, _ in alike:
                yield entry, _grader_error(entry.student, assignment, str(fault)), Origin.MARKED
            continue
        yield alike[0][0], result, Origin.MARKED
        for entry, submission in alike[1:]:
            yield entry, as_of(result, submission), Origin.ALIKE


def _grader_error(student: str, assignment: Assignment, why: str) -> SubmissionResult:
    return SubmissionResult(assignment.name, student, SubmissionStatus.GRADER_ERROR, message=why)
