"""Canvas: the gradebook that it exports, with the marks in the column of one assignment, to be imported there.

The columns that say who somebody is stay, and so do the rows of points possible and of posting policies, by which Canvas
knows the file for its own; of the others it would take every value for a change. An empty cell changes nothing there.

Sources: https://community.canvaslms.com/t5/Instructor-Guide/How-do-I-import-grades-in-the-Gradebook/ta-p/807 and
`lib/gradebook_importer.rb` of https://github.com/instructure/canvas-lms
"""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.errors import UsageError
from grader.exports.files import Table, read_table
from grader.exports.marks import Mark, Marks
from grader.exports.roster import Match, Row, keys, match, without_mark
from grader.exports.students import Student
from grader.exports.texts import cell, named, points

WHAT = "the CSV file that Canvas' gradebook exports (Student,ID,…,Section,…)"
IDENTITY = (
    *("student", "lastname", "firstname", "id", "sis user id", "sis login id", "integration id", "root account"),
    "section",
)
KEYS = ("id", "sis user id", "sis login id")
_COMPUTED = re.compile(r"(unposted )?(current|final|override) (score|points|grade|status)\b", re.IGNORECASE)
_WITH_ID = re.compile(r"(?P<title>.*\S)\s*\((?P<id>\d+)\)", re.DOTALL)
_NO_STUDENT = re.compile(r"\s*(muted|manual posting.*)?\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Filled:
    """A roster with marks in it, and what is to be said about it."""

    content: bytes
    match: Match
    rows: int
    """Students in it."""
    lines: Sequence[str]


def canvas(marks: Marks, roster: Path, students: Mapping[str, Student], column: Sequence[str]) -> Filled:
    """The roster's identity columns with the final points in one of its assignments' columns.

    `column` names that: by its whole header, `House prices (12345)`, its title or its number; of many such names the
    first that there is.

    Raises:
        UsageError: no gradebook of Canvas', or no such column, or more than one.
    """
    table = read_table(roster, WHAT)
    identity = _identity(table)
    head = [row for row in table.rows if _is_head(row)]
    body = [row for row in table.rows if not _is_head(row)]
    chosen = _column(table, column, identity, head)
    rows = [_row(place, row, identity) for place, row in enumerate(body)]
    found = match(marks.marks, rows, students)
    places = [*identity.values(), chosen]
    # A row that is empty here is about another assignment's column.
    filled = [cells for row in head if any(cells := [row[at] for at in places])]
    for row in rows:
        filled.append([*_who(body[row.place], identity), points(found.final(row.place))])
    lines = [*found.lines, *_missing(rows, found), *_possible(head, chosen, marks.marks)]
    return Filled(table.with_rows([table.header[at] for at in places], filled), found, len(rows), lines)


def _identity(table: Table) -> dict[str, int]:
    """Places of the columns that say who somebody is, by their name."""
    places = {name.strip().casefold(): place for place, name in reversed(list(enumerate(table.header)))}
    found = {name: place for name, place in sorted(places.items(), key=lambda one: one[1]) if name in IDENTITY}
    missing = [name for name in ("id", "section") if name not in found]
    if missing or not {"student", "lastname"} & set(found):
        columns = ", ".join(table.header[:8])
        raise UsageError(
            f"{table.path}: expected {WHAT}, found the columns {columns}; export it in Canvas, and give it as it is."
        )
    return found


def _who(row: Sequence[str], identity: Mapping[str, int]) -> list[str]:
    """The cells that say who somebody is; a name that is a formula is none any more, where Canvas looks at the number."""
    numbered = row[identity["id"]].strip().isdecimal()
    names = ("student", "lastname", "firstname")
    return [cell(row[at]) if numbered and name in names else row[at] for name, at in identity.items()]


def _is_head(row: Sequence[str]) -> bool:
    """Whether a row is about assignments, not a student: as Canvas itself decides."""
    return "Points Possible" in row[0] or all(_NO_STUDENT.fullmatch(text) for text in row)


def _row(place: int, row: Sequence[str], identity: Mapping[str, int]) -> Row:
    names = [row[identity[name]].strip() for name in ("student", "lastname", "firstname") if name in identity]
    return Row(place, ", ".join(names), keys(*(row[identity[name]] for name in KEYS if name in identity)))


def _column(table: Table, asked: Sequence[str], identity: Mapping[str, int], head: Sequence[Sequence[str]]) -> int:
    """The place of the assignment's column."""
    read_only = {at for row in head for at, text in enumerate(row) if "read only" in text.casefold()}
    after = max(identity.values())
    columns = {
        place: name
        for place, name in enumerate(table.header)
        if place > after and place not in read_only and name.strip() and not _COMPUTED.match(name.strip())
    }
    for wanted in asked:
        places = [place for place, name in columns.items() if _folded(wanted) in _names(name)]
        if len(places) == 1:
            return places[0]
        if places:
            raise UsageError(
                f"{table.path}: expected one column for {wanted!r}, found {' and '.join(repr(columns[at]) for at in places)}: "
                "name one in full with --column."
            )
    titles = {title: name for name in columns.values() for title in _names(name)}
    near = [titles[one] for wanted in asked for one in difflib.get_close_matches(_folded(wanted), titles, 1)]
    names = ", ".join(map(repr, columns.values()))
    hint = f"did you mean --column {near[0]!r}?" if near else f"name one with --column: {names or 'there is none'}."
    raise UsageError(f"{table.path}: no assignment's column {asked[0]!r}: {hint}")


def _names(header: str) -> set[str]:
    """What a column may be called by."""
    found = _WITH_ID.fullmatch(header.strip())
    return {_folded(header), *map(_folded, found.groups() if found else ())}


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _missing(rows: Sequence[Row], found: Match) -> list[str]:
    names = without_mark(rows, found)
    who = named(names, "; ")
    return [f"without a mark, an empty cell: {len(names)} of {len(rows)} in the roster: {who}"] if names else []


def _possible(head: Sequence[Sequence[str]], place: int, marks: Sequence[Mark]) -> list[str]:
    """A line where Canvas counts by other points than the grader."""
    most = max((mark.result.max_score for mark in marks), default=0)
    for row in head:
        try:
            possible = float(row[place].replace(",", "."))
        except ValueError:
            continue
        if "Points Possible" in row[0] and most and possible != most:
            return [
                f"Canvas has {possible:g} points possible, and the rubric {most:g}: points are entered as they are."
            ]
    return []
