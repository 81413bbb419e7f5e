"""How pages tell times: in the zone in which the due date was set, which is the one that students were told."""

from dataclasses import dataclass
from datetime import UTC, datetime, timezone, tzinfo

from grader.attempts import due_in_words


@dataclass(frozen=True)
class Clock:
    """Tells times in one zone."""

    zone: tzinfo = UTC

    @classmethod
    def of(cls, due: datetime | None) -> "Clock":
        """In the zone of a due date, at the offset from UTC that holds then; in UTC where nothing is due.

        Records keep times in UTC alone: only the due date that the course declares has its zone.
        """
        offset = due.utcoffset() if due else None
        return cls(timezone(offset) if offset else UTC)

    @property
    def name(self) -> str:
        """`UTC+02:00`, or `UTC`."""
        return str(self.zone)

    def told(self, time: datetime) -> str:
        """For tables: `2026-10-15 23:59`."""
        return f"{time.astimezone(self.zone):%Y-%m-%d %H:%M}"

    def in_words(self, time: datetime) -> str:
        """With day and zone: `Thursday 15 October 2026, 23:59 (UTC+02:00)`."""
        return due_in_words(time.astimezone(self.zone))
