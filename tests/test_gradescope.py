"""The autograder for Gradescope: what is in the zip, and what becomes of a submission where it was unpacked."""

import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tomllib
import zipfile
from concurrent.futures import Future
from pathlib import Path

import pytest
from gradescope_container import METADATA, PROJECT, validated, write_gradescope_course
from tiny_course import RIGHT, write_course
from typer.testing import CliRunner

from grader import autograder
from grader.cli import app
from grader.course import Course
from grader.errors import GraderFault, UsageError
from grader.exports.gradescope import OUTCOMES
from grader.gradescope import PROGRAMS, pack
from grader.results import CheckResult, CheckStatus, SubmissionResult, SubmissionStatus

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def course(tmp_path_factory) -> Course:
    return write_gradescope_course(tmp_path_factory.mktemp("course"))


def test_the_zip_has_what_gradescope_wants_at_its_root(course, tmp_path):
    archive = pack(course, "tiny").write(tmp_path / "new" / "autograder.zip")
    with zipfile.ZipFile(archive) as opened:
        assert opened.testzip() is None
        modes = {entry.filename: stat.S_IMODE(entry.external_attr >> 16) for entry in opened.infolist()}
        first = {name: opened.read(name).partition(b"\n")[0] for name in PROGRAMS}
    assert first == dict.fromkeys(PROGRAMS, b"#!/usr/bin/env bash")
    assert [name for name, mode in modes.items() if mode & 0o111] == sorted(PROGRAMS)
    assert {name.split("/")[0] for name in modes} == {*PROGRAMS, "requirements.txt", "course"}


def test_it_holds_the_grader_and_of_the_course_one_assignment(course):
    files = pack(course, "tiny").files
    own = {name for name in files if name.startswith("course/") and not name.startswith("course/grader/")}
    assert own == {
        "course/README.md",
        "course/pyproject.toml",
        "course/assignments/tiny/assignment.toml",
        "course/fixtures/tiny/data.csv",
        *(f"course/tests/hidden/tiny/{name}.py" for name in ("recipes", "test_draws", "test_sums")),
    }
    here = {
        path.relative_to(ROOT).as_posix() for path in (ROOT / "grader").rglob("*.py") if "template" not in path.parts
    }
    assert {f"course/{name}" for name in here} <= files.keys()


def test_it_needs_what_the_course_needs_but_for_a_gradebook(course):
    needed = pack(course, "tiny").files["requirements.txt"].decode().splitlines()
    assert needed == ["numpy>=2,<3", "torch>=2.8,<3", "pytest>=8.4"]


def test_the_same_course_gives_the_same_bytes(course, tmp_path):
    once = pack(course, "tiny").write(tmp_path / "a.zip").read_bytes()
    for path in course.root.rglob("*"):
        os.utime(path, (1, 1))
    assert pack(Course(course.root), "tiny").write(tmp_path / "b.zip").read_bytes() == once


def test_the_real_assignments_can_be_packed_and_hold_no_solution():
    real = Course(ROOT)
    for name in real.names:
        names = set(pack(real, name).files)
        others = set(real.names) - {name}
        assert f"course/tests/hidden/{name}/conftest.py" in names
        assert f"course/fixtures/{name}/generate.py" in names
        assert not [path for path in names if re.search(r"solutions/|tests/mutants|alternatives|submissions/", path)]
        assert not [path for path in names if set(path.split("/")) & others]


@pytest.mark.parametrize("program", PROGRAMS)
def test_its_programs_are_bash(course, program):
    text = pack(course, "tiny", visibility="hidden", trust_submissions=True).files[program]
    subprocess.run(["bash", "-n"], input=text, check=True)
    assert b"set -euo pipefail" in text


def test_setup_installs_what_run_autograder_runs(course):
    """Not run here: it wants root and a registry. What it must do stands in it, and in this order."""
    files = pack(course, "tiny").files
    setup, run = files["setup.sh"].decode(), files["run_autograder"].decode()
    steps = [
        "apt-get update",
        "https://astral.sh/uv/install.sh",
        "uv venv --python 3.12 /opt/autograder",
        '-r "$source/requirements.txt"',
        '--no-deps "$source/course"',
        'chmod -R go= "$source"',
        "/opt/autograder/bin/grader doctor",
    ]
    places = [setup.index(step) for step in steps]
    assert places == sorted(places)
    assert 'source="${AUTOGRADER_ROOT:-/autograder}/source"' in setup
    assert "${AUTOGRADER_PYTHON:-/opt/autograder/bin/python}" in run
    assert run.splitlines()[-1] == 'exec "$python" -m grader.autograder "$root" tiny --visibility visible'


def test_options_are_chosen_when_it_is_packed(course):
    run = pack(course, "tiny", visibility="after_published", trust_submissions=True).files["run_autograder"].decode()
    assert run.endswith("tiny --visibility after_published --trust-submissions\n")


@pytest.mark.parametrize(
    ("shown", "options"),
    [
        ("", "--visibility visible"),
        ('points = "after due"', "--visibility after_due_date"),
        ('points = "after due"\nhints = "after due"', "--visibility after_due_date"),
        ('points = "never"\nhints = "never"', "--visibility hidden"),
        ('hints = "never"', "--visibility visible --no-hints"),
        ('hints = "after due"', "--visibility visible --no-hints"),
        ("hints = 2026-10-20T08:00:00+02:00", "--visibility visible --no-hints"),
    ],
)
def test_by_default_students_see_what_the_course_shows_when(course, tmp_path, shown, options):
    root = tmp_path / "course"
    shutil.copytree(course.root, root)
    (root / "course.toml").write_text(f"[shown]\n{shown}\n")
    run = pack(Course(root), "tiny").files["run_autograder"].decode()
    assert run.endswith(f" tiny {options}\n")


@pytest.mark.parametrize(
    ("hints", "visibility", "told"),
    [
        ('"always"', "visible", True),
        ('"after due"', "visible", False),
        ('"after due"', "after_due_date", True),
        ('"never"', "after_due_date", False),
        ("2026-10-20T08:00:00+02:00", "after_published", False),
    ],
)
def test_hints_that_are_to_wait_are_not_shown_by_another_visibility(course, tmp_path, hints, visibility, told):
    root = tmp_path / "course"
    shutil.copytree(course.root, root)
    (root / "course.toml").write_text(f"[shown]\nhints = {hints}\n")
    assert pack(Course(root), "tiny", visibility=visibility).hints is told


def test_a_time_that_gradescope_cannot_be_told_is_refused_unless_it_is_said_how(course, tmp_path):
    root = tmp_path / "course"
    shutil.copytree(course.root, root)
    (root / "course.toml").write_text('[shown]\npoints = 2026-10-20T08:00:00+02:00\nhints = "never"\n')
    with pytest.raises(UsageError, match=r"from 2026-10-20T08:00:00\+02:00 on, and Gradescope knows no such time: say"):
        pack(Course(root), "tiny")
    packed = pack(Course(root), "tiny", visibility="after_published")
    assert (packed.visibility, packed.hints) == ("after_published", False)


def test_a_terms_seed_and_thresholds_go_with_it(course, tmp_path):
    root = tmp_path / "course"
    shutil.copytree(course.root, root)
    with (root / "assignments" / "tiny" / "assignment.toml").open("a") as file:
        file.write("\n[thresholds]\nerror = 1.1\n")
    (root / "course.toml").write_text("seed = 4711\n[assignments.tiny]\nthresholds = {error = 1.25}\n")
    files = pack(Course(root), "tiny").files
    assert files["run_autograder"].decode().endswith(" tiny --visibility visible --seed 4711\n")
    assert tomllib.loads(files["course/assignments/tiny/assignment.toml"].decode())["thresholds"] == {"error": 1.25}
    assert "course/course.toml" not in files


@pytest.mark.parametrize(
    ("name", "visibility", "expected"),
    [
        ("tini", "visible", "did you mean 'tiny'?"),
        ("tiny", "after_due", "no visibility 'after_due' in Gradescope: did you mean 'after_due_date'?"),
        ("tiny", "purple", "there are: hidden, after_due_date, after_published, visible."),
    ],
)
def test_wrong_use_is_refused_before_anything_is_written(course, tmp_path, name, visibility, expected):
    out = tmp_path / "autograder.zip"
    arguments = ["gradescope", name, "--visibility", visibility, "--out", str(out), "--course", str(course.root)]
    ended = CliRunner().invoke(app, arguments)
    assert ended.exit_code == 2
    assert expected in ended.stderr
    assert not out.exists()


def test_the_command_says_where_it_is_and_what_gradescope_must_allow(course, tmp_path):
    out = tmp_path / "autograder.zip"
    arguments = ["gradescope", "tiny", "--out", str(out), "--course", str(course.root)]
    ended = CliRunner().invoke(app, arguments)
    assert ended.exit_code == 0, ended.output
    assert ended.stdout.splitlines()[0] == str(out)
    assert "2.5 GB of memory, and a time limit of at least 7 minutes" in ended.stdout
    before = out.read_bytes()
    again = CliRunner().invoke(app, arguments)
    assert (again.exit_code, out.read_bytes()) == (2, before)
    assert "there already" in again.stderr


def test_a_course_without_a_suite_is_refused(course, tmp_path):
    root = write_course(tmp_path)
    (root / "pyproject.toml").write_text(PROJECT)
    for path in (root / "tests" / "hidden" / "tiny").glob("test_*"):
        path.unlink()
    with pytest.raises(UsageError, match="expected the hidden suite"):
        pack(Course(root), "tiny")


class FakeEngine:
    """Gives the points of the first check, or fails as it is told to."""

    sandbox = "namespaces: for the test"
    titles = {"sums.adds": "total adds"}  # noqa: RUF012
    fault: Exception | None = None

    def __init__(self, course, assignment, *, seed, jobs):
        self.assignment = assignment

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def wait_ready(self):
        pass

    def submit(self, submission) -> Future:
        future = Future()
        if self.fault:
            future.set_exception(self.fault)
        else:
            adds = CheckResult("sums.adds", "sums", "total adds", CheckStatus.PASSED, 2, 2, detail="SECRET")
            result = SubmissionResult("tiny", submission.student, SubmissionStatus.GRADED, [adds], output="SECRET")
            future.set_result(result)
        return future


class Trusting(FakeEngine):
    sandbox = "none: the submissions are trusted"


@pytest.fixture
def place(course, tmp_path, monkeypatch) -> Path:
    """Gradescope's folders with the right submission, and an engine that costs nothing."""
    for name, content in pack(course, "tiny").files.items():
        if name.startswith("course/assignments/"):
            path = tmp_path / "source" / name
            path.parent.mkdir(parents=True)
            path.write_bytes(content)
    (tmp_path / "submission").mkdir()
    (tmp_path / "results").mkdir()
    for name, text in RIGHT.items():
        (tmp_path / "submission" / name).write_text(text)
    (tmp_path / "submission_metadata.json").write_text(json.dumps(METADATA))
    monkeypatch.setattr(autograder, "LocalEngine", type("Local", (FakeEngine,), {}))
    monkeypatch.setattr(autograder, "TrustingEngine", Trusting)
    return tmp_path


def run(place: Path, monkeypatch, *options: str) -> int:
    monkeypatch.setattr(sys, "argv", ["autograder", str(place), "tiny", *options])
    return autograder.main()


def test_a_result_is_written_and_says_nothing_that_it_must_not(place, monkeypatch, capsys):
    assert run(place, monkeypatch, "--visibility", "after_due_date") == 0
    found = validated(place / "results" / "results.json")
    assert found["score"] == 2
    assert found["visibility"] == found["tests"][0]["visibility"] == "after_due_date"
    told = capsys.readouterr()
    assert re.match(r"seed \d+ · sandbox namespaces: for the test\n", told.out)
    assert not [word for word in ("SECRET", "Lovelace", "ada@") if word in json.dumps(found) + told.out + told.err]
    assert stat.S_IMODE((place / "results" / "results.json").stat().st_mode) == 0o644


def test_the_terms_seed_draws_for_every_upload_and_hints_can_be_left_out(place, monkeypatch, capsys):
    assert run(place, monkeypatch, "--seed", "4711", "--no-hints") == 0
    found = validated(place / "results" / "results.json")
    assert capsys.readouterr().out.startswith("seed 4711 ·")
    assert {test["output"] for test in found["tests"]} <= set(OUTCOMES.values())


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({}, "found nothing"),
        ({"notes.txt": b"sorry"}, "expected at least one of sums.py, draws.py, found 'notes.txt'"),
        ({"work.zip": b"PK\3\4 broken"}, "the zip is damaged or incomplete"),
        ({"work.ipynb": b"{"}, "expected"),
    ],
)
def test_what_cannot_be_read_gets_a_zero_with_its_reason(place, monkeypatch, files, reason):
    for path in (place / "submission").iterdir():
        path.unlink()
    for name, content in files.items():
        (place / "submission" / name).write_bytes(content)
    assert run(place, monkeypatch) == 0
    found = validated(place / "results" / "results.json")
    assert found["score"] == 0
    assert reason in found["output"]
    assert [test["score"] for test in found["tests"]] == [0, 0, 0, 0]
    assert [test["max_score"] for test in found["tests"]] == [2, 3, 1, 4]
    assert found["tests"][0]["name"] == "total adds"


@pytest.mark.parametrize("fault", [GraderFault("the sandbox went away"), UsageError("the suite cannot be used")])
def test_a_fault_is_no_zero_and_leaves_no_earlier_result(place, monkeypatch, capsys, fault):
    (place / "results" / "results.json").write_text('{"score": 10}')
    monkeypatch.setattr(autograder.LocalEngine, "fault", fault)
    assert run(place, monkeypatch) == 1
    assert list((place / "results").iterdir()) == []
    assert f"failed, which is no zero; run the autograder again: {fault}" in capsys.readouterr().err


def test_an_accident_leaves_no_result(place, monkeypatch):
    (place / "results" / "results.json").write_text('{"score": 10}')
    monkeypatch.setattr(autograder.LocalEngine, "fault", RuntimeError("a mistake of ours"))
    with pytest.raises(RuntimeError):
        run(place, monkeypatch)
    assert list((place / "results").iterdir()) == []


def test_without_a_sandbox_it_grades_only_by_leave(place, monkeypatch, capsys):
    monkeypatch.setattr(autograder, "best_level", lambda found: None)
    assert run(place, monkeypatch) == 1
    assert list((place / "results").iterdir()) == []
    assert "--trust-submissions" in capsys.readouterr().err
    assert run(place, monkeypatch, "--trust-submissions") == 0
    assert "sandbox none: the submissions are trusted" in capsys.readouterr().out
    assert validated(place / "results" / "results.json")["score"] == 2


def test_leave_to_trust_is_not_taken_where_there_is_a_sandbox(place, monkeypatch, capsys):
    assert run(place, monkeypatch, "--trust-submissions") == 0
    assert "sandbox namespaces" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (json.dumps(METADATA), "submission 123456"),
        (None, "submission"),
        ("{", "submission"),
        ("[1]", "submission"),
        ('{"id": "../../x"}', "submission"),
    ],
)
def test_metadata_is_believed_only_where_it_is_what_it_should_be(place, text, expected):
    (place / "submission_metadata.json").unlink()
    if text is not None:
        (place / "submission_metadata.json").write_text(text)
    assert autograder.submission_id(place) == expected
