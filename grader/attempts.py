"""Which of a student's attempts counts, how late it was, and what that costs: the policy alone, without files or clocks.

All times have a zone and are compared in UTC, where a day has 24 hours; who is on time to the microsecond is not late.
Points are with the bonus, as the gradebook sums them.
"""

import calendar
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import msgspec

from grader.results import DIGITS, Attempt, Standing

POLICIES = ("last", "best", "first")
EXAMPLE = "2026-05-01T23:59:00+02:00"
STAMP = "%Y-%m-%dT%H-%M-%S"
"""A time in the name of an entry: `2026-04-30T18-02-11Z`, or another zone, `2026-04-30T20-02-11+0200`."""
HOUR, DAY = 3600, 86400

Penalty = Callable[[str, float, float], float]
"""Student, points, seconds late (more than 0) -> points taken off, from 0 to all of them."""

_RATE = re.compile(r"(\d+(?:\.\d+)?) ?(points?|percent|%) per (day|hour)")
_CLASS = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*[.:][^\W\d]\w*")
_DATED = re.compile(r"(?P<student>.+)@(?P<time>\d{4}-\d\d-\d\d.*)", re.DOTALL)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d(?:Z|[+-]\d{4})", re.ASCII)
_BEFORE_ALL = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Rate:
    """A penalty that grows with each period begun: `amount` points, or percent of the points earned.

    Within `grace_seconds` nothing is taken off; beyond, the periods count from the due date all the same.
    """

    amount: float
    percent: bool = False
    period_seconds: int = DAY
    grace_seconds: float = 0

    @classmethod
    def read(cls, text: str, grace_seconds: float = 0) -> "Rate | None":
        """The rate that a text such as `10 percent per day` declares, `none` and `zero` among them; None for others."""
        if text == "none":
            return cls(0, False, DAY, grace_seconds)
        if text == "zero":
            return cls(100, True, DAY, grace_seconds)
        found = _RATE.fullmatch(text.strip())
        if not found:
            return None
        amount, unit, period = found.groups()
        return cls(float(amount), unit in ("percent", "%"), DAY if period == "day" else HOUR, grace_seconds)

    def of(self, points: float, seconds_late: float) -> float:
        """Points taken off `points` for being `seconds_late`; never more than there are."""
        if seconds_late <= self.grace_seconds:
            return 0.0
        periods = -(-timedelta(seconds=seconds_late) // timedelta(seconds=self.period_seconds))
        return limited(self.amount * periods * (points / 100 if self.percent else 1), points)


class Deadline(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[deadline]` in `assignment.toml`: until when, which attempt counts, and what being late costs."""

    due: datetime | None = None
    counts: str = "last"
    """`last`, `best` (after the penalty) or `first`."""
    late: str = "none"
    """`none`, `zero` (all points), `5 points per day`, `10 percent per hour`, or the class of a plugin, `module:Class`."""
    grace_minutes: float = 0
    """So late costs nothing yet."""

    def __post_init__(self) -> None:
        if self.due is not None and self.due.tzinfo is None:
            raise ValueError(f"expected due with its zone, as in {EXAMPLE}, found {self.due.isoformat()}: add it")
        if self.counts not in POLICIES:
            raise ValueError(f"expected counts to be one of {', '.join(POLICIES)}, found {self.counts!r}")
        if self.rate is None and not _CLASS.fullmatch(self.late):
            raise ValueError(
                "expected late to be none, zero, a rate such as '5 points per day' or '10 percent per hour', or a plugin's "
                f"class, 'module:Class', found {self.late!r}"
            )
        if not 0 <= self.grace_minutes < float("inf"):
            raise ValueError(f"expected grace_minutes of at least 0, found {self.grace_minutes:g}")
        if self.rate is None and self.grace_minutes:
            raise ValueError("expected no grace_minutes beside a plugin's class, which sees to that itself")
        if self.due is None and (self.late != "none" or self.grace_minutes):
            raise ValueError(f"expected due, as in due = {EXAMPLE}, since late work is to cost something; found none")

    @property
    def rate(self) -> Rate | None:
        """The penalty where it is one of ours; None where a class is named."""
        return Rate.read(self.late, self.grace_minutes * 60)

    @property
    def cost(self) -> str:
        """What being late costs, in words for who hands in: `10 percent of the points for each day begun`."""
        rate = self.rate
        if rate is None:
            return "by the course's own rule"
        if self.late == "zero":
            cost = "all points"
        elif not rate.amount:
            return "nothing"
        else:
            points = "point" if rate.amount == 1 else "points"
            amount = f"{rate.amount:g} percent of the points" if rate.percent else f"{rate.amount:g} {points}"
            cost = f"{amount} for each {'day' if rate.period_seconds == DAY else 'hour'} begun"
        return f"{cost}; nothing within {lateness(rate.grace_seconds)}" if rate.grace_seconds else cost


def due_in_words(due: datetime) -> str:
    """A due date as it was set, with its zone: `Thursday 15 October 2026, 23:59 (UTC+02:00)`."""
    day = f"{calendar.day_name[due.weekday()]} {due.day} {calendar.month_name[due.month]} {due.year}"
    time, zone = due.strftime("%H:%M:%S" if due.second else "%H:%M"), due.strftime("%z")
    return f"{day}, {time} (UTC{f'{zone[:3]}:{zone[3:5]}' if due.utcoffset() else ''})"


def no_penalty(student: str, points: float, seconds_late: float) -> float:
    """Being late costs nothing."""
    return 0.0


NO_DEADLINE = Deadline()


@dataclass(frozen=True)
class Policy:
    """What decides among attempts: the deadline, who has an extension of it, and the penalty."""

    deadline: Deadline = NO_DEADLINE
    extensions: Mapping[str, timedelta] = field(default_factory=dict)
    penalty: Penalty = no_penalty

    def standing(self, student: str, attempts: Sequence[Attempt]) -> Standing | None:
        """All attempts of a student with lateness and penalty, and which of them counts.

        None where there is nothing to decide and nothing to tell: a single attempt without name or time, and no due date.
        Attempts without points, on which the grader failed, do not count where another has some.
        """
        due, extension = self.deadline.due, self.extensions.get(student, timedelta(0))
        if due is None and len(attempts) == 1 and not attempts[0].name and attempts[0].time is None:
            return None
        told = tuple(sorted((self._judged(student, one, due, extension) for one in attempts), key=_in_time))
        place = counting(told, self.deadline.counts)
        utc = due and due.astimezone(UTC)
        return Standing(told, place, _why(told, place, self.deadline.counts), utc, extension.total_seconds())

    def _judged(self, student: str, attempt: Attempt, due: datetime | None, extension: timedelta) -> Attempt:
        late = seconds_late(attempt.time, due, extension)
        penalty = self.penalty(student, attempt.points, late) if late and attempt.points is not None else 0.0
        return replace(attempt, seconds_late=late, penalty=penalty)


def seconds_late(time: datetime | None, due: datetime | None, extension: timedelta = timedelta(0)) -> float:
    """Seconds after the due date and the extension; 0 where either time is unknown."""
    if time is None or due is None:
        return 0.0
    # In UTC: two times of one zone are subtracted by their wall clocks, which daylight saving sets back and forth.
    return max(0.0, (time.astimezone(UTC) - due.astimezone(UTC) - extension).total_seconds())


def limited(penalty: float, points: float) -> float:
    """A penalty that takes off no more than there is, and adds nothing."""
    return round(min(max(penalty, 0.0), max(points, 0.0)), DIGITS)


def counting(attempts: Sequence[Attempt], counts: str) -> int:
    """The place of the attempt that counts; of equal times the name decides, of equally good ones the earliest counts.

    Where none has points yet: the place of the one that would count by its time.
    """
    places = [place for place, one in enumerate(attempts) if one.points is not None] or list(range(len(attempts)))
    if counts == "last":
        return max(places, key=lambda place: _in_time(attempts[place]))
    if counts == "first":
        return min(places, key=lambda place: _in_time(attempts[place]))
    return min(places, key=lambda place: (-(attempts[place].net or 0.0), _in_time(attempts[place])))


def _in_time(attempt: Attempt) -> tuple[datetime, str]:
    return (attempt.time.astimezone(UTC) if attempt.time else _BEFORE_ALL), attempt.name


def _why(attempts: Sequence[Attempt], place: int, counts: str) -> str:
    """In few words, why the attempt at `place` counts."""
    if len(attempts) == 1:
        return "the only attempt"
    known = sum(one.points is not None for one in attempts)
    of = f"of {len(attempts)}" if known == len(attempts) else f"of the {known} of {len(attempts)} that have points"
    if counts != "best":
        return f"the {counts} {of}"
    same = sum(one.net == attempts[place].net for one in attempts)
    after = " after penalties" if any(one.penalty for one in attempts) else ""
    return f"the best {of}{after}" + (f", the earliest of {same} that are as good" if same > 1 else "")


def faults(standing: Standing | None) -> list[str]:
    """A line for each attempt on which the grader failed, and what counts until it is graded."""
    return [
        f"attempt {one.name} could not be graded ({one.fault}): until it is, "
        + ("its earlier record stands" if one.points is not None else "it does not count")
        for one in (standing.attempts if standing else ())
        if one.fault and one.name
    ]


def dated(name: str) -> tuple[str, str, datetime] | None:
    """Student, attempt and time in UTC that an entry's name `<student>@<time>` stands for; None where it has no time.

    Raises:
        ValueError: it has one that is none, or that has no zone.
    """
    found = _DATED.fullmatch(name)
    if not found:
        return None
    student, text = found["student"], found["time"]
    if not _TIME.fullmatch(text):
        raise ValueError(f"expected <student>@<time> with a zone, as in {student}@2026-04-30T18-02-11Z, found {name!r}")
    try:
        return student, text, datetime.strptime(text, f"{STAMP}%z").astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"expected a time that exists, found {name!r}") from None


def moment(text: str) -> datetime:
    """A time in UTC from ISO 8601 with a zone, such as `2026-04-30T18:02:11Z`.

    Raises:
        ValueError: it is none, or has no zone.
    """
    try:
        time = datetime.fromisoformat(text.strip())
        zoned = time.tzinfo and time.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"expected a time such as {EXAMPLE}, found {text!r}") from None
    if not zoned:
        raise ValueError(f"expected a time with its zone, such as {EXAMPLE}, found {text!r}")
    return zoned


def stamp(time: datetime) -> str:
    """A time as the name of an attempt, in UTC and whole seconds."""
    return time.astimezone(UTC).strftime(f"{STAMP}Z")


def lateness(seconds: float) -> str:
    """Time as people say it, in its two largest units, minutes begun: `2 d 3 h`, `5 h 1 min`; nothing for none."""
    minutes = math.ceil(seconds / 60)
    parts = {"d": minutes // 1440, "h": minutes // 60 % 24, "min": minutes % 60}
    return " ".join([f"{count} {unit}" for unit, count in parts.items() if count][:2])
