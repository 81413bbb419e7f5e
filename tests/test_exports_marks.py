"""Final points: checks, bonus, penalty, points by hand; and who has none."""

import csv
import io
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marked import FULL, PROJECT, late, result

from grader.errors import UsageError
from grader.exports.files import table
from grader.exports.junit import junit
from grader.exports.marks import Mark, Marks, read_marks
from grader.exports.texts import cell, plain, points, uncell
from grader.results import SubmissionStatus
from grader.store import ResultStore


@pytest.fixture
def out(tmp_path):
    """The folder of a class: all points and bonus, late, nothing, unreadable, and failed in the grader."""
    store = ResultStore(tmp_path / "out")
    store.folder.mkdir(parents=True)
    for one in (
        result("ada"),
        result("ben", {"explore.load": 10, "train.fit": 70}, standing=late(80, 8)),
        result("eve", {}),
        result("finn", {}, SubmissionStatus.INVALID, "the zip is damaged"),
        result("kim", status=SubmissionStatus.GRADER_ERROR, message="the sandbox went away"),
    ):
        store.write(one)
    return store.out


def test_final_points_are_of_checks_and_bonus_less_the_penalty(out):
    marks = {mark.student: mark for mark in read_marks(out).marks}
    assert {student: mark.final for student, mark in marks.items()} == {
        "ada": 110,
        "ben": 72,
        "eve": 0,
        "finn": 0,
        "kim": None,
    }
    assert (marks["ada"].points, marks["ada"].bonus) == (100, 10)
    assert marks["ben"].tasks == {"explore": 10, "train": 70, "bonus": 0}
    assert marks["ben"].penalty == 8
    assert marks["finn"].remark == "the zip is damaged"


def test_who_has_no_mark_and_that_there_is_no_gradebook_is_said(out):
    found = read_marks(out)
    assert found.failed == ["kim"]
    assert any("kim has no mark" in text and "the sandbox went away" in text for text in found.remarks)
    assert any("--db" in text for text in found.remarks)


def test_a_slip_in_the_gradebooks_path_is_not_a_new_gradebook(out, tmp_path):
    with pytest.raises(UsageError, match="found nothing there"):
        read_marks(out, f"sqlite:///{tmp_path / 'gradebok.db'}")
    assert not (tmp_path / "gradebok.db").exists()


def test_results_of_many_assignments_are_no_class(out):
    import dataclasses

    ResultStore(out).write(dataclasses.replace(result("zoe"), assignment="other"))
    with pytest.raises(UsageError, match="one assignment"):
        read_marks(out)


def test_nothing_graded_is_one_clear_line(tmp_path):
    with pytest.raises(UsageError, match="grader grade"):
        read_marks(tmp_path)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "  =1", "＝1", "\n=1"])
def test_no_cell_is_a_formula(text):
    assert cell(text).startswith("'")


def test_a_name_goes_through_a_cell_and_back():
    for name in ("=ada", "ada", "'ada", "O'Neil", "@ben"):
        assert uncell(cell(name)) == name


def test_words_are_text_without_control_characters():
    assert plain("a\x1b[2J\x00b\u202ec\r\nd\te") == "a�[2J�b�c\nd\te"
    assert cell("a\nb\x07") == "a b�"


@pytest.mark.parametrize(
    ("value", "shown"), [(None, ""), (0, "0"), (7.5, "7.5"), (1 / 3, "0.333333333"), (110.0, "110")]
)
def test_points_are_written_as_people_write_them(value, shown):
    assert points(value) == shown


def test_a_mark_by_hand_comes_first(out, tmp_path):
    """In nbgrader's own words: a manual score, and extra credit; the penalty is the gradebook's."""
    from nbgrader import api

    from grader.gradebook import Gradebook

    url = f"sqlite:///{out / 'gradebook.db'}"
    store = ResultStore(out)
    with Gradebook(url, lambda student, points, seconds: points / 10) as gradebook:
        gradebook.prepare(PROJECT)
        for one in store.read():
            gradebook.record(one)
    assert {mark.student: mark.final for mark in read_marks(out).marks}["ben"] == 72
    book = api.Gradebook(url, "default_course")
    for student, name, manual, extra in [("ben", "explore-plot", 15, None), ("finn", "train-fit", 30, 5)]:
        grade = book.find_grade(name, "project", "project", student)
        grade.manual_score, grade.extra_credit, grade.needs_manual_grade = manual, extra, student == "finn"
    book.db.commit()
    book.close()
    found = read_marks(out)
    marks = {mark.student: mark for mark in found.marks}
    assert marks["ada"].score is None
    assert marks["ben"].checks == {**dict.fromkeys(FULL, 0), "explore.load": 10, "explore.plot": 15, "train.fit": 70}
    assert (marks["ben"].points, marks["ben"].penalty, marks["ben"].final) == (95, 8, 87)
    assert marks["ben"].remark == "by hand: explore.plot"
    assert (marks["finn"].final, marks["finn"].tasks["train"]) == (35, 35)
    assert marks["kim"].final is None
    assert any("finn" in text and "manual" in text for text in found.remarks)


@given(st.text(max_size=60))
def test_a_cell_is_one_line_of_a_table_and_no_formula(text):
    shown = cell(text)
    assert list(csv.reader(io.StringIO(table(["x"], [[shown]]).decode(), newline=""), strict=True))[1:] in (
        [[shown]],
        [[]],
    )
    assert not shown.strip().startswith(tuple("=+-@＝＋－＠"))
    assert "\n" not in shown


@given(st.text(max_size=60), st.text(max_size=60))
def test_xml_is_read_back_whatever_the_words(student, words):
    one = result(f"s{student}", {}, SubmissionStatus.INVALID, words, hints=words)
    root = ET.fromstring(junit(Marks("project", [Mark(one)])))
    assert len(root.findall("testsuite/testcase")) == 5
