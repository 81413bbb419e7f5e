"""How a suite declares checks, references and what it draws at random."""

import hashlib
import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from grader.course import Assignment, Task
from grader.errors import UsageError


@dataclass(frozen=True)
class Check:
    """A check as the suite declares it; its points are in the rubric, `assignment.toml`."""

    title: str
    hint: str
    task: str = ""


def check(*, title: str, hint: str, task: str = "") -> Callable[[Callable], Callable]:
    """Declare a test function as a check: `title` is the rule that students read, `hint` what to think of when it fails.

    The task is the file's (`test_train.py`, `test_train_accelerate.py`; `test_public_train.py` among self-checks), unless
    `task` names another; the check's name is the function's.
    """

    def mark(function: Callable) -> Callable:
        function.__check__ = Check(title, hint, task)  # type: ignore[attr-defined]
        return function

    return mark


@dataclass(frozen=True)
class Run:
    """One grading run: everything drawn at random follows from `seed`, so that any grade can be reproduced."""

    seed: int
    assignment: Assignment
    fixtures: Path
    _computed: dict[str, Any] = field(default_factory=dict)

    @property
    def thresholds(self) -> Mapping[str, float]:
        return self.assignment.thresholds

    def rng(self, name: str) -> np.random.Generator:
        """A generator of its own for each name, so that a new check does not shift another's numbers."""
        return np.random.default_rng([self.seed, *hashlib.sha256(name.encode()).digest()[:8]])

    def generator(self) -> ModuleType:
        """The fixture's `generate.py`, for data like those that students have, drawn anew."""
        spec = importlib.util.spec_from_file_location(
            f"{self.assignment.name}_generator", self.fixtures / "generate.py"
        )
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    def reference(self, build: Callable[["Run"], Any]) -> Any:
        """What `build` gives, computed once."""
        name = f"{build.__module__}.{build.__qualname__}"
        if name not in self._computed:
            self._computed[name] = build(self)
        return self._computed[name]


def reference(build: Callable[[Run], Any]) -> Any:
    """Make `build(run)` a fixture of the same name whose value is computed once a run, before any submission is graded.

    Its value is shared by the checks of a submission: they must not change it.
    """

    @pytest.fixture(name=build.__name__)
    def fixture(run: Run) -> Any:
        return run.reference(build)

    fixture.build_reference = build  # type: ignore[attr-defined]
    return fixture


@dataclass(frozen=True)
class Rubric:
    """The assignment's checks in rubric order, matched with the suite's."""

    assignment: Assignment
    checks: Mapping[str, Check]

    @classmethod
    def match(cls, assignment: Assignment, declared: Mapping[str, Check], suite: Path) -> "Rubric":
        """Pair the suite's checks with the rubric's.

        Raises:
            UsageError: a check without points, or points without a check.
        """
        rubric = assignment.checks
        without_points = sorted(set(declared) - set(rubric))
        without_check = [name for name in rubric if name not in declared]
        if without_points or without_check:
            raise UsageError(
                f"{suite} and {assignment.name}/assignment.toml must name the same checks; "
                f"without points: {', '.join(without_points) or 'none'}; without a check: {', '.join(without_check) or 'none'}."
            )
        return cls(assignment, {name: declared[name] for name in rubric})

    def task_of(self, name: str) -> Task:
        return self.assignment.task_of(name.partition(".")[0])

    def points(self, name: str) -> float:
        task, _, check_name = name.partition(".")
        return self.assignment.task_of(task).checks[check_name]
