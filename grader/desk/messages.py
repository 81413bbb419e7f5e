"""What the watcher and its warm process say to each other."""

from dataclasses import dataclass

from grader.desk.imports import Affected


@dataclass(frozen=True)
class Request:
    """Run these checks. A request that comes before another is answered takes its place, and asks for all that is owed."""

    number: int
    affected: Affected


@dataclass(frozen=True)
class Ready:
    """The process is warm."""


@dataclass(frozen=True)
class Checking:
    """A check begins."""

    name: str


@dataclass(frozen=True)
class Done:
    """The request of this number is answered."""

    number: int
