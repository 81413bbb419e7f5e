"""Whose mark belongs into which row of a platform's roster; what is not sure gets no mark, and is said."""

import difflib
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from grader.exports.marks import Mark
from grader.exports.students import Student
from grader.exports.texts import line

MOST_NEAR = 20
"""Results without a row for which the nearest is looked for: it takes a while, and a class without any fits another roster."""


@dataclass(frozen=True)
class Row:
    """A student in a roster."""

    place: int
    """Among the roster's rows."""
    name: str
    keys: frozenset[str]
    """Whatever tells this student from all others: ids, logins, addresses; `key`s."""


@dataclass
class Match:
    """Marks by the place of their row, and what is to be said about the others."""

    marks: dict[int, Mark] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    """Students with a mark that goes into no row."""

    def final(self, place: int) -> float | None:
        """What a row gets; None where it gets nothing."""
        mark = self.marks.get(place)
        return mark.final if mark else None


def key(text: str) -> str:
    """An id, a login or an address as it is compared: without case, and whatever stands around it."""
    return unicodedata.normalize("NFC", " ".join(text.casefold().split()))


def keys(*texts: str) -> frozenset[str]:
    """Those of the texts that say something."""
    return frozenset(key(text) for text in texts if text.strip() and text.strip() != "-")


def match(
    marks: Sequence[Mark], rows: Sequence[Row], students: Mapping[str, Student], *, by_name: bool = False
) -> Match:
    """Give each mark to the one row that all it is known by points to.

    A mark is known by its student's name, and by the id, login and address that `students` has of them; `by_name` by the
    full name too, where two of a class do not share it. Where these point to different rows, or two marks to one row, there is
    none: a mark that is missing is seen, and one in a wrong row is not.
    """
    places = defaultdict(set)
    for row in rows:
        for one in row.keys:
            places[one].add(row.place)
    by_place = {row.place: row for row in rows}
    names = _places_by_name(rows) if by_name else {}
    match, wanted = Match(), defaultdict(list)
    for mark in marks:
        info = students.get(mark.student, Student(mark.student))
        hits = [places[one] for one in keys(info.student, info.id, info.login, info.email) if one in places]
        hits += [names[one] for one in {_words(info.name), _words(info.student)} if one in names and not hits]
        found = set.intersection(*hits) if hits else set()
        if len(found) == 1:
            wanted[found.pop()].append(mark)
        else:
            near = len(match.lines) < MOST_NEAR
            match.lines.append(_why_not(mark, info, rows, [by_place[at] for hit in hits for at in hit], near=near))
            match.lost += [mark.student] if mark.final is not None else []
    if match.lines and not students:
        match.lines.append(
            "who was taken by `grader intake` is known by the table that it wrote: give it with --students."
        )
    for place, those in wanted.items():
        _settle(match, by_place[place], those, students)
    return match


def _settle(match: Match, row: Row, marks: Sequence[Mark], students: Mapping[str, Student]) -> None:
    """One mark for a row, or none where there are two."""
    if len(marks) > 1:
        who = " and ".join(line(mark.student) for mark in marks)
        match.lines.append(
            f"{who} both match the roster's {line(row.name)}, who gets no mark: tell them apart with --students."
        )
        match.lost += [mark.student for mark in marks]
        return
    (mark,) = marks
    match.marks[row.place] = mark
    name = students[mark.student].name if mark.student in students else ""
    if name and row.name and not _alike(name, row.name):
        match.lines.append(
            f"{line(mark.student)} ({line(name)}) has the mark in the row of {line(row.name)}, by the same id: are they one?"
        )


def _why_not(mark: Mark, info: Student, rows: Sequence[Row], found: Sequence[Row], *, near: bool) -> str:
    who = f"{line(mark.student)} ({line(info.name)})" if info.name else line(mark.student)
    if found:
        names = sorted({line(row.name) for row in found})
        return f"{who} matches more than one row of the roster, and none for sure: {', '.join(names)}."
    if not near:
        return f"{who} is in no row of the roster."
    known = {one: row for row in rows for one in {*row.keys, key(row.name)}}
    asked = [key(text) for text in (info.student, info.login, info.email, info.name, info.id) if text]
    for cutoff, hint in ((0.6, "did you mean {}?"), (0.0, "the nearest is {}")):
        for one in asked:
            for text in difflib.get_close_matches(one, known, 1, cutoff):
                nearest = hint.format(f"{line(known[text].name)}, {line(text)}")
                return f"{who} is in no row of the roster ({nearest})."
    return f"{who} is in no row of the roster."


def without_mark(rows: Sequence[Row], match: Match) -> list[str]:
    """Names of the rows that get no mark."""
    return [line(row.name) or f"row {row.place + 1}" for row in rows if match.final(row.place) is None]


def _places_by_name(rows: Sequence[Row]) -> dict[str, set[int]]:
    """Rows by full name, where it is the name of one row only."""
    counts = Counter(_words(row.name) for row in rows)
    return {_words(row.name): {row.place} for row in rows if counts[_words(row.name)] == 1 and _words(row.name)}


def _words(name: str) -> str:
    """A full name, whatever its order: `Lovelace, Ada` is `Ada Lovelace`."""
    return " ".join(sorted("".join(one if one.isalnum() else " " for one in key(name)).split()))


def _alike(one: str, other: str) -> bool:
    """Whether two names may be one person's: of the same letters, or one with some words more."""
    words = set(_words(one).split()), set(_words(other).split())
    return words[0] <= words[1] or words[1] <= words[0] or sorted("".join(words[0])) == sorted("".join(words[1]))
