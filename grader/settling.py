"""From the results of attempts to the one result of each student: as soon as all of a student's are known."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace

from grader.attempts import Policy
from grader.entries import Entry
from grader.results import Attempt, Standing, SubmissionResult, SubmissionStatus
from grader.store import ResultStore


class Settler:
    """Keeps the record of each attempt, and finds the one that counts.

    An attempt on which the grader failed counts with the record it had before. One that never had any does not count while
    another has: so nobody loses a record to a fault of ours.
    """

    def __init__(self, entries: Sequence[Entry], store: ResultStore, policy: Policy) -> None:
        self._left = Counter(entry.student for entry in entries)
        self._store, self._policy = store, policy
        self._known: dict[str, list[tuple[Attempt, SubmissionResult]]] = defaultdict(list)

    def take(self, entry: Entry, result: SubmissionResult) -> SubmissionResult | None:
        """Store the result of an attempt; when it was the student's last to come, the student's own, stored as well.

        Raises:
            GraderFault: it could not be written, or the penalty could not be computed; what was written before is whole.
        """
        attempt, record = self._attempt(entry, result)
        self._known[entry.student].append((attempt, record))
        self._left[entry.student] -= 1
        if self._left[entry.student]:
            return None
        known = self._known.pop(entry.student)
        final = self._final(entry.student, known)
        if final != self._store.earlier(entry.student):
            self._store.write(final)
        return final

    def _attempt(self, entry: Entry, result: SubmissionResult) -> tuple[Attempt, SubmissionResult]:
        """An attempt and its record, which is written; after a fault the one before, which stays."""
        fault, record = "", result
        earlier = self._store.earlier(entry.student, entry.attempt) if entry.attempt else None
        if result.status is SubmissionStatus.GRADER_ERROR:
            fault = result.message
            if earlier and earlier.status is not SubmissionStatus.GRADER_ERROR:
                record = earlier
        if entry.attempt and record != earlier:
            self._store.write(record, entry.attempt)
        return Attempt(entry.attempt, entry.time, record.status, record.total, fault), record

    def _final(self, student: str, known: Sequence[tuple[Attempt, SubmissionResult]]) -> SubmissionResult:
        """The record that counts, with its standing; after faults alone the student's record before, if there is one."""
        standing = self._policy.standing(student, [attempt for attempt, _ in known])
        if standing is None:
            return known[0][1]
        record = {attempt.name: record for attempt, record in known}[standing.attempt.name]
        if record.status is SubmissionStatus.GRADER_ERROR and standing.attempt.name:
            earlier = self._store.earlier(student)
            if earlier and earlier.status is not SubmissionStatus.GRADER_ERROR:
                return replace(earlier, standing=_with_faults(earlier, standing))
        return replace(record, standing=standing)


def _with_faults(earlier: SubmissionResult, standing: Standing) -> Standing:
    """The standing of an earlier record beside attempts of which none could be graded."""
    before = earlier.standing or Standing((Attempt("", None, earlier.status, earlier.total),), 0, "")
    failed = {attempt.name for attempt in standing.attempts}
    there = tuple(attempt for attempt in before.attempts if attempt.name not in failed)
    if before.attempt not in there:
        return standing
    attempts = (*there, *standing.attempts)
    return replace(before, attempts=attempts, counting=there.index(before.attempt), why="the record before")
