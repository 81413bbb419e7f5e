"""Canvas' gradebook filled with marks, and read back by the rules of Canvas' own importer.

Source: https://github.com/instructure/canvas-lms/blob/master/lib/gradebook_importer.rb
"""

import csv
import re
from pathlib import Path

import pytest
from marked import late, result

from grader.errors import UsageError
from grader.exports.canvas import canvas
from grader.exports.marks import Mark, Marks
from grader.exports.students import Student, read_students, students_table
from grader.results import SubmissionStatus

HEAD = (
    "Student,ID,SIS User ID,SIS Login ID,Section,House prices (12345),Essay (777),Assignments Current Score,Final Grade"
)
POSSIBLE = "    Points Possible,,,,,100.00,50.00,(read only),(read only)"
POSTING = ",,,,,Manual Posting,,,"
ROWS = [
    '"Lovelace, Ada",4711,s100,ada,Lab 1,3.5,40,70,B',
    '"Kim, Ben",4712,s101,ben@example.org,Lab 1,,,,',
    '"=cmd, Eve",4713,s102,eve,Lab 2,,,,',
    '"Finn, F",4714,s103,finn,Lab 2,,,,',
    '"Zoë, Kim",4715,s104,kim,Lab 2,12,,,',
    '"Student, Test",4799,,d41d8c,Lab 1,,,,',
]
MARKS = Marks(
    "project",
    [
        Mark(result("ada")),
        Mark(result("BEN@example.org", {"explore.load": 10, "train.fit": 70}, standing=late(80, 8))),
        Mark(result("4713", {})),
        Mark(result("finn", {}, SubmissionStatus.INVALID, "broken")),
        Mark(result("kim", status=SubmissionStatus.GRADER_ERROR)),
    ],
)


@pytest.fixture
def roster(tmp_path):
    """Writes a roster; gives its path."""

    def write(*rows: str, head: str = HEAD, first: str = "", possible: str = POSSIBLE) -> Path:
        path = tmp_path / "Grades.csv"
        path.write_text(first + "\n".join([head, POSTING, possible, *(rows or ROWS)]) + "\n", "utf-8")
        return path

    return write


def imported(content: bytes) -> dict[str, str | None]:
    """New scores by Canvas' id of the student, as its importer takes them; an empty cell is no change."""
    text = content.decode("utf-8-sig")
    delimiter = ";" if text.splitlines()[0].count(";") > text.splitlines()[0].count(",") else ","
    rows = list(csv.reader(text.splitlines(), delimiter=delimiter, strict=True))
    header = rows.pop(0)
    assert "Student" in header[0]
    assert "ID" in header[1]
    wide = 3
    if "SIS User ID" in header[2]:
        assert "SIS Login ID" in header[3]
        wide = 5
    assert "Section" in header[wide - 1]
    (assignment,) = header[wide:]
    assert re.search(r"\(\d+\)$", assignment)
    found = {}
    for row in rows:
        assert len(row) == len(header)
        if "Points Possible" in row[0] or all(re.fullmatch(r"\s*(Muted|Manual Posting.*)?\s*", one) for one in row):
            continue
        found[row[1]] = row[wide] or None
    return found


def fill(path: Path, marks: Marks = MARKS, column: str = "House prices", students=None):
    return canvas(marks, path, students or {}, [column])


def test_each_gets_the_final_points_and_nobody_else_a_zero(roster):
    found = fill(roster())
    assert imported(found.content) == {
        "4711": "110",
        "4712": "72",
        "4713": "0",
        "4714": "0",
        "4715": None,
        "4799": None,
    }
    assert found.rows == 6
    assert not found.match.lost


def test_identity_rows_of_points_and_other_columns(roster):
    rows = list(csv.reader(fill(roster()).content.decode().splitlines()))
    assert rows[0] == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "House prices (12345)"]
    assert rows[1] == ["", "", "", "", "", "Manual Posting"]
    assert rows[2] == ["    Points Possible", "", "", "", "", "100.00"]
    assert rows[3] == ["Lovelace, Ada", "4711", "s100", "ada", "Lab 1", "110"]


def test_a_name_that_is_a_formula_is_none_any_more(roster):
    rows = list(csv.reader(fill(roster()).content.decode().splitlines()))
    assert rows[5][:2] == ["'=cmd, Eve", "4713"]


def test_who_gets_no_mark_is_said_by_name(roster):
    (text,) = [text for text in fill(roster()).lines if "without a mark" in text]
    assert text == "without a mark, an empty cell: 2 of 6 in the roster: Zoë, Kim; Student, Test"


def test_a_result_without_a_row_is_said_with_the_nearest(roster):
    marks = Marks("project", [Mark(result("adda")), Mark(result("qqq"))])
    found = fill(roster(), marks)
    assert found.match.lost == ["adda", "qqq"]
    assert any("adda is in no row" in text and "did you mean Lovelace, Ada" in text for text in found.lines)
    assert any("qqq is in no row" in text and "the nearest" in text for text in found.lines)
    assert set(imported(found.content).values()) == {None}


def test_students_say_who_is_who(roster, tmp_path):
    table = tmp_path / "class.students.csv"
    known = [
        Student("lovelaceada_4711", "lovelaceada", "4711"),
        Student("group 3", "Ben Kim", "", "ben@example.org"),
        Student("@eve", "=cmd, Eve", "", "", "EVE"),
    ]
    table.write_bytes(students_table(known))
    students = read_students(table)
    assert students["@eve"].name == "=cmd, Eve"
    marks = Marks("project", [Mark(result(one.student)) for one in known])
    found = fill(roster(), marks, students=students)
    assert {student for student, points in imported(found.content).items() if points} == {"4711", "4712", "4713"}
    assert len(found.lines) == 1, "the names agree"


def test_an_id_that_points_to_another_name_is_said(roster):
    known = {"x": Student("x", "Grace Hopper", "s100")}
    found = fill(roster(), Marks("project", [Mark(result("x"))]), students=known)
    assert any("Grace Hopper" in text and "are they one?" in text for text in found.lines)


def test_what_points_to_two_rows_or_comes_twice_gets_no_mark(roster):
    rows = [*ROWS, '"Other, O",s100,4711,o,Lab 1,,,,']
    found = fill(roster(*rows), Marks("project", [Mark(result("4711"))]))
    assert found.match.lost == ["4711"]
    assert any("more than one row" in text for text in found.lines)
    twice = fill(roster(), Marks("project", [Mark(result("ada")), Mark(result("4711"))]))
    assert sorted(twice.match.lost) == ["4711", "ada"]
    assert imported(twice.content)["4711"] is None
    assert any("both match" in text for text in twice.lines)


def test_an_id_of_one_column_and_the_same_in_another_is_told_apart_by_the_rest(roster):
    rows = [*ROWS, '"Other, O",s100,4711,o,Lab 1,,,,']
    known = {"x": Student("x", "Ada Lovelace", "4711", login="ada")}
    found = fill(roster(*rows), Marks("project", [Mark(result("x"))]), students=known)
    assert imported(found.content)["4711"] == "110"


@pytest.mark.parametrize("name", ["House prices (12345)", "house  PRICES", "12345"])
def test_a_column_is_named_by_header_title_or_number(roster, name):
    assert imported(fill(roster(), column=name).content)["4711"] == "110"


def test_a_column_that_is_not_there_is_refused_with_the_nearest(roster):
    with pytest.raises(UsageError, match=r"did you mean --column 'House prices \(12345\)'"):
        fill(roster(), column="House price")
    with pytest.raises(UsageError, match="name one with --column: 'House prices"):
        fill(roster(), column="zzz")


@pytest.mark.parametrize("name", ["Assignments Current Score", "Section", "Final Grade"])
def test_no_computed_column_is_written(roster, name):
    with pytest.raises(UsageError, match="no assignment's column"):
        fill(roster(), column=name)


def test_two_columns_of_a_name_are_refused(roster):
    head = HEAD.replace("Essay (777)", "House prices (777)")
    with pytest.raises(UsageError, match="expected one column"):
        fill(roster(head=head))
    assert imported(fill(roster(head=head), column="House prices (777)").content)["4711"] == "110"


def test_other_points_possible_are_said(roster):
    found = fill(roster(), column="Essay")
    assert any("Canvas has 50 points possible, and the rubric 100" in text for text in found.lines)


def test_names_in_two_columns(roster):
    head = HEAD.replace("Student,", "LastName,FirstName,")
    rows = ["Lovelace,Ada,4711,s100,ada,Lab 1,3.5,40,70,B", "=Kim,-Ben,4712,s101,ben@example.org,Lab 1,,,,"]
    possible = POSSIBLE.replace("Possible,", "Possible,,")
    content = fill(roster(*rows, head=head, possible=possible)).content.decode()
    assert [row[:3] + row[6:] for row in csv.reader(content.splitlines())][3:] == [
        ["Lovelace", "Ada", "4711", "110"],
        ["'=Kim", "'-Ben", "4712", "72"],
    ]


def test_a_class_of_another_roster_is_said_in_a_moment(roster):
    marks = Marks("project", [Mark(result(f"nobody{number}")) for number in range(300)])
    found = fill(roster(), marks)
    assert len(found.match.lost) == 300
    assert sum("is in no row" in text for text in found.lines) == 300
    assert sum("the nearest" in text for text in found.lines) == 20
    assert any("--students" in text for text in found.lines)


def test_semicolons_and_a_byte_order_mark_stay(roster):
    rows = [row.replace('"Lovelace, Ada"', "Lovelace Ada").replace(",", ";") for row in ROWS[:1]]
    path = roster(*rows, head=HEAD.replace(",", ";"), first="\ufeff", possible=POSSIBLE.replace(",", ";"))
    path.write_text(path.read_text("utf-8").replace(POSTING, POSTING.replace(",", ";")), "utf-8")
    content = fill(path).content
    assert content.startswith(b"\xef\xbb\xbfStudent;ID;")
    assert imported(content) == {"4711": "110"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "found nothing in it"),
        (b"name,points\nada,3\n", "found the columns name, points"),
        (b'Student,ID,Section\n"Ada,1,2\n', "found no CSV"),
        (b"Student,ID,Section\nLovelace, Ada,1,2\n", "row 2: expected 3 cells"),
        ("Student,ID,Section\nZoë,1,2\n".encode("latin-1"), "UTF-8"),
    ],
)
def test_no_gradebook_is_one_clear_line(tmp_path, content, words):
    path = tmp_path / "roster.csv"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=words) as refused:
        fill(path)
    assert "\n" not in str(refused.value)


def test_a_roster_that_is_not_there(tmp_path):
    with pytest.raises(UsageError, match="cannot read"):
        fill(tmp_path / "none.csv")
