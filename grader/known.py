"""What is known already, so that nothing is marked twice: results of a run by the files that got them, and how long each took.

A result stands for all submissions of the same files, whoever handed them in, as long as the seed and all else that marks
depend on is the same.
"""

from collections.abc import Iterable
from dataclasses import replace
from enum import Enum, auto
from pathlib import Path

from grader.entries import Entry
from grader.results import SubmissionResult, SubmissionStatus
from grader.store import ResultStore, Run
from grader.submission import Submission


class Origin(Enum):
    """Where a result comes from."""

    MARKED = auto()
    ALIKE = auto()
    """Another submission's, of the same files."""
    KEPT = auto()
    """It was there before."""


class Known:
    """The records in a folder, found by digest. Only their places are held in memory; one is read when it is asked for."""

    def __init__(self, store: ResultStore, run: Run, *, force: bool = False) -> None:
        """Read what lies there; by `force` nothing of it counts but how long it took."""
        self.run = run
        self._store = store
        self._places: dict[str, dict[Path, None]] = {}  # by digest, in order
        self._seconds: dict[str, float] = {}
        for place, brief in store.briefs():
            self._seconds[brief.student] = max(brief.seconds, self._seconds.get(brief.student, 0.0))
            same = (brief.seed, brief.surroundings) == (run.seed, run.surroundings)
            if same and brief.status is SubmissionStatus.GRADED and not force:
                self._places.setdefault(brief.digest, {})[place] = None

    def of(self, submission: Submission) -> tuple[SubmissionResult, Origin] | None:
        """The result that these files have got, as this submission's; None where they are to be marked."""
        places = self._places.get(submission.digest)
        found = self._store.kept(submission, self.run, places) if places else None
        if found is None:
            return None
        result, place = found
        own = place == self._store.place(submission.student, submission.attempt)
        return as_of(result, submission), Origin.KEPT if own else Origin.ALIKE

    def add(self, entry: Entry, result: SubmissionResult) -> None:
        """Another result has been written."""
        if result.status is SubmissionStatus.GRADED and result.digest:
            place = self._store.place(entry.student, entry.attempt)
            self._places.setdefault(result.digest, {})[place] = None

    def slowest_first(self, entries: Iterable[Entry]) -> list[Entry]:
        """Entries in the order in which two machines are idle least at the end: new ones, then those that took long.

        Longest processing time first: Graham, Bounds on Multiprocessing Timing Anomalies, 1969.
        """
        return sorted(entries, key=lambda entry: -self._seconds.get(entry.student, float("inf")))


def as_of(result: SubmissionResult, submission: Submission) -> SubmissionResult:
    """A result of the same files as this submission's own: with its student, and what reading it left to say."""
    return replace(result, student=submission.student, message="; ".join(submission.notes), standing=None)
