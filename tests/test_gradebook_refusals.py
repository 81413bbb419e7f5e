"""Databases that cannot be used, or fail: one line, and nothing half written."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from grader.course import Assignment, Task
from grader.errors import GraderFault, UsageError
from grader.gradebook import Gradebook
from grader.results import CheckResult, CheckStatus, SubmissionResult, SubmissionStatus

TASK = Task(number=1, name="train", title="Train", checks={"fit": 100})
PROJECT = Assignment(name="project", title="Project", difficulty="easy", task=[TASK])
CHECK = CheckResult("train.fit", "train", "Fit", CheckStatus.PASSED, 70, 100)
ADA = SubmissionResult("project", "ada", SubmissionStatus.GRADED, [CHECK])


@pytest.fixture
def url(tmp_path) -> str:
    return f"sqlite:///{tmp_path / 'gradebook.db'}"


@pytest.fixture
def book(url):
    with Gradebook(url) as book:
        book.prepare(PROJECT)
        yield book


def dump(url: str) -> list[tuple]:
    """Every row of every table."""
    with sqlite3.connect(url.removeprefix("sqlite:///")) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return sorted((table, *map(str, row)) for table in tables for row in database.execute(f"SELECT * FROM {table}"))


def test_a_locked_database_is_a_fault_and_nothing_is_half_written(tmp_path):
    path = tmp_path / "gradebook.db"
    with Gradebook(f"sqlite:///{path}?timeout=0.1") as book:
        book.prepare(PROJECT)
        before = dump(f"sqlite:///{path}")
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(GraderFault, match=r"database is locked.*another program") as caught:
            book.record(ADA)
        assert "\n" not in str(caught.value)
        other.execute("ROLLBACK")
        other.close()
        assert dump(f"sqlite:///{path}") == before
        book.record(ADA)
        assert book.scores("project")["ada"].score == 70


def test_a_record_that_fails_midway_leaves_nothing(book, url):
    with sqlite3.connect(url.removeprefix("sqlite:///")) as database:
        database.execute("CREATE TRIGGER full BEFORE INSERT ON grade BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    before = dump(url)
    with pytest.raises(GraderFault, match="disk full"):
        book.record(ADA)
    assert dump(url) == before


def make_junk(path: Path) -> None:
    path.write_bytes(b"no database at all" * 100)


def make_foreign(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE payroll (name TEXT)")


def make_old(path: Path) -> None:
    Gradebook(f"sqlite:///{path}").close()
    with sqlite3.connect(path) as database:
        database.execute("UPDATE alembic_version SET version_num = '50a4d84c131a'")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (make_junk, "file is not a database"),
        (make_foreign, "found other tables in .*: payroll"),
        (make_old, "found 50a4d84c131a .* run `nbgrader db upgrade`"),
        (Path.mkdir, "unable to open database file"),
    ],
)
def test_a_file_that_is_no_gradebook_is_wrong_use_and_stays_as_it_was(tmp_path, make, said):
    path = tmp_path / "gradebook.db"
    make(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(UsageError, match=said) as caught:
        Gradebook(f"sqlite:///{path}")
    assert "\n" not in str(caught.value)
    assert before == (path.read_bytes() if path.is_file() else None)


def test_a_database_locked_or_read_only_from_the_start_is_wrong_use(tmp_path):
    path = tmp_path / "gradebook.db"
    Gradebook(f"sqlite:///{path}").close()
    with pytest.raises(UsageError, match="cannot be opened for writing: attempt to write a readonly database"):
        Gradebook(f"sqlite:///file:{path}?mode=ro&uri=true")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(UsageError, match="database is locked"):
        Gradebook(f"sqlite:///{path}?timeout=0.1")
    other.close()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("grades.db", "did you mean sqlite:///grades.db"),
        ("", "such as sqlite:///grades.db, found ''"),
        ("sqlite://", "in memory"),
        ("sqlite:///:memory:", "in memory"),
        ("sqlite:////no/such/folder/grades.db", "unable to open database file"),
        ("oracel://host/db", "such as sqlite:///grades.db"),
        ("postgresql+pg8000://ada:secret@localhost/db", "a driver that is not installed"),
    ],
)
def test_a_wrong_url_is_one_line_without_its_password(url, said):
    with pytest.raises(UsageError, match=said) as caught:
        Gradebook(url)
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_class_is_recorded_with_a_bounded_number_of_statements(book):
    """Neither the class's size nor the gradebook's so far makes a record dearer: counted, not timed."""
    from sqlalchemy import event

    statements = []
    event.listen(book._book.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    counts = []
    for number in range(30):
        before = len(statements)
        book.record(replace(ADA, student=f"student {number}"))
        counts.append(len(statements) - before)
    assert max(counts) == counts[0] <= 10
    plans = {text for text in statements if text.startswith("SELECT")}
    raw = sqlite3.connect(book._book.engine.url.database)
    for text in plans:
        plan = raw.execute(f"EXPLAIN QUERY PLAN {text}", [""] * text.count("?")).fetchall()
        assert not any(row[3].startswith("SCAN") for row in plan), (text, plan)
    raw.close()
