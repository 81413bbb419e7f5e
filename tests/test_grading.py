"""Grading for real, on a tiny course: right and wrong, hung, crashed, greedy, and a grader that loses its processes."""

import importlib.util
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from grader.batch import ResultStore
from grader.course import Course
from grader.errors import GraderFault, UsageError
from grader.executor import Host, LocalEngine
from grader.results import CheckStatus, SubmissionStatus
from grader.submission import Submission
from grader.trusting import TrustingEngine

spec = importlib.util.spec_from_file_location("tiny_course", Path(__file__).with_name("tiny_course.py"))
tiny_course = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tiny_course)
RIGHT = tiny_course.RIGHT


@pytest.fixture(scope="module")
def course(tmp_path_factory) -> Course:
    return Course(tiny_course.write_course(tmp_path_factory.mktemp("course")))


@pytest.fixture(scope="module")
def engine(course):
    with LocalEngine(course, course.assignment("tiny"), seed=11, jobs=2) as engine:
        engine.wait_ready()
        yield engine


def submission(**changes: str | None) -> Submission:
    """The right files with some changed (`sums=…`), or left out (`draws=None`)."""
    files = {name: changes.get(name.removesuffix(".py"), text) for name, text in RIGHT.items()}
    return Submission("ada", {name: text.encode() for name, text in files.items() if text is not None}, "ada")


def grade(engine, **changes: str | None):
    return engine.submit(submission(**changes)).result()


def statuses(result) -> dict[str, str]:
    return {check.name: check.status.value for check in result.checks}


def test_a_right_submission_has_all_points(engine):
    result = grade(engine)
    assert (result.score, result.max_score, result.bonus) == (6, 6, 4)
    assert result.status is SubmissionStatus.GRADED
    assert result.sandbox == "namespaces"
    assert result.seed == 11
    assert result.digest == submission().digest
    assert [check.name for check in result.checks] == ["sums.adds", "sums.keeps", "sums.breaks", "draws.draws"]


def test_the_same_submission_gets_the_same_twenty_times(engine):
    results = [engine.submit(submission(sums=RIGHT["sums.py"] + "\nimport random\n")) for _ in range(20)]
    assert {(r.result().score, r.result().bonus, str(statuses(r.result()))) for r in results} == {
        (6, 4, str(statuses(results[0].result())))
    }


def test_a_missing_file_costs_its_task_alone(engine):
    result = grade(engine, draws=None)
    assert statuses(result)["draws.draws"] == "not_run"
    assert result.score == 6


def test_a_file_that_cannot_be_imported_costs_its_task_alone(engine):
    for broken in ("def total(:\n", "import nothing_of_that_name\n", "1 / 0\n", "raise SystemExit(0)\n"):
        result = grade(engine, sums=broken)
        assert set(statuses(result).values()) == {"failed", "passed"}, broken
        assert (result.score, result.bonus) == (0, 4)


def test_a_stub_is_not_written_yet(engine):
    stub = 'def total(values):\n    raise NotImplementedError("Task 1: write total().")\n'
    result = grade(engine, sums=stub)
    assert statuses(result)["sums.adds"] == "not_implemented"
    assert statuses(result)["sums.breaks"] == "not_implemented", "an expected error is no stub's"


def test_an_endless_loop_costs_what_calls_it(engine):
    result = grade(engine, draws="def draw(n):\n    while True: pass\n")
    assert statuses(result)["draws.draws"] == "timeout"
    assert result.score == 6
    asleep = grade(engine, draws="import time\ntime.sleep(10_000)\n")
    assert statuses(asleep)["draws.draws"] == "timeout"


def test_an_ended_process_costs_the_check_that_it_ended_in(engine):
    result = grade(
        engine,
        sums="import os\n\ndef total(values):\n    os._exit(0)\n\nclass Counter:\n    n = 0\n"
        "    def step(self):\n        self.n += 1\n        return self.n\n",
    )
    assert statuses(result) == {
        "sums.adds": "crashed",
        "sums.keeps": "passed",
        "sums.breaks": "crashed",
        "draws.draws": "passed",
    }
    adds = result.checks[0]
    assert "exit code 0" in adds.detail


def test_memory_is_bounded(engine):
    result = grade(engine, draws="def draw(n):\n    hoard = bytearray(2 << 30)\n    return [n, n]\n")
    assert statuses(result)["draws.draws"] == "failed"
    assert "MemoryError" in result.checks[-1].detail


def test_a_flood_of_words_is_kept_short(engine):
    flood = 'def draw(n):\n    print("word " * 10_000_000, flush=True)\n    return [n, n]\n'
    result = grade(engine, draws=flood)
    assert statuses(result)["draws.draws"] == "passed"
    assert 0 < len(result.output) <= 20_000


def test_an_answer_that_a_check_cannot_use_is_said_so(engine):
    breaking = RIGHT["sums.py"].replace(
        "return float(sum(values))", "return 'break the suite' if values == [7] else sum(values)"
    )
    breaks = grade(engine, sums=breaking).checks[2]
    assert (breaks.name, breaks.status, breaks.points) == ("sums.breaks", CheckStatus.UNUSABLE, 0)
    assert "KeyError" in breaks.detail


def test_a_fault_of_the_suite_before_any_answer_is_ours_and_no_zero(tmp_path):
    course = Course(tiny_course.write_course(tmp_path))
    broken = tiny_course.DRAWS.replace("    require(", '    raise KeyError("ours")\n    require(')
    (tmp_path / "tests/hidden/tiny/test_draws.py").write_text(broken)
    trusting = TrustingEngine(course, course.assignment("tiny"), seed=1, jobs=1)
    with trusting as engine, pytest.raises(GraderFault, match=r"draws\.draws.*KeyError"):
        grade(engine)


def test_what_students_read_has_no_word_of_the_check_or_their_own(engine):
    result = grade(engine, sums="def total(values):\n    raise ValueError(f'SECRET {values}')\n")
    adds = result.checks[0]
    assert "SECRET" in adds.detail
    assert "SECRET" not in adds.message
    assert adds.message == "Your code raised ValueError. sum()"


def test_submissions_do_not_see_each_other(engine):
    leaves = "import os\n\ndef draw(n):\n    open('/tmp/left-behind', 'w').write('x')\n    return [n, n]\n"
    looks = "import os\n\ndef draw(n):\n    return [n, -99] if os.path.exists('/tmp/left-behind') else [n, n]\n"
    assert grade(engine, draws=leaves).bonus == 4
    assert grade(engine, draws=looks).bonus == 4


def test_the_same_seed_draws_the_same(engine, course):
    echo = "def draw(n):\n    raise ValueError(f'drawn {n}')\n"
    first, again = (grade(engine, draws=echo).checks[-1].detail for _ in range(2))
    assert first == again
    with LocalEngine(course, course.assignment("tiny"), seed=11, jobs=1) as same:
        same.wait_ready()
        assert grade(same, draws=echo).checks[-1].detail == first


@pytest.mark.parametrize("process", ["_host", "_sandbox"])
def test_a_lost_process_is_started_again(engine, process):
    pid = getattr(engine, process)._process.pid
    os.kill(pid, signal.SIGKILL)
    getattr(engine, process)._process.wait()
    result = grade(engine)
    assert result.score == 6
    assert getattr(engine, process)._process.pid != pid


def test_an_interrupted_run_ends_soon_and_leaves_whole_results(course, tmp_path):
    for student, files in {"ada": RIGHT, "jan": {**RIGHT, "draws.py": "import time\ntime.sleep(10_000)\n"}}.items():
        (tmp_path / "class" / student).mkdir(parents=True)
        for name, text in files.items():
            (tmp_path / "class" / student / name).write_text(text)
    out = tmp_path / "out"
    command = [Path(sys.executable).with_name("grader"), "grade", "tiny", tmp_path / "class", "--out", out]
    process = subprocess.Popen([*command, "--course", course.root], stderr=subprocess.PIPE, text=True)
    ada = out / "results" / "ada.json"
    deadline = time.monotonic() + 120
    while not ada.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "interrupted" in said.splitlines()[-1]
    assert [path.name for path in ada.parent.iterdir()] == ["ada.json"]
    assert ResultStore(out).read()[0].score == 6


def test_without_a_sandbox_only_on_trust(course):
    with TrustingEngine(course, course.assignment("tiny"), seed=11, jobs=1) as engine:
        result = grade(engine)
        assert (result.score, result.bonus, result.sandbox) == (6, 4, "none")
        assert statuses(grade(engine, sums="def total(values):\n    return 0\n"))["sums.adds"] == CheckStatus.FAILED


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("tests/hidden/tiny/test_draws.py", "from nowhere import nothing\n", "cannot be"),
        (
            "assignments/tiny/assignment.toml",
            tiny_course.TOML.replace("draws = 4", "draws = 4\nmore = 1"),
            "draws.more",
        ),
    ],
)
def test_a_suite_that_does_not_fit_is_said_before_anything_is_graded(tmp_path, file, text, said):
    course = Course(tiny_course.write_course(tmp_path))
    (tmp_path / file).write_text(text)
    host = Host(course, course.assignment("tiny"), seed=1)
    try:
        with pytest.raises(UsageError, match=said):
            host.wait_ready()
    finally:
        host.close()
