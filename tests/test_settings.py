"""`course.toml`: what it decides, what it refuses and how, and the term's seed."""

from concurrent.futures import Future
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import tiny_course
from typer.testing import CliRunner

import grader.executor
from grader.batch import proven
from grader.bundle import make_bundle
from grader.cli import app
from grader.course import Course
from grader.errors import GraderFault, UsageError
from grader.results import CheckResult, CheckStatus, SubmissionResult, SubmissionStatus
from grader.settings import Settings, Shown, Term, Window
from grader.store import ResultStore, Run
from grader.surroundings import Surroundings

DUE = datetime(2026, 5, 1, 21, 59, tzinfo=UTC)
LINES = '\n[thresholds]\nerror = 1.1\n[deadline]\ndue = 2026-05-01T23:59:00+02:00\nlate = "5 points per day"\n'


@pytest.fixture
def root(tmp_path) -> Path:
    root = tiny_course.write_course(tmp_path / "course")
    with (root / "assignments" / "tiny" / "assignment.toml").open("a") as file:
        file.write(LINES)
    return root


def told(root: Path, text: str) -> Course:
    (root / "course.toml").write_text(text)
    return Course(root)


def test_without_it_all_is_as_declared(root):
    course = Course(root)
    assert course.term == Term()
    tiny = course.assignment("tiny")
    assert tiny.thresholds == {"error": 1.1}
    assert (tiny.deadline.due, tiny.deadline.late) == (DUE, "5 points per day")
    assert course.term.of("tiny") == Settings()


def test_it_comes_before_what_is_declared(root):
    text = '[assignments.tiny]\ndue = 2026-06-01T00:00:00Z\ncounts = "best"\nthresholds = {error = 1.3}\n'
    tiny = told(root, text).assignment("tiny")
    assert tiny.thresholds == {"error": 1.3}
    assert tiny.deadline.due == datetime(2026, 6, 1, tzinfo=UTC)
    assert tiny.deadline.counts == "best"
    assert tiny.deadline.late == "5 points per day", "what is not given is as declared"


def test_late_work_for_all_is_for_those_that_declare_nothing_and_have_a_due_date(root):
    for_all = '[late]\nlate = "zero"\ngrace_minutes = 5\ncounts = "first"\n'
    tiny = told(root, for_all).assignment("tiny").deadline
    assert (tiny.late, tiny.grace_minutes, tiny.counts) == ("5 points per day", 5, "first")
    declaration = root / "assignments" / "tiny" / "assignment.toml"
    declaration.write_text(declaration.read_text().replace(LINES, ""))
    assert Course(root).assignment("tiny").deadline.late == "none", "nothing is due"
    due = told(root, f"{for_all}[assignments.tiny]\ndue = 2026-06-01T00:00:00Z\n").assignment("tiny").deadline
    assert (due.late, due.grace_minutes) == ("zero", 5)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("title = ", "course.toml: expected TOML in UTF-8, found a mistake"),
        ("sead = 3", r"course\.toml: there is no 'sead' \(did you mean 'seed'"),
        ("seed = -1", "expected a seed from 0"),
        ("seed = 9007199254740992", "expected a seed from 0"),
        ('seed = "x"', r"course\.toml, seed: expected a whole number, found text in quotes"),
        ("[late]\ngrace_minute = 5", r"course\.toml, late: there is no 'grace_minute' \(did you mean 'grace_minutes'"),
        (
            "[assignments.tiny]\ndue = 2026-06-01",
            r"tiny, due: expected a time with its zone, as in 2026.*, found a date alone",
        ),
        ('[assignments.tiny]\nweight = "3"', r"assignments\.tiny, weight: expected a number, found text in quotes"),
        (
            "[assignments.tiny.shown]\npoint = 1",
            r"assignments\.tiny, shown: there is no 'point' \(did you mean 'points'",
        ),
        ('[assignments.tiny.thresholds]\nerror = "1"', "assignments.tiny, thresholds.*: expected a number"),
        ("assignments = 3", r"assignments: expected a table \[assignments.<name>\] for each, found 3"),
        ("[assignments]\ntiny = 3", "expected a table"),
        ("[assignments.tony]", r"\[assignments.tony\] is no assignment of the course \(did you mean 'tiny'"),
        ("[assignments.tiny]\nweigth = 3", r"assignments\.tiny: there is no 'weigth' \(did you mean 'weight'"),
        ("[assignments.tiny]\nweight = -1", "expected a weight of at least 0, found -1"),
        ("[assignments.tiny]\ndue = 2026-06-01T00:00:00", "expected due with its zone"),
        ("[assignments.tiny.thresholds]\neror = 1", "there is no threshold 'eror'.*did you mean 'error'"),
        ('[assignments.tiny]\ncounts = "worst"', r"assignments\.tiny: expected counts to be one of last, best, first"),
        ('[late]\nlate = "much per day"', "expected late to be none, zero, a rate"),
        ('[shown]\nhints = "later"', "expected shown.hints to be always, after due, never or .*found 'later'"),
        ("[shown]\nhints = 3", "expected shown.hints to be always"),
        ("[shown]\nhints = 2026-06-01T00:00:00", "expected shown.hints with its zone"),
    ],
)
def test_what_does_not_fit_is_one_line(root, text, said):
    with pytest.raises(UsageError, match=said) as refused:
        told(root, text).assignment("tiny")
    assert "\n" not in str(refused.value)


def test_a_threshold_is_part_of_what_marks_depend_on_and_a_date_is_not(root):
    def digest(text: str) -> str:
        course = told(root, text)
        return Surroundings.of(course, course.assignment("tiny")).digest(())

    plain = digest("")
    assert digest("[assignments.tiny]\ndue = 2026-06-01T00:00:00Z\nweight = 3\n") == plain
    assert digest("[assignments.tiny.thresholds]\nerror = 1.3\n") != plain
    assert digest("[assignments.tiny.thresholds]\nerror = 1.1\n") == plain


@pytest.mark.parametrize(
    ("when", "early", "late"),
    [("always", True, True), ("never", False, False), ("after due", False, True), (DUE, False, True)],
)
def test_what_is_shown_when(when, early, late):
    shown = Shown(hints=when)
    before, after = DUE - timedelta(microseconds=1), DUE + timedelta(microseconds=1)
    assert Window.at(before, shown, DUE) == Window(hints=early)
    assert Window.at(after, shown, DUE) == Window(hints=late)


def test_what_is_for_after_the_due_date_waits_for_the_extension_and_for_ever_where_nothing_is_due():
    shown = Shown(points="after due")
    day = timedelta(days=1)
    assert not Window.at(DUE + day, shown, DUE + 2 * day).points
    assert Window.at(DUE + 3 * day, shown, DUE + 2 * day).points
    assert not Window.at(DUE + 3 * day, shown, None).points


def test_an_assignments_own_word_on_what_is_shown_is_the_only_one():
    term = Term(shown=Shown(hints="never"), assignments={"tiny": Settings(shown=Shown(points="never"))})
    assert term.shown_of("tiny") == Shown(points="never")
    assert term.shown_of("other") == Shown(hints="never")


def test_students_do_not_receive_it():
    course = Course(Path(__file__).parents[1])
    assert not [name for name in make_bundle(course).files if "course.toml" in name]


class FakeEngine:
    """Passes everything, or nothing of what `failing` is in."""

    sandbox, failing, seen = "namespaces: for the test", "", []

    def __init__(self, course, assignment, *, seed: int, jobs: int | None) -> None:
        self.assignment, self.seed, self.jobs, self.titles = assignment, seed, 1, {}

    def __enter__(self):
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def wait_ready(self) -> None:
        pass

    def submit(self, submission, *, checks=()) -> Future:
        self.seen.append(submission.student)
        passed, failed = CheckStatus.PASSED, CheckStatus.FAILED
        checks = [
            CheckResult(
                f"{task.name}.{name}", task.name, name, failed if name == self.failing else passed, points, points
            )
            for task in self.assignment.task
            for name, points in task.checks.items()
        ]
        result = SubmissionResult("tiny", submission.student, SubmissionStatus.GRADED, checks, seed=self.seed)
        future: Future = Future()
        future.set_result(replace(result, digest=submission.digest))
        return future


@pytest.fixture
def grade(root, tmp_path, monkeypatch):
    """Grade a class of one in the course; gives exit code and what was said."""
    monkeypatch.setattr(grader.executor, "LocalEngine", FakeEngine)
    monkeypatch.setattr(FakeEngine, "seen", [])
    (tmp_path / "class" / "ada").mkdir(parents=True)
    (tmp_path / "class" / "ada" / "sums.py").write_text("x = 1\n")

    def run(*options: str):
        words = ["grade", "tiny", tmp_path / "class", "--out", tmp_path / "out", "--course", root, *options]
        result = CliRunner().invoke(app, [str(word) for word in words])
        assert "Traceback" not in result.output
        return result.exit_code, result.stderr

    return run


def test_the_terms_seed_draws_for_every_run_and_is_proven_once(root, grade, tmp_path):
    told(root, "seed = 4711\n")
    assert grade()[0] == 0
    assert FakeEngine.seen == ["solution", "ada"]
    run = ResultStore(tmp_path / "out").earlier_run()
    assert (run.seed, run.proven) == (4711, True)
    assert [result.student for result in ResultStore(tmp_path / "out").read()] == ["ada"]
    assert grade("--force")[0] == 0
    assert grade()[0] == 0
    assert FakeEngine.seen.count("solution") == 1, "what has held once is remembered"


def test_a_seed_on_the_command_line_comes_before_the_terms(root, grade, tmp_path):
    told(root, "seed = 4711\n")
    assert grade("--seed", "5")[0] == 0
    assert FakeEngine.seen == ["ada"]
    assert ResultStore(tmp_path / "out").earlier_run().seed == 5


def test_a_seed_for_which_the_solution_fails_marks_nobody(root, grade, tmp_path, monkeypatch):
    told(root, "seed = 4711\n")
    monkeypatch.setattr(FakeEngine, "failing", "keeps")
    code, said = grade()
    assert code == 1
    assert (
        "with the seed 4711 of course.toml the solution itself does not pass sums.keeps, so nobody is graded by it"
        in said
    )
    assert "grader verify tiny --seed 4711" in said
    assert FakeEngine.seen == ["solution"]
    assert not list((tmp_path / "out" / "results").iterdir())


def test_without_solutions_nothing_is_proven_and_all_is_graded(root, tmp_path):
    course = Course(root)
    tiny, run = course.assignment("tiny"), Run("tiny", 4711, "x")
    assert proven(run, course, tiny, FakeEngine(course, tiny, seed=4711, jobs=1)).proven
    for path in course.solution("tiny").iterdir():
        path.unlink()
    course.solution("tiny").rmdir()
    assert not proven(run, course, tiny, FakeEngine(course, tiny, seed=4711, jobs=1)).proven


def test_a_fault_of_the_grader_is_not_the_seeds(root, monkeypatch):
    def broken(self, submission):
        future: Future = Future()
        future.set_exception(GraderFault("the sandbox went away"))
        return future

    monkeypatch.setattr(FakeEngine, "submit", broken)
    course = Course(root)
    tiny = course.assignment("tiny")
    with pytest.raises(GraderFault, match="the sandbox went away"):
        proven(Run("tiny", 1, "x"), course, tiny, FakeEngine(course, tiny, seed=1, jobs=1))
