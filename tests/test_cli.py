"""The command: exit codes, one clear line for each wrong use, tables and JSON."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

import grader.executor
from grader.cli import app, marking
from grader.results import CheckResult, CheckStatus, SubmissionResult, SubmissionStatus
from grader.sandbox.probe import Mechanism, probe
from grader.store import ResultStore

ROOT = Path(__file__).parents[1]


class FakeEngine:
    """Gives everybody half of the first check's points; fails on kim."""

    sandbox = "namespaces: for the test"

    def __init__(self, course, assignment, *, seed: int, jobs: int | None) -> None:
        self.assignment, self.seed, self.jobs = assignment, seed, jobs or 2
        self.titles: dict[str, str] = {}

    def __enter__(self):
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def wait_ready(self) -> None:
        pass

    def submit(self, submission):
        from concurrent.futures import Future

        from grader.errors import GraderFault

        future: Future = Future()
        if submission.student == "kim":
            future.set_exception(GraderFault("the sandbox went away"))
            return future
        checks = [
            CheckResult(
                f"{task.name}.{name}",
                task.name,
                f"rule of [b]{name}[/b]",
                status,
                points,
                worth,
                "hint",
                "got \x1b[31m9",
            )
            for task in self.assignment.task
            for (name, worth), status, points in [
                (
                    (name, worth),
                    CheckStatus.PASSED if name == "missing_cells" else CheckStatus.FAILED,
                    worth if name == "missing_cells" else 0,
                )
                for name, worth in task.checks.items()
            ]
        ]
        future.set_result(
            SubmissionResult(
                self.assignment.name,
                submission.student,
                SubmissionStatus.GRADED,
                checks,
                bonus_tasks=["bonus"],
                seed=self.seed,
                sandbox="namespaces",
            )
        )
        return future


@pytest.fixture
def command(monkeypatch):
    """Run the command inside the repository; gives exit code, output and errors."""
    monkeypatch.setattr(grader.executor, "LocalEngine", FakeEngine)
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("COLUMNS", "120")
    runner = CliRunner()

    def run(*arguments: object):
        result = runner.invoke(app, [str(argument) for argument in arguments])
        assert "Traceback" not in result.output
        return result.exit_code, result.stdout, result.stderr

    return run


@pytest.fixture
def handed_in(tmp_path):
    for student in ("ada", "Zoë O'N"):
        (tmp_path / "class" / student).mkdir(parents=True)
        (tmp_path / "class" / student / "train.py").write_text("pass\n")
    return tmp_path / "class"


def test_a_class_is_graded_shown_and_recorded(command, handed_in, tmp_path):
    code, out, _ = command("grade", "house_prices", handed_in, "--out", tmp_path / "out", "--seed", 5)
    assert code == 0
    assert "Zoë O'N" in out
    assert "2 graded, 0 invalid, 0 failed" in out
    assert (tmp_path / "out" / "gradebook.db").is_file()
    code, out, _ = command("show", tmp_path / "out", "ada")
    assert code == 0
    assert "rule of [b]missing_cells[/b]" in out, "what a check says is text, not markup"
    assert "\x1b[31m9" not in out, "nor is it obeyed by the terminal"
    assert "seed 5" in out


def test_what_checks_say_in_the_same_words_is_shown_once(command, handed_in, tmp_path):
    command("grade", "house_prices", handed_in, "--out", tmp_path / "out", "--seed", 5)
    store = ResultStore(tmp_path / "out")
    result = store.result_of("ada")
    failed = {"status": CheckStatus.FAILED, "points": 0.0, "detail": "importing train.py raised SystemExit: 0"}
    store.write(replace(result, checks=[result.checks[0], *(replace(check, **failed) for check in result.checks[1:])]))
    _, out, _ = command("show", tmp_path / "out", "ada")
    assert out.count("raised SystemExit") == 1
    names = [check.name for check in result.checks]
    assert f"and {len(names) - 1 - 4} more" in out
    assert re.search(rf"^│ {names[0]} ", out, re.MULTILINE)
    _, lost, _ = command("show", tmp_path / "out", "ada", "--lost")
    rows = re.findall(r"^│ (\w+\.\w+) ", lost, re.MULTILINE)
    assert rows == [check.name for check in store.result_of("ada").checks if check.points < check.max_points]


def test_a_student_who_is_not_there_is_said_with_the_nearest(command, handed_in, tmp_path):
    command("grade", "house_prices", handed_in, "--out", tmp_path / "out", "--seed", 5)
    code, _, said = command("show", tmp_path / "out", "adda")
    assert code == 2
    assert "no result of 'adda'" in said
    assert "did you mean 'ada'?" in said


def test_json_has_the_documented_shape(command, handed_in, tmp_path):
    code, out, _ = command("grade", "house_prices", handed_in, "--out", tmp_path / "out", "--json")
    assert code == 0
    document = json.loads(out)
    assert document["assignment"] == "house_prices"
    ada = next(s for s in document["submissions"] if s["student"] == "ada")
    assert (ada["student"], ada["status"], ada["score"], ada["max_score"], ada["bonus"]) == ("ada", "graded", 2, 100, 0)
    assert ada["tasks"]["explore"] == 2
    assert set(ada["checks"][0]) == {"name", "task", "status", "points", "max_points", "message"}
    assert len(ada["checks"]) >= 45


def test_a_fault_of_the_grader_is_exit_code_1_and_nobody_else_suffers(command, handed_in, tmp_path):
    (handed_in / "kim").mkdir()
    (handed_in / "kim" / "train.py").write_text("pass  # by kim\n")
    code, out, err = command("grade", "house_prices", handed_in, "--out", tmp_path / "out")
    assert code == 1
    assert "kim" in err
    assert "--only" in err
    assert "2 graded, 0 invalid, 1 failed" in out


def test_only_some_are_graded(command, handed_in, tmp_path):
    code, out, _ = command("grade", "house_prices", handed_in, "--out", tmp_path / "out", "--only", "ada", "--json")
    assert code == 0
    assert [s["student"] for s in json.loads(out)["submissions"]] == ["ada"]


def test_expectations_are_compared(command, handed_in, tmp_path):
    expected = {name: {"why": "a test", "status": "graded", "score": 2, "bonus": 0} for name in ("ada", "Zoë O'N")}
    path = tmp_path / "expected.json"
    path.write_text(json.dumps(expected))
    arguments = ("grade", "house_prices", handed_in, "--out", tmp_path / "out", "--expect", path)
    code, out, _ = command(*arguments)
    assert code == 0
    assert "All 2 results are as" in out
    expected["ada"]["score"] = 3
    expected["eve"] = expected["ada"]
    path.write_text(json.dumps(expected))
    code, out, err = command(*arguments)
    assert code == 1
    assert "ada (a test): expected graded 3 + 0, found graded 2 + 0" in out
    assert "eve: expected a result, found none" in out
    assert "2 of 2 results" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("grade", "house_price", "{class}", "--out", "{out}"), "did you mean 'house_prices'"),
        (("grade", "house_prices", "{nothing}", "--out", "{out}"), "found nothing"),
        (("grade", "house_prices", "{empty}", "--out", "{out}"), "no entry"),
        (("grade", "house_prices", "{file}", "--out", "{out}"), "found a file"),
        (("grade", "house_prices", "{class}", "--out", "{file}"), "cannot use"),
        (("grade", "house_prices", "{class}", "--out", "{out}", "--only", "nobody"), "nobody"),
        (("grade", "house_prices", "{class}", "--out", "{out}", "--db", "nonsense"), "nonsense"),
        (("grade", "house_prices", "{class}", "--out", "{out}", "--expect", "{nothing}"), "expectations"),
        (("grade", "house_prices", "{class}", "--out", "{out}", "--course", "{empty}"), "--course"),
        (("show", "{empty}"), "found none"),
        (("sync", "house_price"), "did you mean"),
    ],
)
def test_wrong_use_is_one_line_and_exit_code_2(command, handed_in, tmp_path, arguments, said):
    places = {"class": handed_in, "out": tmp_path / "out", "nothing": tmp_path / "nothing", "empty": tmp_path / "empty"}
    places["empty"].mkdir()
    places["file"] = tmp_path / "file"
    places["file"].write_text("")
    code, _, err = command(*(argument.format(**places) for argument in arguments))
    assert code == 2
    assert said in err
    assert len(err.strip().splitlines()) == 1
    assert err.startswith("grader: ")


@pytest.mark.parametrize(
    "arguments", [("grade",), ("grade", "house_prices", "x"), ("fly",), ("grade", "a", "b", "--jobs", "0")]
)
def test_unparsable_use_is_exit_code_2(command, arguments):
    assert command(*arguments)[0] == 2


def test_doctor_names_versions_sandbox_and_accelerators(command):
    code, out, _ = command("doctor")
    assert code == 0
    for word in ("torch", "Landlock", "seccomp", "namespaces", "Accelerators"):
        assert word in out


@pytest.mark.parametrize(
    ("lacking", "level"),
    [
        ((), "namespaces"),
        (("own network",), "landlock"),
        (("own network", "Landlock"), "none: submissions cannot be graded"),
        (("seccomp",), "none: submissions cannot be graded"),
    ],
)
def test_doctor_says_what_it_comes_to(command, monkeypatch, lacking, level):
    found = [Mechanism(one.name, one.name not in lacking, "") for one in probe()]
    monkeypatch.setattr(marking, "probe", lambda: found)
    assert command("doctor")[1].strip().splitlines()[-1].startswith(f"Sandbox: {level}")


def test_every_command_has_help_with_an_example(command):
    _, out, _ = command("--help")
    names = [one.name or one.callback.__name__ for one in app.registered_commands]
    assert {"grade", "show", "doctor", "sync"} <= set(names)
    for name in names:
        assert name in out
        code, text, _ = command(name, "--help")
        assert code == 0
        assert "Example: grader" in text or name == "doctor"


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("grader re", {"release", "regrade"}),
        ("grader grade ho", {"house_prices"}),
        ("grader verify st", {"stock_forecasting"}),
    ],
)
def test_a_shell_completes_commands_and_assignments(typed, expected):
    asked = {"_GRADER_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": str(len(typed.split()) - 1)}
    grader = Path(sys.executable).with_name("grader")
    told = subprocess.run([grader], cwd=ROOT, env={**os.environ, **asked}, capture_output=True, text=True, check=True)
    assert expected <= set(told.stdout.split())
    assert all(word.startswith(typed.split()[-1]) for word in told.stdout.split())


def test_outside_of_a_course_no_assignment_is_completed(tmp_path):
    asked = {"_GRADER_COMPLETE": "complete_bash", "COMP_WORDS": "grader grade ho", "COMP_CWORD": "2"}
    grader = Path(sys.executable).with_name("grader")
    told = subprocess.run(
        [grader], cwd=tmp_path, env={**os.environ, **asked}, capture_output=True, text=True, check=True
    )
    assert (told.stdout.strip(), told.stderr) == ("", "")
