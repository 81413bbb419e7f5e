"""Moodle's grading worksheet filled, and read back by the rules of Moodle's own importer.

Source: https://github.com/moodle/moodle/tree/main/public/mod/assign/feedback/offline
"""

import csv
import io
from pathlib import Path

import pytest
from marked import late, result

from grader.errors import UsageError
from grader.exports.marks import Mark, Marks
from grader.exports.moodle import moodle
from grader.exports.students import Student
from grader.results import SubmissionStatus

HEAD = (
    '"Identifier","Full name","Email address","Status","Grade","Maximum grade","Grade can be changed",'
    '"Last modified (submission)","Last modified (grade)","Feedback comments"'
)
TIMES = '"Yes","Thursday, 30 April 2026, 8:02 PM","-"'


def row(number: int, name: str, email: str, grade: str = "", most: str = "100.00", feedback: str = "") -> str:
    who = f'"Participant {number}","{name}","{email}","Submitted for grading - "'
    return f'{who},"{grade}","{most}",{TIMES},"{feedback}"'


ROWS = [
    row(1234567, "Ada Lovelace", "ada@example.org"),
    row(1234568, "Ben Kim", "ben@example.org"),
    row(1234569, "Eve Ash", "eve@example.org", "55.00", feedback="<p>by a person</p>"),
    row(1234570, "Finn Fox", "finn@example.org", "12.00"),
]
MARKS = Marks(
    "project",
    [
        Mark(result("Ada Lovelace_1234567")),
        Mark(result("ben@example.org", {"explore.load": 10, "train.fit": 70}, standing=late(80, 8))),
        Mark(result("Eve Ash", {}, SubmissionStatus.INVALID, "found <b>=x</b>")),
        Mark(result("finn", status=SubmissionStatus.GRADER_ERROR)),
    ],
)
KNOWN = {
    "Ada Lovelace_1234567": Student("Ada Lovelace_1234567", "Ada Lovelace", "1234567"),
    "finn": Student("finn", email="finn@example.org"),
}


@pytest.fixture
def worksheet(tmp_path):
    """Writes a worksheet; gives its path."""

    def write(*rows: str, head: str = HEAD) -> Path:
        path = tmp_path / "Grades-CS.csv"
        path.write_text("\n".join([head, *(rows or ROWS)]) + "\n", "utf-8")
        return path

    return write


def imported(content: bytes, most: float = 100) -> dict[int, tuple[float | None, str]]:
    """Grade and feedback by participant, as Moodle's importer takes them; None where it leaves the grade as it is."""
    found = {}
    for line in csv.DictReader(io.StringIO(content.decode(), newline=""), strict=True):
        number = int(line["Identifier"].removeprefix("Participant "))
        assert line["Last modified (grade)"] == "-"
        grade = float(line["Grade"].replace(",", ".")) if line["Grade"] else None
        taken = grade is not None and 0 <= grade <= most
        assert taken == (grade is not None), "a grade out of range would be left out without a word"
        found[number] = (grade, line["Feedback comments"])
    return found


def fill(path: Path, marks: Marks = MARKS, students=KNOWN):
    return moodle(marks, path, students)


def test_grades_and_feedback_go_to_whom_they_belong(worksheet):
    filled = fill(worksheet())
    assert not filled.match.lost
    assert imported(filled.content) == {
        1234567: (100.0, "Points: 110 of 100 (explore 30/30, train 70/70, bonus 10/10)."),
        1234568: (72.0, "Points: 72 of 100 (explore 10/30, train 70/70, bonus 0/10). Late: 8 taken off."),
        1234569: (0.0, "<p>by a person</p>"),
        1234570: (None, ""),
    }


def test_what_is_cut_kept_and_missing_is_said(worksheet):
    lines = fill(worksheet()).lines
    assert "above the maximum, and cut there, since Moodle takes no more: Ada Lovelace_1234567" in lines
    assert any("somebody has written stays" in text and "Eve Ash" in text for text in lines)
    assert "1 of 4 in the worksheet get no grade, an empty cell: Finn Fox" in lines


def test_all_columns_stay(worksheet):
    path = worksheet()
    before, after = (list(csv.reader(io.StringIO(text))) for text in (path.read_text(), fill(path).content.decode()))
    assert before[0] == after[0]
    same = [[one for at, one in enumerate(line) if at not in (4, 9)] for line in before]
    assert same == [[one for at, one in enumerate(line) if at not in (4, 9)] for line in after]


@pytest.mark.parametrize(("most", "grade"), [("10.00", 7.2), ("50", 36), ("10,00", 7.2), ("200", 144)])
def test_grades_are_scaled_to_the_maximum(worksheet, most, grade):
    rows = [row(1234568, "Ben Kim", "ben@example.org", most=most)]
    filled = fill(worksheet(*rows), Marks("project", MARKS.marks[1:2]))
    assert imported(filled.content, float(most.replace(",", ".")))[1234568][0] == grade


def test_feedback_is_text_and_no_formula(worksheet):
    rows = [row(1234569, "Eve Ash", "eve@example.org")]
    filled = fill(worksheet(*rows), Marks("project", MARKS.marks[2:3]))
    assert imported(filled.content)[1234569] == (
        0.0,
        "Points: 0. Could not be read as a submission: found &lt;b&gt;=x&lt;/b&gt;",
    )


def test_feedback_of_ours_is_written_anew(worksheet):
    once = fill(worksheet()).content
    path = worksheet()
    path.write_bytes(once.replace(b"110 of 100", b"1 of 100"))
    assert fill(path).content == once


def test_names_count_only_where_there_is_one_of_them(worksheet):
    rows = [row(1, "Eve Ash", "e1@example.org"), row(2, "Eve Ash", "e2@example.org")]
    filled = fill(worksheet(*rows), Marks("project", MARKS.marks[2:3]))
    assert filled.match.lost == ["Eve Ash"]
    assert {grade for grade, _ in imported(filled.content).values()} == {None}


@pytest.mark.parametrize("column", ["Identifier", "Grade", "Maximum grade", "Last modified (grade)"])
def test_a_missing_column_is_one_clear_line(worksheet, column):
    with pytest.raises(UsageError, match="found no column") as refused:
        fill(worksheet(head=HEAD.replace(f'"{column}"', '"Bewertung"')))
    assert column in str(refused.value)


def test_a_scale_is_no_number(worksheet):
    with pytest.raises(UsageError, match="scales have no points"):
        fill(worksheet(row(1234567, "Ada Lovelace", "a@example.org", most="good")))


def test_a_worksheet_without_feedback_gets_grades(worksheet):
    head = HEAD.replace("Feedback comments", "Comments of a plugin")
    filled = fill(worksheet(head=head))
    assert any("no feedback is written" in text for text in filled.lines)
