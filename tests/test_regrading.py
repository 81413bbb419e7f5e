"""A suite is mended after grading: who gains and loses is told first, and in the end all have the marks of a fresh run."""

import json
import re

import pytest
import tiny_course
from typer.testing import CliRunner

from grader.cli import app
from grader.course import Course
from grader.gradebook import Gradebook
from grader.regrading import Change, Difference
from grader.results import CheckResult, CheckStatus, SubmissionResult, SubmissionStatus
from grader.store import ResultStore
from grader.surroundings import ALL, Surroundings

RIGHT = tiny_course.RIGHT
TWICE = RIGHT["sums.py"].replace("float(sum(values))", "2 * float(sum(values))")
CLASS = {
    "ada": RIGHT,
    "bob": RIGHT | {"sums.py": TWICE},
    "cem": RIGHT | {"sums.py": TWICE + "\n# by cem\n"},
    "dot": {"draws.py": RIGHT["draws.py"]},
}
SEED = "7"


@pytest.fixture
def course(tmp_path) -> Course:
    return Course(tiny_course.write_course(tmp_path / "course"))


@pytest.fixture
def run(course, tmp_path):
    """Run a command on the course; gives its code and output."""

    def run(command: str, out: str, *more: str):
        for student, files in CLASS.items():
            folder = tmp_path / "class" / student
            folder.mkdir(parents=True, exist_ok=True)
            for name, text in files.items():
                (folder / name).write_text(text)
        words = [command, "tiny", tmp_path / "class", "--course", course.root, "--out", tmp_path / out, *more]
        done = CliRunner().invoke(app, [str(word) for word in words])
        return done.exit_code, done.stdout if "--json" in more else done.stdout + done.stderr

    return run


def mend(course: Course, file: str, old: str, new: str) -> None:
    """Change a file of the suite."""
    path = course.suite("tiny") / file
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


def marks(store: ResultStore) -> dict:
    return {
        result.student: [(check.name, check.status, check.points) for check in result.checks] for result in store.read()
    }


@pytest.mark.slow
def test_only_what_changed_is_marked_again_and_counts_when_it_is_applied(run, course, tmp_path):
    assert run("grade", "out", "--seed", SEED)[0] == 0
    store = ResultStore(tmp_path / "out")
    before = {path: path.read_bytes() for path in sorted((tmp_path / "out").rglob("*.json"))}
    mend(course, "test_sums.py", 'numbers.sum(), "the total")', '2 * numbers.sum(), "the total")')

    code, said = run("regrade", "out", "--json")
    found = json.loads(said)
    assert (code, found["checks"], found["applied"]) == (0, ["sums.adds"], False)
    assert [(c["student"], c["before"], c["after"], c["checks"]) for c in found["changes"]] == [
        ("ada", 10, 8, {"sums.adds": -2}),
        ("bob", 8, 10, {"sums.adds": 2}),
        ("cem", 8, 10, {"sums.adds": 2}),
    ]
    assert {path: path.read_bytes() for path in before} == before

    code, said = run("regrade", "out")
    assert code == 0
    assert "1 checks marked again for 4 submissions: 2 gain, 1 lose; nothing is changed yet" in said
    code, said = run("regrade", "out", "--apply")
    assert (code, "it counts now" in said) == (0, True)
    assert not (tmp_path / "out" / "regraded").exists()

    assert run("grade", "fresh", "--seed", SEED)[0] == 0
    assert marks(store) == marks(ResultStore(tmp_path / "fresh"))
    scores = [Gradebook(f"sqlite:///{tmp_path / out / 'gradebook.db'}") for out in ("out", "fresh")]
    assert scores[0].scores("tiny") == scores[1].scores("tiny")
    code, said = run("grade", "out")
    assert code == 0
    assert "grading all anew" not in said, "what was applied belongs to the suite as it is now"


@pytest.mark.slow
def test_what_was_handed_in_since_is_marked_by_all_checks(run, course, tmp_path):
    assert run("grade", "out", "--seed", SEED, "--only", "ada", "--only", "bob")[0] == 0
    mend(course, "test_draws.py", ">= 0", ">= -1")
    code, said = run("regrade", "out", "--json")
    found = json.loads(said)
    assert code == 0
    assert found["checks"] == ["draws.draws"]
    assert found["new"] == ["cem", "dot"]
    assert {c["student"]: c["after"] for c in found["changes"]} == {"cem": 8, "dot": 4}


def test_a_record_on_which_the_grader_failed_had_no_score_before():
    passed = CheckResult("sums.adds", "sums", "adds", CheckStatus.PASSED, 2, 2)
    bonus = CheckResult("more.adds", "more", "adds", CheckStatus.PASSED, 1, 1)
    before = SubmissionResult("tiny", "ada", SubmissionStatus.GRADER_ERROR, message="the machine was out of memory")
    after = SubmissionResult("tiny", "ada", SubmissionStatus.GRADED, [passed, bonus], bonus_tasks=["more"])

    difference = Difference()
    difference.add(Change("ada", before, after))
    assert difference.changes == [("ada", None, 3, {"sums.adds": 2, "more.adds": 1})]
    assert (difference.new, difference.failed) == ([], [])


def test_wrong_use_is_one_line(run, tmp_path):
    code, said = run("regrade", "nowhere")
    assert (code, said.count("\n")) == (2, 1)
    assert "expected results of `grader grade tiny`" in said


class TestWhatHasChanged:
    CHECKS = ("sums.adds", "sums.keeps", "sums.breaks", "draws.draws")

    @pytest.mark.parametrize(
        ("file", "old", "new", "checks"),
        [
            ("test_sums.py", "# nothing", "# a comment", []),
            ("test_sums.py", 'hint="sum()"', 'hint="add them"', ["sums.adds"]),
            ("test_sums.py", "size=5", "size=6", ["sums.adds", "sums.keeps", "sums.breaks"]),
            ("test_draws.py", "integers(9)", "integers(8)", ["draws.draws"]),
            ("recipes.py", "", "\n\nX = 1\n", list(CHECKS)),
        ],
    )
    def test_a_check_is_marked_again_when_it_or_what_it_uses_has_changed(self, course, file, old, new, checks):
        path = course.suite("tiny") / file
        with path.open("a") as open_file:
            open_file.write("\n# nothing\n")
        before = Surroundings.of(course, course.assignment("tiny")).by_check
        path.write_text(re.sub(re.escape(old) if old else r"\Z", new, path.read_text(), count=1))
        around = Surroundings.of(course, course.assignment("tiny"))
        assert around.changed(before, self.CHECKS) == checks

    def test_what_a_killed_run_left_in_the_suite_changes_nothing(self, course):
        before = Surroundings.of(course, course.assignment("tiny")).by_check
        (course.suite("tiny") / ".canary-0123").write_text("hidden")
        assert Surroundings.of(course, course.assignment("tiny")).by_check == before

    def test_of_what_nothing_is_known_everything_has_changed(self, course):
        around = Surroundings.of(course, course.assignment("tiny"))
        assert around.changed({}, self.CHECKS) == list(self.CHECKS)
        assert around.changed(around.by_check | {"test_gone.py": "x"}, self.CHECKS) == list(self.CHECKS)
        assert around.changed({**around.by_check, ALL: "x"}, self.CHECKS) == list(self.CHECKS)
