"""What was changed after grading, and what was not meant: dates that results do not know of, a class of another assignment."""

from datetime import timedelta
from pathlib import Path

import pytest
import tiny_course
from test_settings import FakeEngine
from typer.testing import CliRunner

import grader.executor
from grader.cli import app
from grader.course import Course
from grader.deadlines import outdated, terms_of
from grader.store import ResultStore
from grader.submission import better_fit, discover

DUE = '\n[deadline]\ndue = 2026-05-01T23:59:00+02:00\nlate = "5 points per day"\n'


@pytest.fixture
def root(tmp_path) -> Path:
    root = tiny_course.write_course(tmp_path / "course")
    with (root / "assignments" / "tiny" / "assignment.toml").open("a") as file:
        file.write(DUE)
    return root


@pytest.fixture
def command(root, tmp_path, monkeypatch):
    monkeypatch.setattr(grader.executor, "LocalEngine", FakeEngine)
    (tmp_path / "class" / "ada@2026-05-02T12-00-00Z").mkdir(parents=True)
    (tmp_path / "class" / "ada@2026-05-02T12-00-00Z" / "sums.py").write_text("x = 1\n")

    def run(*words: object):
        return CliRunner().invoke(app, [*map(str, words), "--course", str(root)])

    return run


def grade(command, tmp_path, *more: object):
    done = command("grade", "tiny", tmp_path / "class", "--out", tmp_path / "out", *more)
    assert done.exit_code == 0, done.output
    return done


def test_a_date_that_has_changed_since_is_said_until_lateness_is_settled_anew(command, root, tmp_path):
    grade(command, tmp_path)
    for words in (("export", "csv"), ("total",)):
        extra = ["--out", tmp_path / "t.csv"] if words == ("total",) else []
        assert "have changed since" not in command(*words, tmp_path / "out", *extra).stderr
    (root / "course.toml").write_text('[assignments.tiny]\nlate = "zero"\n')
    for words in (("export", "csv"), ("report",), ("total",)):
        extra = ["--out", tmp_path / "t.csv"] if words == ("total",) else []
        said = command(*words, tmp_path / "out", *extra).stderr
        assert "tiny: dates, extensions or late work have changed since it was graded" in said
    grade(command, tmp_path)
    assert "have changed since" not in command("export", "csv", tmp_path / "out").stderr


def test_extensions_of_the_course_count_and_those_of_another_file_do_not(command, root, tmp_path):
    grade(command, tmp_path)
    run = ResultStore(tmp_path / "out").earlier_run()
    (root / "extensions.toml").write_text("[tiny]\nada = {days = 3}\n")
    assert outdated(run, Course(root))
    elsewhere = tmp_path / "more.toml"
    elsewhere.write_text("[tiny]\nada = {days = 2}\n")
    grade(command, tmp_path, "--extensions", elsewhere)
    assert not outdated(ResultStore(tmp_path / "out").earlier_run(), Course(root))


def test_a_run_that_graded_only_some_has_not_settled_the_others(command, root, tmp_path):
    grade(command, tmp_path)
    before = ResultStore(tmp_path / "out").earlier_run().terms
    (root / "course.toml").write_text('[assignments.tiny]\nlate = "zero"\n')
    grade(command, tmp_path, "--only", "ada")
    assert ResultStore(tmp_path / "out").earlier_run().terms == before


def test_terms_are_the_same_in_any_order(root):
    deadline, more = Course(root).assignment("tiny").deadline, timedelta(days=1)
    assert terms_of(deadline, {"a": more, "b": more}) == terms_of(deadline, {"b": more, "a": more})
    assert terms_of(deadline, {"a": more}) != terms_of(deadline, {"a": 2 * more})


REAL = Course(Path(__file__).parents[1])


@pytest.mark.parametrize("name", REAL.names)
@pytest.mark.parametrize("asked", REAL.names)
def test_a_class_that_was_handed_in_for_another_assignment_is_noticed(name, asked):
    assignments = [REAL.assignment(one) for one in REAL.names]
    assignment = REAL.assignment(asked)
    entries = discover(REAL.root / "fixtures" / "submissions" / name, assignment)
    assert better_fit(entries, assignment, assignments)[0] == ("" if name == asked else name)


def test_that_is_said_before_anybody_is_graded(root, tmp_path, command):
    other = root / "assignments" / "other"
    other.mkdir()
    text = (root / "assignments" / "tiny" / "assignment.toml").read_text()
    (other / "assignment.toml").write_text(text.replace('"tiny"', '"other"').replace('name = "sums"', 'name = "walks"'))
    path = tmp_path / "class" / "ben@2026-05-01T12-00-00Z"
    path.mkdir()
    (path / "walks.py").write_text("x = 1\n")
    assert "look like" not in grade(command, tmp_path).stderr, "half of them are none"
    (tmp_path / "class" / "ada@2026-05-02T12-00-00Z" / "sums.py").rename(
        path.parent / "ada@2026-05-02T12-00-00Z" / "walks.py"
    )
    said = grade(command, tmp_path).stderr
    assert "2 of 2 entries look like work on other, and not on tiny." in said
    (other / "assignment.toml").write_text("name = ")
    grade(command, tmp_path)  # another assignment that cannot be read is nobody's business
