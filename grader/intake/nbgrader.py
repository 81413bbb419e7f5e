"""nbgrader's `submitted/`: `<student>/<assignment>/`, with the time of collection's submission in `timestamp.txt`.

Source: https://nbgrader.readthedocs.io/en/stable/user_guide/autograding.html and `nbgrader.utils.parse_utc`
"""

import difflib
import re
from collections import defaultdict
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from grader.archive import quoted
from grader.errors import InvalidSubmission, UsageError
from grader.exports.students import Student
from grader.intake.download import Download, Item
from grader.intake.work import Taken, Work

STAMP = "timestamp.txt"
_LONGEST = 200  # bytes of a time
_TIME = re.compile(r"(?P<time>\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?)(?: ?(?P<zone>\S+))?", re.ASCII)
_OFFSET = re.compile(r"[+-]\d\d:?\d\d", re.ASCII)


def is_nbgrader(download: Download) -> bool:
    """Whether there are times of nbgrader's where it writes them."""
    return any(item.path.count("/") == 2 and item.path.endswith(f"/{STAMP}") for item in download.items)


def nbgrader(download: Download, assignment: str = "") -> Taken:
    """Files by student, of the one assignment that there is, or that is named.

    Raises:
        UsageError: there are more, or none of that name.
    """
    files: defaultdict[tuple[str, str], dict[str, Item]] = defaultdict(dict)
    left = {}
    for item in download.items:
        student, name, rest = (*item.path.split("/", 2), "", "")[:3]
        if rest:
            files[name, student][rest] = item
        else:
            left[item.path] = "in no folder of an assignment"
    chosen = _chosen(sorted({name for name, _ in files}), assignment)
    works, notes = [], []
    for (name, student), those in files.items():
        if name != chosen:
            left[f"{student}/{name}"] = "of another assignment"
            continue
        time, why = _time_of(download, those.pop(STAMP, None))
        notes += [f"{quoted(student)} has no time: {why}"] if why else []
        works.append(Work(Student(student), those, f"{student}/{name}", time))
    return Taken(works, [f"{quoted(path)}: {why}" for path, why in left.items()], notes)


def _chosen(names: list[str], assignment: str) -> str:
    if assignment in names or (not assignment and len(names) == 1):
        return assignment or names[0]
    near = difflib.get_close_matches(assignment, names, 1) if assignment else []
    hint = f"did you mean {near[0]!r}?" if near else f"name one of {', '.join(names)}."
    raise UsageError(
        f"expected --assignment to name one of the assignments there, found {assignment or 'none'}: {hint}"
    )


def _time_of(download: Download, item: Item | None) -> tuple[datetime | None, str]:
    """The time in UTC that a file tells, or why there is none."""
    if item is None:
        return None, f"there is no {STAMP}"
    if item.size > _LONGEST:
        return None, f"{STAMP} is too long to be a time"
    try:
        return utc(download.read(item).decode("utf-8", "replace").strip()), ""
    except (InvalidSubmission, ValueError) as error:
        return None, f"{STAMP}: {error}"


def utc(text: str) -> datetime:
    """A time of nbgrader's, `2026-04-30 18:02:11.000000 UTC`, in UTC; one without a zone is in UTC, as nbgrader has it.

    Raises:
        ValueError: it is none, or in a zone that cannot be told for sure, such as CEST.
    """
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError(f"expected a time such as 2026-04-30 18:02:11 UTC, found {quoted(text)}")
    time, zone = datetime.fromisoformat(found["time"]), found["zone"] or "UTC"
    if zone in ("UTC", "GMT", "Z"):
        return time.replace(tzinfo=UTC)
    if _OFFSET.fullmatch(zone):
        return datetime.fromisoformat(f"{time.isoformat()}{zone}").astimezone(UTC)
    try:
        if "/" not in zone:
            raise ValueError
        return time.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    except (ValueError, OSError, KeyError):
        raise ValueError(f"expected UTC, an offset or a zone such as Europe/Berlin, found {quoted(zone)}") from None
