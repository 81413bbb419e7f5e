"""Grade a class: every entry of a folder gets exactly one result, written whole and recorded in the gradebook."""

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from grader.course import Assignment
from grader.errors import GraderFault, UsageError
from grader.gradebook import Gradebook
from grader.results import CheckResult, CheckStatus, SubmissionResult, SubmissionStatus
from grader.submission import Entry, Invalid, Submission, file_name, load

AHEAD = 2  # submissions in memory for each job: enough to keep it busy, and no more


class Engine(Protocol):
    """What grades: futures of results, whichever machines they come from."""

    jobs: int
    titles: Mapping[str, str]

    def submit(self, submission: Submission) -> "Future[SubmissionResult]": ...


@dataclass(frozen=True)
class ResultStore:
    """The results of one run as files: `results/<student>.json`, each written aside and renamed."""

    out: Path

    @property
    def folder(self) -> Path:
        return self.out / "results"

    def prepare(self) -> None:
        """Make the folders.

        Raises:
            UsageError: the place cannot be written.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.folder):
                pass
        except OSError as error:
            raise UsageError(
                f"expected a folder to write results to, cannot use {self.out}: {error.strerror}."
            ) from None

    def write(self, result: SubmissionResult) -> None:
        """Write one result; a reader sees the old file or the new one, never a part."""
        target = self.folder / f"{file_name(result.student)}.json"
        with tempfile.NamedTemporaryFile(dir=self.folder, prefix=".", suffix=".part", delete=False) as aside:
            try:
                aside.write(result.to_json())
                aside.flush()
                os.fsync(aside.fileno())
                os.chmod(aside.name, 0o644)
                os.replace(aside.name, target)
            except BaseException:
                os.unlink(aside.name)
                raise

    def read(self) -> list[SubmissionResult]:
        """All results, sorted by student.

        Raises:
            UsageError: there are none, or one is not a result of this version.
        """
        paths = sorted(self.folder.glob("*.json"))
        if not paths:
            raise UsageError(f"expected results of `grader grade … --out {self.out}`, found none in {self.folder}.")
        return sorted((self._read(path) for path in paths), key=lambda result: result.student)

    def _read(self, path: Path) -> SubmissionResult:
        try:
            return SubmissionResult.from_json(path.read_bytes())
        except ValueError as error:
            raise UsageError(f"{path} is not a result that this version can read: {error}.") from None


def grade_class(
    entries: Sequence[Entry],
    assignment: Assignment,
    engine: Engine,
    store: ResultStore,
    gradebook: Gradebook,
    on_result: Callable[[SubmissionResult], None] = lambda result: None,
) -> list[SubmissionResult]:
    """Grade every entry; results in the entries' order, each stored and recorded as soon as it is known."""
    results: dict[str, SubmissionResult] = {}
    for result in _graded(entries, assignment, engine):
        store.write(result)
        gradebook.record(result)
        results[result.student] = result
        on_result(result)
    return [results[entry.student] for entry in entries]


def _graded(entries: Sequence[Entry], assignment: Assignment, engine: Engine) -> Iterator[SubmissionResult]:
    """Results as they come, with only a few submissions in memory at a time."""
    running: dict[Future[SubmissionResult], str] = {}
    for entry in entries:
        try:
            submission = load(entry, assignment)
        except GraderFault as fault:
            yield _grader_error(entry.student, assignment, str(fault))
            continue
        if isinstance(submission, Invalid):
            yield _invalid(submission, assignment, engine.titles)
            continue
        running[engine.submit(submission)] = entry.student
        while len(running) >= AHEAD * engine.jobs:
            yield from _finished(running, assignment)
    while running:
        yield from _finished(running, assignment)


def _finished(running: dict[Future, str], assignment: Assignment) -> Iterator[SubmissionResult]:
    """Take the futures that are done; a fault of ours becomes a record without a score."""
    for future in wait(running, return_when=FIRST_COMPLETED).done:
        student = running.pop(future)
        try:
            yield future.result()
        except GraderFault as fault:
            yield _grader_error(student, assignment, str(fault))


def _invalid(entry: Invalid, assignment: Assignment, titles: Mapping[str, str]) -> SubmissionResult:
    """The result of an entry that is no submission: nothing could be run, for the reason given."""
    checks = [
        CheckResult(
            name=f"{task.name}.{name}",
            task=task.name,
            title=titles.get(f"{task.name}.{name}", name),
            status=CheckStatus.NOT_RUN,
            points=0,
            max_points=points,
            message="Not run: the submission could not be read.",
        )
        for task in assignment.task
        for name, points in task.checks.items()
    ]
    return SubmissionResult(
        assignment.name,
        entry.student,
        SubmissionStatus.INVALID,
        checks,
        bonus_tasks=[task.name for task in assignment.task if task.bonus],
        task_numbers={task.name: task.number for task in assignment.task},
        message=entry.reason,
    )


def _grader_error(student: str, assignment: Assignment, why: str) -> SubmissionResult:
    return SubmissionResult(assignment.name, student, SubmissionStatus.GRADER_ERROR, message=why)
