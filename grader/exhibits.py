"""Figures of a student's own work as plain numbers: what is kept in a result, and drawn by whoever shows it.

No exhibit has a say in any mark. Words in it are the suite's, numbers are finite or None, and there are not many of them.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

MOST_EXHIBITS = 6
"""In one result."""
MOST_NUMBERS = 2000
"""In one exhibit."""
LARGEST = 1e15
"""What is larger is no number that could be shown."""
LONGEST_TEXT = 200


class ExhibitKind(StrEnum):
    """What is drawn of the series."""

    SCATTER = "scatter"
    """Two series of equally many values, x and y, on equal axes: actual and predicted."""
    MATRIX = "matrix"
    """A square table of counts: a series for each true class, named like it, with a value for each predicted one."""
    LINES = "lines"
    """Values one after the other, counted from 1."""


@dataclass(frozen=True)
class Series:
    """Values with a name; None where there was no finite number."""

    name: str
    values: tuple[float | None, ...]


@dataclass(frozen=True)
class Exhibit:
    """One figure.

    Raises:
        ValueError: it is not what its kind must be, has too many numbers or too long words, or a number that is not finite.
    """

    task: str
    title: str
    kind: ExhibitKind
    series: tuple[Series, ...]
    x: str
    """What the x axis says."""
    y: str

    def __post_init__(self) -> None:
        sizes = [len(one.values) for one in self.series]
        if not 0 < sum(sizes) <= MOST_NUMBERS:
            raise ValueError(f"expected 1 to {MOST_NUMBERS} numbers in an exhibit, found {sum(sizes)}")
        if max(map(len, (self.task, self.title, self.x, self.y, *(one.name for one in self.series)))) > LONGEST_TEXT:
            raise ValueError(f"expected at most {LONGEST_TEXT} letters in each text of an exhibit")
        if self.kind is ExhibitKind.SCATTER and (len(sizes) != 2 or sizes[0] != sizes[1]):
            raise ValueError(f"expected two series of equally many values, found {sizes}")
        if self.kind is ExhibitKind.MATRIX and sizes != [len(sizes)] * len(sizes):
            raise ValueError(f"expected a square table, found rows of {sizes}")
        numbers = [value for one in self.series for value in one.values if value is not None]
        if not all(type(value) is float and math.isfinite(value) and abs(value) <= LARGEST for value in numbers):
            raise ValueError(f"expected floats up to {LARGEST:g}, or None")
        rows = [one.values for one in self.series]
        pairs = [pair for pair in zip(*rows, strict=False) if None not in pair]
        if not (pairs if self.kind is ExhibitKind.SCATTER else numbers):
            raise ValueError("expected something to draw, found nothing")
