"""What a platform's names say: works, each of one student at one time, and what is left alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from grader.exports.students import Student
from grader.intake.download import Item


@dataclass(frozen=True)
class Work:
    """What one student handed in at one time."""

    who: Student
    files: Mapping[str, Item]
    """By their path in the entry."""
    source: str
    """Where it lay in the download, for messages."""
    time: datetime | None = None
    """In UTC; None where the platform does not tell, or cannot be believed."""


@dataclass(frozen=True)
class Taken:
    """All works of a download."""

    works: Sequence[Work]
    left: Sequence[str] = ()
    """Files and folders that nobody's work is made of, and why, a line each."""
    notes: Sequence[str] = field(default=())
    """What holds for all, a line each."""
