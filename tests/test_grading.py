"""Grading for real, on a tiny course: right and wrong, hung, crashed, greedy, and a grader that loses its processes."""

import importlib.util
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from interrupts import heed

from grader import host
from grader.course import Course, Limits
from grader.errors import GraderFault, UsageError
from grader.executor import Host, LocalEngine, Unjudgeable
from grader.results import CheckStatus, SubmissionStatus
from grader.sandbox.processes import tree
from grader.store import ResultStore
from grader.submission import Submission
from grader.trusting import TrustingEngine
from grader.wire import HUNG, heard, read_all

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


@pytest.mark.parametrize("answered", [True, False])
def test_a_check_that_hangs_is_ended_and_named(monkeypatch, answered):
    monkeypatch.setattr(host, "SPARE_SECONDS", 0.3)
    ours, theirs = socket.socketpair()
    child = os.fork()
    if child == 0:
        watchdog = host.Watchdog(theirs, Limits(check_seconds=0.01))
        watchdog.on_check("sums.adds")
        watchdog.on_answer()
        watchdog.on_check("sums.keeps")
        if answered:
            watchdog.on_answer()
        sum(range(10**12))  # in C: no signal handler of Python's would run
        os._exit(0)
    theirs.close()
    said = heard(read_all(ours))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
    assert (said.check, said.answered) == ("sums.keeps", answered)
    assert said.last.startswith(HUNG)


def test_an_answer_that_cannot_be_judged_costs_its_checks_alone(engine, monkeypatch):
    hanging, once = ["sums.adds", "draws.draws"], engine._grade_once

    def hang(submission, job):
        for name in hanging:
            if name not in job.given_up:
                raise Unjudgeable(name)
        return once(submission, job)

    monkeypatch.setattr(engine, "_grade_once", hang)
    result = grade(engine)
    lost = {check.name: (check.status, check.points) for check in result.checks if check.points < check.max_points}
    assert lost == dict.fromkeys(hanging, (CheckStatus.TIMEOUT, 0))
    hanging.append("sums.keeps")
    with pytest.raises(GraderFault, match=r"sums\.keeps"):
        grade(engine)


def test_what_students_read_has_no_word_of_the_check_or_their_own(engine):
    result = grade(engine, sums="def total(values):\n    raise ValueError(f'SECRET {values}')\n")
    adds = result.checks[0]
    assert "SECRET" in adds.detail
    assert "SECRET" not in adds.message
    assert adds.message == "Your code raised ValueError. sum()"


def test_a_file_that_cannot_be_imported_is_said_of_each_of_its_checks(engine):
    result = grade(engine, sums="def total(:\n")
    told = {check.message for check in result.checks if check.task == "sums"}
    assert told == {"sums.py cannot be imported: it raises SyntaxError. `grader check` shows where."}
    assert "line 1" in result.checks[0].detail


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


@pytest.mark.parametrize("processes", ["_hosts", "_sandboxes"])
def test_a_lost_process_is_started_again(engine, processes):
    lost = getattr(engine, processes).present
    os.kill(lost._process.pid, signal.SIGKILL)
    lost._process.wait()
    result = grade(engine)
    assert result.score == 6
    assert getattr(engine, processes).present is not lost


def test_a_process_that_is_lost_while_it_starts_is_started_again(course):
    with LocalEngine(course, course.assignment("tiny"), seed=11, jobs=1) as engine:
        engine._host._process.kill()
        engine.wait_ready()
        assert grade(engine).score == 6


def test_a_worker_that_somebody_killed_costs_the_student_nothing(engine):
    """Once may be an accident of the machine's; a student's own SIGKILL comes again, and counts."""
    sums = RIGHT["sums.py"].replace(
        "    return float(sum(values))", "    import time\n    time.sleep(1)\n    return float(sum(values))"
    )
    waiting = engine.submit(submission(sums=sums))
    sandbox = engine._sandboxes.present
    zygote = tree(sandbox.pid)[1].pid
    deadline = time.monotonic() + 60
    while not (below := [process.pid for process in tree(zygote)[2:]]) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(below[0], signal.SIGKILL)
    assert waiting.result().score == 6
    own = grade(engine, sums="import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n")
    assert statuses(own)["sums.adds"] == "crashed"
    assert (own.score, own.bonus) == (0, 4)


def test_an_interrupted_run_ends_soon_and_leaves_whole_results(course, tmp_path):
    for student, files in {"ada": RIGHT, "jan": {**RIGHT, "draws.py": "import time\ntime.sleep(10_000)\n"}}.items():
        (tmp_path / "class" / student).mkdir(parents=True)
        for name, text in files.items():
            (tmp_path / "class" / student / name).write_text(text)
    out = tmp_path / "out"
    command = [Path(sys.executable).with_name("grader"), "grade", "tiny", tmp_path / "class", "--out", out]
    command += ["--course", course.root]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=heed)
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
