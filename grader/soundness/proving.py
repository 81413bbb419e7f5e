"""Prove a suite sound: grade what has known marks through the real engine, and remember the verdicts.

A verdict holds as long as nothing changes that it depends on: the case's files and its `surroundings`. Only what changed is
graded again.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, as_completed
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import msgspec

from grader.aside import write_aside
from grader.course import Course
from grader.errors import GraderFault
from grader.results import SubmissionResult, SubmissionStatus
from grader.soundness.cases import USUAL, Case, Draws, Kind, cases_of
from grader.soundness.verdicts import Proof, Verdict
from grader.submission import Submission
from grader.surroundings import Surroundings

MEMORY = ".verify"
"""Folder of the course that remembers verdicts; it can be deleted at any time."""
OFTEN = 50  # verdicts after which they are written down: a run that is stopped loses no more


class Engine(Protocol):
    """What grades a submission."""

    def wait_ready(self) -> None: ...
    def submit(
        self, submission: Submission, *, seed: int | None = None, checks: Sequence[str] = ()
    ) -> "Future[SubmissionResult]": ...


Start = Callable[[], AbstractContextManager[Engine]]


def prove(
    course: Course,
    name: str,
    start: Start,
    *,
    seed: int,
    draws: Draws = USUAL,
    whole: bool = False,
    every: bool = False,
    only: str = "",
    on_verdict: Callable[[Verdict, int, int], None] = lambda verdict, done, total: None,
) -> Proof:
    """Judge all cases of an assignment, and grade those whose verdict is not known.

    Args:
        course: where solutions, mutants and alternatives stand.
        name: of the assignment.
        start: opens an engine; not called when all is known.
        seed: of the first draw of data; the others follow it.
        draws: how often cases are graded.
        whole: mark mutants by all checks, and not only by those that their file can reach.
        every: grade what is known, too.
        only: leave out mutants whose check's name does not begin with this.
        on_verdict: told of each new verdict, with how many are done and how many there will be.

    Raises:
        UsageError: a case that does not fit the assignment, or a suite that cannot be used.
    """
    assignment = course.assignment(name)
    cases = [
        case
        for case in cases_of(course, name, draws, whole=whole)
        if case.kind is not Kind.MUTANT or case.check.startswith(only)
    ]
    with ExitStack() as stack:
        memory = _Memory(course.root / MEMORY / f"{name}.json", Surroundings.of(course, assignment), trust=not every)
        grading = _Grading(lambda: stack.enter_context(start()), seed, memory, on_verdict)
        grading.judge(cases)
        cases += list(_further_draws(cases, memory, draws))
        grading.judge(cases)
    if not only:
        memory.forget_unused()
    reasons = {case.name: case.why for case in cases if case.kind is Kind.MUTANT}
    verdicts = [memory.of(case) for case in cases]
    return Proof(name, verdicts, grading.done, reasons, assignment.limits.check_seconds, part=bool(only))


def _further_draws(cases: Sequence[Case], memory: "_Memory", draws: Draws) -> Iterator[Case]:
    """Mutants that are told from right work by a line, on other data: by the check that draws the line alone."""
    lined = {check for case in cases if case.kind is Kind.SOLUTION for check in memory.of(case).readings}
    for case in cases:
        if case.kind is Kind.MUTANT and case.check in lined:
            yield from (replace(case, draw=draw, checks=(case.check,)) for draw in range(1, draws.mutant))


class _Memory:
    """Verdicts by the digest of their case and its surroundings, also those of earlier runs."""

    def __init__(self, path: Path, around: Surroundings, *, trust: bool) -> None:
        self._path, self._around, self._trust = path, around, trust
        self._verdicts = _remembered(path)
        self._used: set[str] = set()
        self._new: set[str] = set()

    def of(self, case: Case) -> Verdict:
        return self._verdicts[self._key(case)]

    def unknown(self, cases: Sequence[Case]) -> list[Case]:
        """Those of these cases that have no verdict, or none of this run if others are not to be trusted.

        Repeats are compared with each other: where one is unknown, all of them are.
        """
        known = self._verdicts if self._trust else self._new
        asked = [(case, self._key(case) not in known) for case in cases]
        repeats = any(unknown for case, unknown in asked if case.kind is Kind.REPEAT)
        return [case for case, unknown in asked if unknown or (repeats and case.kind is Kind.REPEAT)]

    def add(self, case: Case, verdict: Verdict) -> None:
        self._verdicts[self._key(case)] = verdict
        self._new.add(self._key(case))

    def forget_unused(self) -> None:
        """Forget what no case has asked for: it was of another suite."""
        stale = self._verdicts.keys() - self._used
        if stale:
            self._verdicts = {key: verdict for key, verdict in self._verdicts.items() if key not in stale}
            self.write()

    def write(self) -> None:
        """Keep all that has no fault for the next run."""
        kept = {key: verdict for key, verdict in self._verdicts.items() if not verdict.fault}
        write_aside(self._path, msgspec.json.encode(kept))

    def _key(self, case: Case) -> str:
        key = case.digest(self._around.digest(case.checks))
        self._used.add(key)
        return key


class _Grading:
    """Has cases graded, by an engine that is started when there is something to grade."""

    def __init__(
        self,
        start: Callable[[], Engine],
        seed: int,
        memory: _Memory,
        on_verdict: Callable[[Verdict, int, int], None],
    ) -> None:
        self._start, self._seed, self._memory, self._on_verdict = start, seed, memory, on_verdict
        self._engine: Engine | None = None
        self.done = 0

    def judge(self, cases: Sequence[Case]) -> None:
        """Give each case its verdict."""
        asked = self._memory.unknown(cases)
        total = self.done + len(asked)
        try:
            for case, verdict in self._graded(asked):
                self._memory.add(case, verdict)
                self.done += 1
                self._on_verdict(verdict, self.done, total)
                if self.done % OFTEN == 0:
                    self._memory.write()
        finally:
            if asked:
                self._memory.write()

    def _graded(self, asked: Sequence[Case]) -> Iterator[tuple[Case, Verdict]]:
        if not asked:
            return
        if self._engine is None:
            self._engine = self._start()
            self._engine.wait_ready()
        jobs = {self._submit(self._engine, case): case for case in asked}
        for job in as_completed(jobs):
            case = jobs[job]
            try:
                yield case, Verdict.of(case, job.result())
            except GraderFault as fault:
                failed = SubmissionResult("", case.name, SubmissionStatus.GRADER_ERROR, message=str(fault))
                yield case, Verdict.of(case, replace(failed, seed=self._seed_of(case)))

    def _submit(self, engine: Engine, case: Case) -> "Future[SubmissionResult]":
        submission = Submission(case.name, case.files, case.name)
        return engine.submit(submission, seed=self._seed_of(case), checks=case.checks)

    def _seed_of(self, case: Case) -> int:
        """Of the case's draw; the first is the run's own."""
        return (self._seed + case.draw) % 2**32


def _remembered(path: Path) -> dict[str, Verdict]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Verdict])
    except (OSError, msgspec.DecodeError):  # none yet, or of another version: everything is graded again
        return {}
