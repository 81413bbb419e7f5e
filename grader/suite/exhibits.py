"""`@exhibit`: what a suite shows of a student's work beside the checks: no points, no say in any mark.

    from grader.suite import exhibit, lines

    @exhibit(task="train", title="Loss of each epoch")
    def loss(student, run):
        return lines({"training": student.train.train(…)}, x="epoch", y="loss")

in `tests/hidden/<project>/exhibits.py`. `run` is of a seed that never changes and that anybody may know: whatever is drawn from
it, and the released files in `run.fixtures`, may be seen by the student's code, and by the student.
"""

import importlib.util
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Protocol

import numpy as np

from grader.course import Assignment
from grader.errors import LimitExceeded, UsageError
from grader.exhibits import LARGEST, MOST_EXHIBITS, MOST_NUMBERS, Exhibit, ExhibitKind, Series
from grader.suite.assertions import as_array, require
from grader.suite.checks import Run
from grader.suite.student import Student

FILE = "exhibits.py"
PUBLIC_SEED = 2024
DIGITS = 6


@dataclass(frozen=True)
class Drawing:
    """What an exhibit's function returns: series of numbers, not looked at yet."""

    kind: ExhibitKind
    series: Mapping[str, object]
    x: str
    y: str


def scatter(actual: object, predicted: object, *, x: str = "actual", y: str = "predicted") -> Drawing:
    """Points on equal axes: (n,) each."""
    return Drawing(ExhibitKind.SCATTER, {x: actual, y: predicted}, x, y)


def lines(series: Mapping[str, object], *, x: str, y: str) -> Drawing:
    """Lines by their names: (n,) each, counted from 1."""
    return Drawing(ExhibitKind.LINES, series, x, y)


def confusion(counts: object, classes: Sequence[str]) -> Drawing:
    """A matrix of counts (true class, predicted class) with the names of the classes."""
    array = as_array(counts, "the matrix", shape=(len(classes), len(classes)))
    return Drawing(ExhibitKind.MATRIX, dict(zip(classes, array, strict=True)), "predicted", "true")


class Declared(Protocol):
    """A function that `@exhibit` has marked."""

    __name__: str
    __exhibit__: tuple[str, str]
    """The task and the title."""

    def __call__(self, student: Student, run: Run, /) -> Drawing: ...


def exhibit(*, task: str, title: str) -> Callable[[Callable], Callable]:
    """Declare a function `(student, run) -> Drawing` as an exhibit of a task; it is shown where the task's file is."""

    def mark(function: Callable) -> Callable:
        function.__exhibit__ = (task, title)  # type: ignore[attr-defined]
        return function

    return mark


@dataclass(frozen=True)
class Exhibition:
    """The exhibits of a suite."""

    run: Run
    functions: Sequence[Declared] = ()

    @classmethod
    def of(cls, folder: Path, run: Run) -> "Exhibition":
        """Those that a suite's folder declares.

        Raises:
            UsageError: the file cannot be imported, names a task that there is not, or declares too many.
        """
        public = replace(run, seed=PUBLIC_SEED, _computed={})
        path = folder / FILE
        if not path.is_file():
            return cls(public)
        functions = [thing for thing in vars(_imported(path)).values() if hasattr(thing, "__exhibit__")]
        _require_declared(path, functions, run.assignment)
        return cls(public, functions)

    def show(self, student: Student, files: Collection[str]) -> tuple[Exhibit, ...]:
        """What can be shown of a submission that has these files. Whatever goes wrong with one leaves it out; after one that
        meets a limit, no more are asked for."""
        shown = []
        for function in self.functions:
            task, title = function.__exhibit__
            if self.run.assignment.task_of(task).file not in files:
                continue
            try:
                student.fresh(PUBLIC_SEED)
                shown.append(_checked(function(student, self.run), task, title))
            except LimitExceeded:
                break
            except Exception:  # the student's code, or what it gave back: then there is no figure, and nothing else
                continue
        return tuple(shown)


def _checked(drawing: Drawing, task: str, title: str) -> Exhibit:
    """The drawing as plain numbers of known size.

    Raises:
        CheckFailed: something in it is no row of numbers, or it has too many.
        ValueError: they do not fit together.
    """
    arrays = {name: as_array(values, name, shape=(None,)) for name, values in drawing.series.items()}
    total = sum(len(array) for array in arrays.values())
    require(total <= MOST_NUMBERS, f"an exhibit has at most {MOST_NUMBERS} numbers", got=total)
    series = tuple(Series(name, tuple(map(_number, array))) for name, array in arrays.items())
    return Exhibit(task, title, drawing.kind, series, drawing.x, drawing.y)


def _number(value: np.float64) -> float | None:
    return float(f"{value:.{DIGITS}g}") if np.isfinite(value) and abs(value) <= LARGEST else None


def _imported(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"exhibits_of_{path.parent.name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise UsageError(f"{path} cannot be imported: {type(error).__name__}: {error}.") from None
    return module


def _require_declared(path: Path, functions: Sequence[Declared], assignment: Assignment) -> None:
    if len(functions) > MOST_EXHIBITS:
        raise UsageError(f"{path}: expected at most {MOST_EXHIBITS} exhibits, found {len(functions)}.")
    for function in functions:
        try:
            assignment.task_of(function.__exhibit__[0])
        except UsageError as error:
            raise UsageError(f"{path}, {function.__name__}: {error}") from None
