"""`students.csv`: who is who between a platform and a class folder; `grader intake` writes it, exports read it."""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from grader.errors import UsageError
from grader.exports.files import read_table, table
from grader.exports.texts import cell, uncell

WHAT = "a table of students (student,name,id,email,login), as `grader intake` writes it"


@dataclass(frozen=True)
class Student:
    """A student as a platform knows them; what it does not tell is empty."""

    student: str
    """The name of the entry in the class folder, and of the result."""
    name: str = ""
    id: str = ""
    """The platform's number of them: Canvas' or Moodle's own, Gradescope's student id."""
    email: str = ""
    login: str = ""
    late: str = ""
    """`yes` where the platform says that the last thing handed in was late."""


COLUMNS = tuple(field.name for field in fields(Student))


def read_students(path: Path) -> dict[str, Student]:
    """Students by the name of their entry.

    Raises:
        UsageError: the file cannot be read, has no column `student`, or names a student twice.
    """
    found = read_table(path, WHAT)
    places = {name: found.place(name) for name in COLUMNS}
    if places["student"] is None:
        raise UsageError(f"{path}: expected {WHAT}, found the columns {', '.join(found.header)}.")
    students: dict[str, Student] = {}
    for row in found.rows:
        values = {name: uncell(row[place].strip()) for name, place in places.items() if place is not None}
        one = Student(**{**values, "student": unicodedata.normalize("NFC", values["student"])})
        if not one.student or one.student in students:
            what = f"{one.student!r} twice" if one.student else "a row without one"
            raise UsageError(f"{path}: expected each student once, found {what}.")
        students[one.student] = one
    return students


def students_table(students: Mapping[str, Student] | Iterable[Student]) -> bytes:
    """The file, sorted by student; no cell of it is a formula."""
    rows = students.values() if isinstance(students, Mapping) else students
    return table(
        COLUMNS, ([cell(value) for value in astuple(one)] for one in sorted(rows, key=lambda one: one.student))
    )
