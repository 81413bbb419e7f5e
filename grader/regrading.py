"""After a suite was mended: only what has changed is marked again, and who gains and loses what is said before it counts.

Proposed results lie in `regraded/` beside those that count, as a run of their own, until they are applied or another suite
makes them worthless.
"""

import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Protocol

from grader.attempts import Policy
from grader.batch import LAST_COUNTS, Recorder, marked
from grader.course import Assignment
from grader.entries import Entry
from grader.errors import UsageError
from grader.gradebook import Gradebook
from grader.known import Known, Origin, as_of
from grader.results import SubmissionResult, SubmissionStatus
from grader.settling import Settler
from grader.store import ResultStore, Run
from grader.submission import Submission


class PartialEngine(Protocol):
    """An engine that can be asked for some checks alone."""

    titles: Mapping[str, str]

    @property
    def jobs(self) -> int: ...

    def submit(self, submission: Submission, *, checks: Sequence[str] = ()) -> "Future[SubmissionResult]": ...


@dataclass(frozen=True)
class Change:
    """What a student would get instead."""

    student: str
    before: SubmissionResult | None
    after: SubmissionResult

    @property
    def checks(self) -> dict[str, float]:
        """Points gained, or lost, by check; checks that stay as they are not named."""
        earlier = {check.name: check.points for check in self.before.checks} if self.before else {}
        gains = {check.name: check.points - earlier.pop(check.name, 0.0) for check in self.after.checks}
        gains |= {name: -points for name, points in earlier.items()}
        return {name: gain for name, gain in gains.items() if gain}

    @property
    def gain(self) -> float:
        """Points of score and bonus together."""
        return sum(self.checks.values())


@dataclass
class Difference:
    """What a regrade would change, of a class of any size: numbers for each check, and the students who are affected."""

    students: int = 0
    new: list[str] = field(default_factory=list)
    """Who had no result."""
    failed: list[str] = field(default_factory=list)
    """On whom the grader failed: they keep what they have."""
    gained: Counter[str] = field(default_factory=Counter)
    """Students who gain by each check."""
    lost: Counter[str] = field(default_factory=Counter)
    changes: list[tuple[str, float | None, float | None, dict[str, float]]] = field(default_factory=list)
    """Student, score before and after (bonus included; None where there was none), and points by check."""

    def add(self, change: Change) -> None:
        self.students += 1
        if change.after.status is SubmissionStatus.GRADER_ERROR:
            self.failed.append(change.student)
            return
        if change.before is None:
            self.new.append(change.student)
        for name, gain in change.checks.items():
            (self.gained if gain > 0 else self.lost)[name] += 1
        if change.checks or change.before is None:
            before = change.before.total if change.before else None
            self.changes.append((change.student, before, change.after.total, change.checks))


class Regrade:
    """A class that was graded by a run, marked again by the checks that another run would mark differently."""

    def __init__(
        self, store: ResultStore, earlier: Run, run: Run, checks: Sequence[str], policy: Policy = LAST_COUNTS
    ) -> None:
        """`earlier` is the run whose results count now, `run` the one that they would belong to, of the same seed; `checks`
        are those to be marked again, and `policy` says which attempt counts."""
        if run.seed != earlier.seed:
            raise UsageError(f"expected the seed of the results there, {earlier.seed}, found {run.seed}.")
        self._store, self._earlier, self._run, self._checks, self._policy = store, earlier, run, checks, policy
        self._proposed = ResultStore(store.out / "regraded")

    def propose(
        self,
        entries: Sequence[Entry],
        assignment: Assignment,
        engine: PartialEngine,
        on_result: Callable[[SubmissionResult, Origin], None] = lambda result, origin: None,
    ) -> Difference:
        """Mark what is not marked yet, write it aside, and say what would change; nothing that counts is touched."""
        difference = Difference()
        with self._proposed.held():
            if self._proposed.earlier_run() != self._run:
                for path, _ in self._proposed.briefs():
                    path.unlink()
                self._proposed.begin(self._run)
            partial = _OnlyChanged(engine, self._store, self._earlier, self._checks)
            settler, known = Settler(entries, self._proposed, self._policy), Known(self._proposed, self._run)
            for entry, result, origin in marked(entries, assignment, partial, known):
                final = settler.take(entry, result)
                if final is not None:
                    difference.add(Change(final.student, self._store.earlier(final.student), final))
                on_result(result, origin)
        difference.changes.sort(key=lambda change: change[0])
        return difference

    def apply(self, entries: Sequence[Entry], assignment: Assignment, gradebook: Gradebook) -> int:
        """Let what was proposed for these entries count, in results and gradebook; how many results were written.

        Raises:
            GraderFault: not all could be written or recorded; the same call goes on from there.
        """
        recorder, written = Recorder(gradebook, assignment, self._store), 0
        with self._proposed.held():
            for entry in entries:
                record = self._proposed.earlier(entry.student, entry.attempt) if entry.attempt else None
                if record and record.status is not SubmissionStatus.GRADER_ERROR:
                    self._store.write(record, entry.attempt)
            for student in dict.fromkeys(entry.student for entry in entries):
                result = self._proposed.result_of(student)  # each has one since `propose`
                if result.status is not SubmissionStatus.GRADER_ERROR:
                    self._store.write(result)
                    recorder.record(result)
                    written += 1
            recorder.finish()
            self._store.begin(self._run)
        shutil.rmtree(self._proposed.out)
        return written


class _OnlyChanged:
    """An engine that asks another for the changed checks alone, and takes the others from earlier results."""

    def __init__(self, engine: PartialEngine, store: ResultStore, earlier: Run, checks: Sequence[str]) -> None:
        self.jobs, self.titles = engine.jobs, engine.titles
        self._engine, self._store, self._earlier, self._checks = engine, store, earlier, checks

    def submit(self, submission: Submission) -> "Future[SubmissionResult]":
        found = self._store.kept(submission, self._earlier)
        if found is None:
            return self._engine.submit(submission)
        before = as_of(found[0], submission)
        merged: Future[SubmissionResult] = Future()
        if not self._checks:
            merged.set_result(before)
            return merged

        def merge(done: "Future[SubmissionResult]") -> None:
            error = done.exception()
            merged.set_exception(error) if error else merged.set_result(_merged(before, done.result()))

        self._engine.submit(submission, checks=self._checks).add_done_callback(merge)
        return merged


def _merged(before: SubmissionResult, after: SubmissionResult) -> SubmissionResult:
    """The earlier result with the checks that were marked again in their places."""
    again = {check.name: check for check in after.checks}
    checks = [again.pop(check.name, check) for check in before.checks]
    marked = [*checks, *again.values()]
    output, exhibits = after.output or before.output, after.exhibits or before.exhibits
    return replace(after, checks=marked, output=output, exhibits=exhibits)
