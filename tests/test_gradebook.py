"""The gradebook, read back by nbgrader itself."""

import csv
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import create_engine, inspect, text

from grader.course import Assignment, Task
from grader.errors import GraderFault
from grader.gradebook import Gradebook, student_id
from grader.results import CheckResult, CheckStatus, SubmissionResult, SubmissionStatus

nbgrader = pytest.importorskip("nbgrader.api")


def declare(**checks: dict[str, float]) -> Assignment:
    tasks = [
        Task(number=number, name=name, title=name, checks=points, bonus=name == "bonus")
        for number, (name, points) in enumerate(checks.items(), 1)
    ]
    return Assignment(name="project", title="Project", difficulty="easy", task=tasks)


PROJECT = declare(explore={"load": 10, "plot": 20}, train={"fit": 70}, bonus={"extra": 10})


def result(student: str, status: SubmissionStatus = SubmissionStatus.GRADED, **earned: float) -> SubmissionResult:
    """A result with the checks named `task_check`; those not named earn nothing."""
    checks = [
        CheckResult(
            name=f"{task.name}.{check}",
            task=task.name,
            title=check,
            status=CheckStatus.PASSED if f"{task.name}_{check}" in earned else CheckStatus.FAILED,
            points=earned.get(f"{task.name}_{check}", 0),
            max_points=points,
        )
        for task in PROJECT.task
        for check, points in task.checks.items()
    ]
    return SubmissionResult("project", student, status, checks, bonus_tasks=["bonus"])


FULL = {"explore_load": 10, "explore_plot": 20, "train_fit": 70, "bonus_extra": 10}


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'gradebook.db'}"
    return request.getfixturevalue("postgresql")()


@pytest.fixture
def book(url):
    with Gradebook(url) as book:
        book.prepare(PROJECT)
        yield book


def dump(url: str) -> list[tuple]:
    """Every row of every table."""
    engine = create_engine(url)
    with engine.connect() as database:
        tables = inspect(database).get_table_names()
        rows = {table: database.execute(text(f"SELECT * FROM {table}")).all() for table in tables}
    engine.dispose()
    return sorted((table, *map(str, row)) for table in tables for row in rows[table])


def test_nbgrader_reads_what_was_recorded(book, url):
    book.record(result("ada", **FULL))
    book.record(result("ben", explore_load=10, bonus_extra=10))
    with nbgrader.Gradebook(url) as theirs:
        assignment = theirs.find_assignment("project")
        assert (assignment.max_score, assignment.max_code_score, assignment.num_submissions) == (100, 100, 2)
        assert [notebook.name for notebook in assignment.notebooks] == ["project"]
        scores = {each.student.id: (each.score, each.max_score) for each in theirs.assignment_submissions("project")}
        assert scores == {"ada": (110, 100), "ben": (20, 100)}
        assert not any(each.needs_manual_grade for each in theirs.assignment_submissions("project"))
        assert theirs.average_assignment_score("project") == 65
        ada = {
            grade["name"]: grade
            for grade in map(
                nbgrader.Grade.to_dict, theirs.find_submission_notebook("project", "project", "ada").grades
            )
        }
        assert {name: (grade["auto_score"], grade["max_score"]) for name, grade in ada.items()} == {
            "explore-load": (10, 10),
            "explore-plot": (20, 20),
            "train-fit": (70, 70),
            "bonus-extra": (10, 0),
        }
        ben = theirs.find_submission_notebook("project", "project", "ben")
        assert {grade.name for grade in ben.grades if grade.failed_tests} == {"explore-plot", "train-fit"}


def test_nbgrader_exports_what_was_recorded(book, url, tmp_path, monkeypatch):
    from nbgrader.plugins import CsvExportPlugin

    for student in ("ada", "Ünal 李"):
        book.record(result(student, **FULL))
    target = tmp_path / "grades.csv"
    with nbgrader.Gradebook(url) as theirs:
        CsvExportPlugin(to=str(target)).export(theirs)
    with target.open(encoding="utf-8") as file:
        rows = {row["student_id"]: row for row in csv.DictReader(file)}
    assert set(rows) == {"ada", "Ünal 李"}
    assert {(row["assignment"], row["score"], row["max_score"]) for row in rows.values()} == {
        ("project", "110.0", "100.0")
    }


def test_a_database_is_one_that_nbgrader_made(book, url, tmp_path, monkeypatch, request):
    """Its tables and their version are what nbgrader itself makes of an empty database."""
    monkeypatch.setattr(nbgrader, "get_alembic_version", lambda: dict(rows(url))["alembic_version"])
    theirs = request.getfixturevalue("postgresql")() if "postgresql" in url else f"sqlite:///{tmp_path / 'theirs.db'}"
    nbgrader.Gradebook(theirs).close()
    assert schema(url) == schema(theirs)
    from alembic.script import ScriptDirectory
    from nbgrader.dbutil import ALEMBIC_DIR

    assert dict(rows(url))["alembic_version"] == ScriptDirectory(ALEMBIC_DIR).get_current_head()


def rows(url: str) -> list[tuple[str, str]]:
    return [row[:2] for row in dump(url) if len(row) == 2]


def schema(url: str) -> set[tuple[str, str]]:
    """Columns, keys and indexes of all tables, as the database tells them."""
    engine = create_engine(url)
    with engine.connect() as database:
        found = inspect(database)
        told = {
            (table, str(sorted(map(str, part))))
            for table in found.get_table_names()
            for part in (
                found.get_columns(table),
                found.get_pk_constraint(table).items(),
                found.get_foreign_keys(table),
                found.get_indexes(table),
                found.get_unique_constraints(table),
            )
        }
    engine.dispose()
    return told


def test_scores_are_read_back(book):
    book.record(result("ada", **FULL))
    book.record(result("ben"))
    scores = book.scores("project")
    assert list(scores) == ["ada", "ben"]
    assert (scores["ada"].score, scores["ada"].max_score) == (110, 100)
    assert scores["ada"].checks == {"explore.load": 10, "explore.plot": 20, "train.fit": 70, "bonus.extra": 10}
    assert (scores["ben"].score, scores["ben"].needs_manual_grade) == (0, False)
    assert book.scores("another") == {}


@pytest.mark.parametrize(
    "student", ["Ada Lovelace", "O'Brien", 'a "b"', "; DROP TABLE grade; --", "محمد", "🎉", "x" * 200, "%s"]
)
def test_any_name_is_a_student(book, student):
    book.record(result(student, train_fit=70))
    assert {name: score.score for name, score in book.scores("project").items()} == {student_id(student): 70}


def test_ids_fit_their_column_and_stay_apart():
    assert student_id("x" * 128) == "x" * 128
    long = {student_id("x" * 129), student_id("x" * 130), student_id("x" * 128 + "y")}
    assert len(long) == 3
    assert {len(name) for name in long} == {128}


def test_the_same_result_again_changes_nothing(book, url):
    book.record(result("ada", train_fit=70))
    before = dump(url)
    book.record(result("ada", train_fit=70))
    book.prepare(PROJECT)
    assert dump(url) == before
    with Gradebook(url) as again:
        again.prepare(PROJECT)
        again.record(result("ada", train_fit=70))
    assert dump(url) == before


def test_a_regrade_changes_its_student_alone(book):
    for student in ("ada", "ben"):
        book.record(result(student, train_fit=70))
    book.record(result("ada", explore_load=10))
    assert {student: score.score for student, score in book.scores("project").items()} == {"ada": 10, "ben": 70}


def test_what_was_entered_by_hand_survives_every_regrade(book, url):
    book.record(result("ada", **FULL))
    with nbgrader.Gradebook(url) as theirs:
        theirs.add_solution_cell("remarks", "project", "project")
        notebook = theirs.find_submission_notebook("project", "project", "ada")
        theirs.db.add(
            nbgrader.Comment(
                cell_id=theirs.find_solution_cell("remarks", "project", "project").id,
                notebook=notebook,
                manual_comment="Well done",
            )
        )
        theirs.find_grade("train-fit", "project", "project", "ada").manual_score = 60
        theirs.find_grade("explore-load", "project", "project", "ada").extra_credit = 3
        theirs.find_student("ada").email = "ada@example.org"
        notebook.flagged = True
        theirs.db.commit()

    def by_hand() -> tuple:
        with nbgrader.Gradebook(url) as theirs:
            fit, load = (theirs.find_grade(name, "project", "project", "ada") for name in ("train-fit", "explore-load"))
            return (
                *(fit.manual_score, fit.score, fit.needs_manual_grade),
                *(load.extra_credit, load.score, load.needs_manual_grade),
                theirs.find_comment("remarks", "project", "project", "ada").comment,
                theirs.find_submission_notebook("project", "project", "ada").flagged,
                theirs.find_student("ada").email,
            )

    rest = ("Well done", True, "ada@example.org")
    book.prepare(PROJECT)
    book.record(result("ada", **FULL))
    assert by_hand() == (60, 60, False, 3, 13, False, *rest)
    book.record(result("ada", **{**FULL, "train_fit": 0}))
    assert by_hand() == (60, 60, True, 3, 13, False, *rest)  # the score beneath a manual one is another: look again
    book.record(result("ada", SubmissionStatus.GRADER_ERROR))
    assert by_hand() == (60, 60, True, 3, 13, False, *rest)
    book.record(result("ada", SubmissionStatus.INVALID))
    assert by_hand() == (60, 60, True, 3, 3, False, *rest)


def test_a_fault_of_the_graders_is_no_zero(book, url):
    book.record(result("ada", **FULL))
    before = dump(url)
    book.record(SubmissionResult("project", "ada", SubmissionStatus.GRADER_ERROR, message="a worker was lost"))
    book.record(SubmissionResult("project", "ben", SubmissionStatus.GRADER_ERROR, message="a worker was lost"))
    assert dump(url) == before


def test_an_invalid_submission_has_zeros(book, url):
    book.record(result("ada", **FULL))
    for student in ("ada", "ben"):
        book.record(SubmissionResult("project", student, SubmissionStatus.INVALID, message="the zip is damaged"))
    scores = book.scores("project")
    assert {student: score.score for student, score in scores.items()} == {"ada": 0, "ben": 0}
    assert set(scores["ben"].checks) == {"explore.load", "explore.plot", "train.fit", "bonus.extra"}
    assert not scores["ben"].needs_manual_grade


def test_the_time_is_the_first_records_or_the_one_given(book, url):
    def stamp() -> datetime:
        with nbgrader.Gradebook(url) as theirs:
            return theirs.find_submission("project", "ada").timestamp

    before = datetime.now(UTC).replace(tzinfo=None)
    book.record(result("ada"))
    first = stamp()
    assert before <= first <= datetime.now(UTC).replace(tzinfo=None)
    book.record(result("ada", **FULL))
    assert stamp() == first
    book.record(result("ada"), handed_in=datetime(2026, 5, 1, 12, tzinfo=timezone(timedelta(hours=2))))
    assert stamp() == datetime(2026, 5, 1, 10)


def test_a_changed_rubric_is_brought_in(book, url):
    book.record(result("ada", **FULL))
    book.record(result("ben", explore_load=10))
    changed = declare(explore={"load": 15, "draw": 20}, train={"fit": 65}, bonus={"extra": 10})
    book.prepare(changed)
    assert book.scores("project")["ada"].max_score == 100
    regraded = SubmissionResult(
        "project",
        "ada",
        SubmissionStatus.GRADED,
        [CheckResult("explore.draw", "explore", "", CheckStatus.PASSED, 20, 20)],
    )
    book.record(regraded)
    assert book.scores("project")["ada"].score == 20
    assert book.scores("project")["ada"].checks["explore.plot"] == 0  # a former check: kept, and worth nothing
    assert book.scores("project")["ben"].score == 10  # as it was, until it is graded again
    with nbgrader.Gradebook(url) as theirs:
        maxima = {cell.name: cell.max_score for cell in theirs.find_notebook("project", "project").grade_cells}
    assert maxima == {"explore-load": 15, "explore-plot": 0, "explore-draw": 20, "train-fit": 65, "bonus-extra": 0}


def test_former_checks_without_grades_go_and_cells_of_others_stay(book, url):
    with nbgrader.Gradebook(url) as theirs:
        theirs.add_grade_cell("essay", "project", "project", max_score=5, cell_type="markdown")
        theirs.add_assignment("another")
    book.prepare(declare(explore={"load": 100}))
    with nbgrader.Gradebook(url) as theirs:
        assert {cell.name for cell in theirs.find_notebook("project", "project").grade_cells} == {
            "explore-load",
            "essay",
        }
        assert {assignment.name for assignment in theirs.assignments} == {"project", "another"}


def test_two_assignments_share_a_database(book):
    other = Assignment(name="other", title="O", difficulty="easy", task=PROJECT.task)
    book.prepare(other)
    book.record(result("ada", **FULL))
    assert book.scores("other") == {}
    book.record(SubmissionResult("other", "ada", SubmissionStatus.GRADED))
    assert (book.scores("project")["ada"].score, book.scores("other")["ada"].score) == (110, 0)


def test_a_record_without_a_place_is_refused_whole(book, url):
    before = dump(url)
    stray = SubmissionResult(
        "project", "ada", SubmissionStatus.GRADED, [CheckResult("x.y", "x", "", CheckStatus.PASSED, 1, 1)]
    )
    with pytest.raises(GraderFault, match=r"no place for the checks x\.y of project"):
        book.record(stray)
    with pytest.raises(GraderFault, match="no place for the assignment of other"):
        book.record(SubmissionResult("other", "ada", SubmissionStatus.GRADED))
    assert dump(url) == before
