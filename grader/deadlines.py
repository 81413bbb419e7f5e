"""Reading what decides about late work: who has an extension, and the class that says what being late costs."""

import difflib
import hashlib
import importlib
import math
import re
import sys
import tomllib
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from grader.attempts import EXAMPLE, Deadline, Penalty, limited, no_penalty
from grader.course import Assignment, Course
from grader.errors import GraderFault, UsageError
from grader.store import Run, Terms

if TYPE_CHECKING:
    from nbgrader.plugins import BasePlugin

EXTENSIONS = "extensions.toml"
"""In the course's folder: whose extensions they are is nobody else's business, and it is never released."""
_MOST = 10


class Extension(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`{days = 3}`: as much more time, in the words of nbgrader's `grant_extension`; a day has 24 hours."""

    weeks: float = 0
    days: float = 0
    hours: float = 0
    minutes: float = 0

    @property
    def delta(self) -> timedelta:
        return timedelta(weeks=self.weeks, days=self.days, hours=self.hours, minutes=self.minutes)


def read_extensions(path: Path | None, course: Course, assignment: Assignment) -> dict[str, timedelta]:
    """More time by student, for one assignment, from a table of its name; `path` None: the course's file, if there is one.

    Raises:
        UsageError: it cannot be read, names no assignment of the course, shortens somebody's time, or there is no due date
            to be put off.
    """
    place = path or course.root / EXTENSIONS
    if path is None and not place.is_file():
        return {}
    try:
        tables = tomllib.loads(place.read_text("utf-8"))
    except OSError as error:
        raise UsageError(f"expected a file of extensions, cannot read {place}: {error.strerror}.") from None
    except ValueError as error:
        raise UsageError(f"{place}: expected TOML in UTF-8, found a mistake: {error}.") from None
    for name in tables:
        if name not in course.names:
            near = _nearest(name, course.names)
            raise UsageError(f"{place}: expected a table for each assignment, found [{name}], which is none{near}.")
    table = tables.get(assignment.name, {})
    if not isinstance(table, Mapping):
        raise UsageError(f"{place}: expected a table [{assignment.name}], found {table!r}.")
    due = assignment.deadline.due
    if not table:
        return {}
    if due is None:
        raise UsageError(
            f"{place}: expected extensions of a due date, found none to extend: declare [deadline] due in "
            f"{course.handout(assignment.name) / 'assignment.toml'}."
        )
    return {
        unicodedata.normalize("NFC", name): _delta(value, due, f"{place}, {assignment.name}.{name}")
        for name, value in table.items()
    }


def _delta(value: object, due: datetime, where: str) -> timedelta:
    """More time, from a span or from until when there is time."""
    if isinstance(value, datetime) and value.tzinfo is None:
        raise UsageError(f"{where}: expected a time with its zone, as in {EXAMPLE}, found {value.isoformat()}.")
    try:
        told = msgspec.convert(value, datetime | Extension)
        delta = told.delta if isinstance(told, Extension) else told.astimezone(UTC) - due.astimezone(UTC)
    except (msgspec.ValidationError, OverflowError, ValueError):
        raise UsageError(
            f"{where}: expected {{days = 3}} (weeks, hours, minutes) or {EXAMPLE}, found {value}."
        ) from None
    if delta <= timedelta(0):
        raise UsageError(f"{where}: expected more time than until {due.isoformat()}, found {value}.")
    return delta


def terms_of(deadline: Deadline, extensions: Mapping[str, timedelta], *, own: bool = True) -> Terms:
    """What lateness is settled by, so that a later reader can tell whether it has changed; `own` extensions are those of the
    course's folder."""
    told = {student: more.total_seconds() for student, more in sorted(extensions.items())}
    return Terms(_digest(deadline), _digest(told) if own else "")


def outdated(run: Run | None, course: Course) -> list[str]:
    """A line where dates, extensions or what being late costs have changed since a run has settled them."""
    if run is None or run.terms is None or run.assignment not in course.names:
        return []
    assignment = course.assignment(run.assignment)
    elsewhere = not run.terms.extensions
    now = terms_of(
        assignment.deadline, {} if elsewhere else read_extensions(None, course, assignment), own=not elsewhere
    )
    if now == run.terms:
        return []
    return [
        f"{run.assignment}: dates, extensions or late work have changed since it was graded, and lateness here is as it was: "
        "run the same `grader grade` again, which settles it anew and marks nothing twice."
    ]


def _digest(told: object) -> str:
    return hashlib.sha256(msgspec.json.encode(told, order="deterministic")).hexdigest()


def unknown(what: str, named: Iterable[str], known: Collection[str]) -> list[str]:
    """A line for each name of which nothing was handed in, with the nearest of which something was; of many the first."""
    names = sorted(set(named) - set(known))
    lines = [
        f"{what} names {name!r}, of whom nothing was handed in{_nearest(name, known, at_all=True)}."
        for name in names[:_MOST]
    ]
    more = len(names) - _MOST
    return [*lines, *([f"{what} names {more} more of whom nothing was handed in."] if more > 0 else [])]


def _nearest(name: str, known: Collection[str], *, at_all: bool = False) -> str:
    """` (did you mean …?)`, whatever the case of letters; where nothing is near: nothing, or the nearest of all."""
    folded = {one.casefold(): one for one in known}
    near = difflib.get_close_matches(name.casefold(), folded, 1)
    if near:
        return f" (did you mean {folded[near[0]]!r}?)"
    near = difflib.get_close_matches(name.casefold(), folded, 1, cutoff=0) if at_all else []
    return f" (the nearest is {folded[near[0]]!r})" if near else ""


def penalty_by(deadline: Deadline, course: Course) -> Penalty:
    """What being late costs under a deadline: by our class, or by the one that it names, found in the course's folder too.

    Raises:
        UsageError: there is no such class, or none of nbgrader's plugins.
        GraderFault: from the penalty, when the class fails or gives no number.
    """
    if deadline.due is None or deadline.late == "none":
        return no_penalty
    plugin = _plugin(deadline, course.root)

    def penalty(student: str, points: float, seconds_late: float) -> float:
        try:
            found = plugin.late_submission_penalty(student, points, seconds_late)
        except Exception as error:
            raise GraderFault(
                f"the late penalty by {deadline.late} failed for {student}: {type(error).__name__}: {error}"
            ) from error
        if found is None:
            return 0.0
        if not isinstance(found, Real) or isinstance(found, bool) or math.isnan(found):
            raise GraderFault(f"expected points from {deadline.late}, found {found!r} for {student}")
        return limited(float(found), points)

    return penalty


def _plugin(deadline: Deadline, root: Path) -> "BasePlugin":
    from nbgrader.plugins import BasePlugin

    if deadline.rate is not None:
        from grader.late import LatePenalty

        return LatePenalty(penalty_method=deadline.late.strip(), grace_minutes=deadline.grace_minutes)
    module, name = re.split(r"[:.](?=\w+$)", deadline.late)
    found = _imported(module, name, deadline.late, root)
    if not (isinstance(found, type) and issubclass(found, BasePlugin) and hasattr(found, "late_submission_penalty")):
        raise UsageError(
            f"deadline.late: expected a subclass of nbgrader.plugins.LateSubmissionPlugin, found {deadline.late}: {found!r}."
        )
    return found()


def _imported(module: str, name: str, whole: str, root: Path) -> Any:
    """What a module of the course's folder, or an installed one, calls by a name."""
    sys.path.append(str(root))
    try:
        return getattr(importlib.import_module(module), name)
    except Exception as error:
        raise UsageError(
            f"deadline.late: expected a class to import, found {whole}: {type(error).__name__}: {error}."
        ) from None
    finally:
        sys.path.remove(str(root))
