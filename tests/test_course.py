"""`assignment.toml`: what it declares, and what a mistake in it is told."""

from pathlib import Path

import pytest

from grader.course import Course
from grader.errors import UsageError

ROOT = Path(__file__).parents[1]
GOOD = """
name = "tiny"
title = "Tiny"
difficulty = "easy"
[limits]
check_seconds = 3
[thresholds]
rmse = 0.2
[[task]]
number = 1
name = "first"
title = "First"
[task.checks]
one = 2
two = 3
[[task]]
number = 2
name = "extra"
title = "Extra"
bonus = true
[task.checks]
three = 1
"""


def course_with(tmp_path: Path, text: str) -> Course:
    folder = tmp_path / "assignments" / "tiny"
    folder.mkdir(parents=True)
    (folder / "assignment.toml").write_text(text)
    return Course(tmp_path)


def test_a_declaration(tmp_path):
    assignment = course_with(tmp_path, GOOD).assignment("tiny")
    assert (assignment.points, assignment.bonus) == (5, 1)
    assert assignment.files == ["first.py", "extra.py"]
    assert [task.label for task in assignment.task] == ["Task 1", "Bonus"]
    assert assignment.limits.check_seconds == 3
    assert assignment.thresholds == {"rmse": 0.2}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("check_seconds", "check_second", "did you mean 'check_seconds'"),
        ('title = "Tiny"', "", "title"),
        ("one = 2", "one = 0", "more than 0 points"),
        ("one = 2\ntwo = 3", "", "no checks"),
        ('name = "extra"', 'name = "first"', "same name"),
        ('name = "first"', 'name = "../first"', "module's name"),
        ('name = "tiny"', 'name = "large"', "must be the folder's"),
        ("rmse = 0.2", "rmse = ", "expected TOML"),
        ("check_seconds = 3", "check_seconds = 3\nscratch_mb = 50", r"must leave room in limits.scratch_mb"),
        ("number = 1", 'number = "one"', "[[task]] 1.number: expected a whole number, found text in quotes"),
    ],
)
def test_a_mistake_is_one_clear_line(tmp_path, old, new, said):
    course = course_with(tmp_path, GOOD.replace(old, new, 1))
    with pytest.raises(UsageError) as error:
        course.assignment("tiny")
    assert said in str(error.value)
    assert "\n" not in str(error.value)
    assert "assignment.toml" in str(error.value)


def test_an_unknown_assignment_suggests_the_nearest(tmp_path):
    with pytest.raises(UsageError, match="did you mean 'tiny'"):
        course_with(tmp_path, GOOD).assignment("tinny")


def test_the_course_is_found_from_inside_and_missed_outside(tmp_path):
    course_with(tmp_path / "course", GOOD)
    inside = tmp_path / "course" / "assignments" / "tiny"
    assert Course.find(inside).root == (tmp_path / "course").resolve()
    with pytest.raises(UsageError, match="--course"):
        Course.find(tmp_path)


@pytest.mark.parametrize("name", Course(ROOT).names)
def test_every_assignment_is_worth_100_and_a_bonus_of_10(name):
    assignment = Course(ROOT).assignment(name)
    assert (assignment.points, assignment.bonus) == (100, 10)
