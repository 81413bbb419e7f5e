"""When students handed in, by the grading worksheet of a Moodle assignment: to the minute, in the zone of whoever downloads it.

Source: `strftimedaydatetime` in `lang/en/langconfig.php` of https://github.com/moodle/moodle
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from grader.errors import UsageError
from grader.exports.files import read_table
from grader.exports.moodle import WHAT, identified

SUBMITTED = "Last modified (submission)"
FORMS = ("%A, %d %B %Y, %I:%M %p", "%A, %d %B %Y, %H:%M")
"""Of Moodle in English, with a clock of 12 or of 24 hours."""
NEVER = ("", "-")


def submission_times(path: Path, zone: str) -> Mapping[str, datetime]:
    """Times in UTC by the participant's number, as in the names of downloaded folders; who handed in nothing has none.

    A minute is told by its beginning, and an hour that comes twice in autumn is the first of them: both for the student.

    Raises:
        UsageError: no such worksheet, no such zone, or a time that is not written as in English.
    """
    place = _zone(zone)
    table = read_table(path, WHAT)
    who, when = table.place("Identifier"), table.place(SUBMITTED)
    if who is None or when is None:
        raise UsageError(
            f"{path}: expected {WHAT}, with the columns Identifier and {SUBMITTED}, found {', '.join(table.header[:12])}."
        )
    found = {}
    for row in table.rows:
        if (text := row[when].strip()) not in NEVER:
            found[identified(row[who])] = _moment(text, place, path)
    return found


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise UsageError(
            f"expected --zone with --worksheet, the zone of your profile in Moodle such as Europe/Rome, found {name!r}."
        ) from None


def _moment(text: str, zone: ZoneInfo, path: Path) -> datetime:
    for form in FORMS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=zone).astimezone(UTC)
        except ValueError:
            continue
    raise UsageError(
        f"{path}: expected times as in Moodle's English, Thursday, 30 April 2026, 8:02 PM, found {text!r}; download the "
        "worksheet with your profile in English."
    )
