"""`course.toml`, what a course's staff decides for a term: the seed of hidden data, dates, weights, late work, thresholds,
and what students are shown when. Students never receive it; a course without it is as its `assignment.toml` files say.
"""

import difflib
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from grader.attempts import EXAMPLE, NO_DEADLINE, Deadline
from grader.declared import checked
from grader.errors import UsageError

NAME = "course.toml"
MOST_SEED = 2**53 - 1
When = Any  # msgspec knows no union of a word and a time
"""`always`, `after due`, `never`, or a time with its zone."""
WORDS = ("always", "after due", "never")


def _require_zone(what: str, moment: object) -> None:
    if isinstance(moment, datetime) and moment.tzinfo is None:
        raise ValueError(f"expected {what} with its zone, as in {EXAMPLE}, found {moment.isoformat()}: add it")


class Shown(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """From when students are shown a part of their result: always, after the due date, never, or from a time on."""

    points: When = "always"
    """Score and points by check, and with them which checks pass."""
    hints: When = "always"
    """What a check says when it does not pass."""
    figures: When = "always"

    def __post_init__(self) -> None:
        for part in self.__struct_fields__:
            when = getattr(self, part)
            _require_zone(f"shown.{part}", when)
            if not isinstance(when, datetime) and when not in WORDS:
                raise ValueError(f"expected shown.{part} to be {', '.join(WORDS)} or {EXAMPLE}, found {when!r}")


class Late(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[late]`: for every assignment with a due date that declares nothing of its own."""

    counts: str | None = None
    late: str | None = None
    grace_minutes: float | None = None

    def __post_init__(self) -> None:
        given = {part: value for part in self.__struct_fields__ if (value := getattr(self, part)) is not None}
        Deadline(due=datetime.max.replace(tzinfo=UTC), **given)  # says what is wrong with them


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[assignments.<name>]`: what is not given is as `assignment.toml` says."""

    weight: float = 1
    """Of the course's mark, relative to the others."""
    due: datetime | None = None
    counts: str | None = None
    late: str | None = None
    grace_minutes: float | None = None
    thresholds: dict[str, float] = {}
    shown: Shown | None = None

    def __post_init__(self) -> None:
        _require_zone("due", self.due)
        if not 0 <= self.weight < float("inf"):
            raise ValueError(f"expected a weight of at least 0, found {self.weight:g}")


class Term(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All of `course.toml`."""

    title: str = ""
    seed: int | None = None
    """Hidden data is drawn by it, for everybody who hands in this term; None: each run draws its own."""
    late: Late = Late()
    shown: Shown = Shown()
    assignments: dict[str, Settings] = {}

    def __post_init__(self) -> None:
        if self.seed is not None and not 0 <= self.seed <= MOST_SEED:
            raise ValueError(f"expected a seed from 0 to 2**53 - 1, found {self.seed}")

    def of(self, name: str) -> Settings:
        """An assignment's settings; all as declared, where there are none."""
        return self.assignments.get(name, Settings())

    def shown_of(self, name: str) -> Shown:
        """What is shown when of an assignment."""
        return self.of(name).shown or self.shown

    def deadline(self, name: str, declared: Deadline) -> Deadline:
        """The deadline that holds: the assignment's settings before those for all, and these before what it declares.

        Raises:
            UsageError: they do not fit each other.
        """
        own, due = self.of(name), self.of(name).due or declared.due
        parts = {}
        for part in ("counts", "late", "grace_minutes"):
            told = getattr(declared, part)
            for_all = getattr(self.late, part) if due and told == getattr(NO_DEADLINE, part) else None
            parts[part] = next(value for value in (getattr(own, part), for_all, told) if value is not None)
        try:
            return Deadline(due=due, **parts)
        except ValueError as error:
            raise UsageError(f"{NAME}, assignments.{name}: {error}.") from None


NO_TERM = Term()


@dataclass(frozen=True)
class Window:
    """The parts of results that students are shown at a moment."""

    points: bool = True
    hints: bool = True
    figures: bool = True
    until: Mapping[str, datetime | None] = field(default_factory=dict, compare=False)
    """When those that are not shown yet will be; None where that is the due date, and nothing is due. What is never shown is
    not among them."""

    @classmethod
    def at(cls, moment: datetime, shown: Shown, due: datetime | None) -> "Window":
        """What is open at a moment, given the due date with an extension, if there is one.

        Where nothing is due, what is to be shown after the due date is not.
        """
        whens = {part: getattr(shown, part) for part in ("points", "hints", "figures")}
        is_open = {part: _open(when, moment, due) for part, when in whens.items()}
        until = {
            part: when if isinstance(when, datetime) else due
            for part, when in whens.items()
            if not is_open[part] and when != "never"
        }
        return cls(**is_open, until=until)


def _open(when: When, moment: datetime, due: datetime | None) -> bool:
    if when == "after due":
        return due is not None and moment > due
    return moment >= when if isinstance(when, datetime) else when == "always"


def read_term(root: Path, names: Collection[str]) -> Term:
    """Read a course's `course.toml`; as if it were empty where there is none. `names` are its assignments'.

    Raises:
        UsageError: not TOML, an unknown key or assignment (with the nearest known one), or an impossible value.
    """
    path = root / NAME
    try:
        told = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return NO_TERM
    except OSError as error:
        raise UsageError(f"expected the course's settings, cannot read {path}: {error.strerror}.") from None
    except ValueError as error:
        raise UsageError(f"{path}: expected TOML in UTF-8, found a mistake: {error}.") from None
    tables = told.pop("assignments", {})
    if not (isinstance(tables, dict) and all(isinstance(table, dict) for table in tables.values())):
        raise UsageError(f"{path}, assignments: expected a table [assignments.<name>] for each, found {tables!r}.")
    settings = {
        name: checked(table, Settings, f"{path}, assignments.{name}", [Shown]) for name, table in tables.items()
    }
    term = msgspec.structs.replace(checked(told, Term, str(path), [Late, Shown]), assignments=settings)
    for name in term.assignments:
        if name not in names:
            near = nearest(name, names)
            raise UsageError(f"{path}: [assignments.{name}] is no assignment of the course{near}.")
    return term


def thresholds_of(settings: Settings, declared: dict[str, float], where: str) -> dict[str, float]:
    """The thresholds that hold: those declared, with what the settings say instead.

    Raises:
        UsageError: one of them is not declared.
    """
    for name in settings.thresholds:
        if name not in declared:
            raise UsageError(f"{where}: there is no threshold {name!r}{nearest(name, declared)}.")
    return {**declared, **settings.thresholds}


def nearest(name: str, known: Collection[str]) -> str:
    """` (did you mean 'x'?)`, or all that there are."""
    near = difflib.get_close_matches(name, known, 1)
    return f" (did you mean {near[0]!r}?)" if near else f": there are {', '.join(sorted(known)) or 'none'}"
