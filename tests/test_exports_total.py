"""One mark of several assignments: weighted by hand, by numpy, and with what is missing never a zero."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from marked import FULL, late, result
from typer.testing import CliRunner

from grader.cli import app
from grader.course import Course
from grader.errors import UsageError
from grader.exports.marks import Mark, Marks
from grader.exports.total import totals
from grader.results import SubmissionStatus
from grader.store import ResultStore

TOML = """name = "{name}"
title = "T"
difficulty = "easy"
[[task]]
number = 1
name = "explore"
title = "E"
checks = {{load = 10, plot = 20}}
[[task]]
number = 2
name = "train"
title = "F"
checks = {{fit = 70}}
[[task]]
number = 3
name = "bonus"
title = "B"
bonus = true
checks = {{extra = 10}}
"""
HALF = {"explore.load": 10, "explore.plot": 20, "bonus.extra": 10}


@pytest.fixture
def course(tmp_path) -> Course:
    for name in ("first", "second"):
        (tmp_path / "course" / "assignments" / name).mkdir(parents=True)
        (tmp_path / "course" / "assignments" / name / "assignment.toml").write_text(TOML.format(name=name))
    weights = "[assignments.first]\nweight = 30\n[assignments.second]\nweight = 10\n"
    (tmp_path / "course" / "course.toml").write_text(weights)
    return Course(tmp_path / "course")


def class_of(name: str, *results) -> Marks:
    return Marks(name, [Mark(replace(one, assignment=name)) for one in results])


FAILED = result("kim", status=SubmissionStatus.GRADER_ERROR)
FIRST = (result("ada", FULL), result("ben", HALF), result("eve", {}), result("kim"))
SECOND = (result("ada", HALF, standing=late(40, 15)), result("ben", FULL), FAILED)


def test_it_is_the_weighted_mean(course):
    found = {one.student: one for one in totals(course, [class_of("first", *FIRST), class_of("second", *SECOND)])}
    assert found["ada"].percent == {"first": 110, "second": 25}
    assert found["ada"].total == pytest.approx(np.average([110, 25], weights=[30, 10]))
    assert found["ben"].total == pytest.approx(np.average([40, 110], weights=[30, 10]))
    assert list(found) == ["ada", "ben", "eve", "kim"]


def test_a_missing_mark_is_no_zero(course):
    found = {one.student: one for one in totals(course, [class_of("first", *FIRST), class_of("second", *SECOND)])}
    assert (found["eve"].total, found["eve"].missing) == (None, ["second"])
    assert (found["kim"].total, found["kim"].missing) == (None, ["second"]), "the grader failed on it"


def test_who_handed_in_nothing_can_have_a_zero_but_nobody_on_whom_the_grader_failed(course):
    classes = [class_of("first", *FIRST), class_of("second", *SECOND)]
    found = {one.student: one for one in totals(course, classes, absent_is_zero=True)}
    assert found["eve"].percent == {"first": 0, "second": 0}
    assert (found["eve"].total, found["eve"].missing) == (0, [])
    assert found["ada"].total == pytest.approx(np.average([110, 25], weights=[30, 10]))
    assert found["kim"].total is None


def test_what_has_no_weight_may_be_missing(course):
    (course.root / "course.toml").write_text("[assignments.second]\nweight = 0\n")
    found = {one.student: one for one in totals(Course(course.root), [class_of("first", *FIRST), class_of("second")])}
    assert found["ben"].total == 40


def test_what_makes_no_sense_is_refused(course):
    with pytest.raises(UsageError, match="found those of first twice"):
        list(totals(course, [class_of("first"), class_of("first")]))
    with pytest.raises(UsageError, match=r"no assignment 'frist'.*did you mean 'first'"):
        list(totals(course, [class_of("frist")]))
    (course.root / "course.toml").write_text("[assignments.first]\nweight = 0\n")
    with pytest.raises(UsageError, match="expected a weight above 0 for one of first, found none"):
        list(totals(Course(course.root), [class_of("first")]))


def test_the_command_writes_a_table_and_says_who_has_none(course, tmp_path):
    folders = []
    for name, results in (("first", FIRST), ("second", SECOND)):
        store = ResultStore(tmp_path / name)
        store.folder.mkdir(parents=True)
        for one in (*results, result("=cmd", {})):
            store.write(replace(one, assignment=name))
        folders.append(str(tmp_path / name))
    out = tmp_path / "totals.csv"
    done = CliRunner().invoke(app, ["total", *folders, "--out", str(out), "--course", str(course.root)])
    assert done.exit_code == 1
    assert "Weights: first 30, second 10." in done.stdout
    assert "3 totals of 5 students" in done.stdout
    assert "2 students without one: the column `missing` says" in done.stdout
    assert done.stderr.splitlines()[-1].startswith("grader: the grader failed on 1")
    rows = list(csv.DictReader(Path(out).read_text("utf-8").splitlines()))
    by_student = {row["student"]: row for row in rows}
    assert by_student["eve"]["total %"] == by_student["eve"]["second %"] == ""
    assert by_student["eve"]["missing"] == "second"
    assert float(by_student["ada"]["total %"]) == 88.75
    assert "'=cmd" in by_student, "no formula for a spreadsheet"
