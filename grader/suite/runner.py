"""A collected suite, run against one student after another: `Desk` is what its fixtures and hooks share."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest

from grader.errors import GraderFault, LimitExceeded
from grader.results import CheckResult, Reading
from grader.suite.album import Album
from grader.suite.checks import Rubric, Run
from grader.suite.exhibits import Exhibition
from grader.suite.outcome import result_of
from grader.suite.student import Student


@dataclass
class Desk:
    """One assignment's suite at work: who is being marked, and the results so far."""

    rubric: Rubric
    run: Run
    open_student: Callable[[], Student]
    student: Student | None = None
    results: dict[str, CheckResult] = field(default_factory=dict)
    fault: GraderFault | None = None
    album: Album | None = None
    """Where figures of self-checks go; hidden suites keep none."""
    readings: defaultdict[str, list[Reading]] = field(default_factory=lambda: defaultdict(list))
    """What a check measured so far, and the lines that it was compared with."""

    def sit(self) -> Student:
        """The student being marked."""
        if self.student is None:
            self.student = self.open_student()
        return self.student

    def note(self, name: str, error: BaseException | None, seconds: float) -> CheckResult | None:
        """Record how a check ended; a fault of ours is kept, and ends the grading of this submission."""
        try:
            answered = self.student is not None and self.student.answered
            result = result_of(self.rubric, name, error, seconds, answered=answered)
            self.results[name] = replace(result, readings=tuple(self.readings.pop(name, ())))
        except GraderFault as fault:
            self.fault = self.fault or GraderFault(f"{name}: {fault}")
        return self.results.get(name)

    def close(self) -> None:
        if self.student is not None:
            self.student.close()
            self.student = None


DESK = pytest.StashKey[Desk]()
NAME = pytest.StashKey[str]()


class Suite:
    """The collected checks of one assignment, in rubric order."""

    def __init__(
        self,
        desk: Desk,
        items: Mapping[str, pytest.Item],
        shipped: str = "",
        exhibition: Exhibition | None = None,
    ) -> None:
        self.desk = desk
        self.shipped = shipped
        self.exhibition = exhibition or Exhibition(desk.run)
        self._items: Sequence[pytest.Item] = [items[name] for name in desk.rubric.checks]

    @property
    def rubric(self) -> Rubric:
        return self.desk.rubric

    def compute_references(self, builders: Sequence[Callable[[Run], object]]) -> None:
        """Compute what all submissions are compared with, once."""
        for build in builders:
            self.desk.run.reference(build)

    def draw(self, seed: int) -> None:
        """Draw everything anew from another seed; references are computed again by the first check that needs them."""
        if seed != self.desk.run.seed:
            self.desk.run = replace(self.desk.run, seed=seed, _computed={})

    def mark(
        self,
        student: Student,
        only: Collection[str] = (),
        *,
        given_up: Collection[str] = (),
        on_check: Callable[[str], None] = lambda name: None,
    ) -> list[CheckResult]:
        """Run every check on `student`, or only those named; the results in rubric order.

        Checks that are `given_up` are not run: what the student's code answered could not be judged in an earlier try.
        `on_check` is told of each that is.

        Raises:
            GraderFault: the suite itself failed on a check.
        """
        self.desk.student, self.desk.results, self.desk.fault = student, {}, None
        named = [item for item in self._items if not only or item.stash[NAME] in only]
        items = [item for item in named if item.stash[NAME] not in given_up]
        for name in {item.stash[NAME] for item in named} & set(given_up):
            self.desk.note(name, LimitExceeded("what it gave back takes too long to judge"), 0.0)
        for item, following in zip(items, [*items[1:], None], strict=True):
            on_check(item.stash[NAME])
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if self.desk.fault:
                raise self.desk.fault
        return [self.desk.results[item.stash[NAME]] for item in named]
