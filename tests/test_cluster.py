"""A cluster grades as one machine does: the same scores, each once, whoever is lost, refused or comes late."""

import contextlib
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import tiny_course
from interrupts import heed
from msgspec import structs
from typer.testing import CliRunner

from grader import cluster, cluster_connection, cluster_worker
from grader.batch import grade_class
from grader.cli import app
from grader.cluster import ClusterEngine
from grader.cluster_worker import Brief, HandedIn, Station
from grader.course import Course
from grader.errors import GraderFault, SandboxError, UsageError
from grader.executor import LocalEngine
from grader.gradebook import Gradebook
from grader.results import CheckResult, CheckStatus, SubmissionResult, SubmissionStatus
from grader.sandbox.launch import Level
from grader.sandbox.processes import all_processes
from grader.store import ResultStore, Run
from grader.submission import Submission, discover
from grader.surroundings import Surroundings

PATIENCE = 120
GRADER = Path(sys.executable).with_name("grader")
DASK = Path(sys.executable).with_name("dask")
SLOWLY = tiny_course.RIGHT["sums.py"].replace(
    "    return float", "    import time\n    time.sleep(0.7)\n    return float"
)


@pytest.fixture(scope="module")
def course(tmp_path_factory) -> Course:
    return Course(tiny_course.write_course(tmp_path_factory.mktemp("course")))


def wait_until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, "it does not come"
        time.sleep(0.02)


def brief(course: Course, **changes: object) -> Brief:
    told = Surroundings.of(course, course.assignment("tiny"))
    return Brief(str(course.root), "tiny", 11, replace(told, **changes))


def submission(student: str = "ada", sums: str = tiny_course.RIGHT["sums.py"], **more: object) -> Submission:
    return Submission(student, {"sums.py": sums.encode()}, student, **more)


class FakeEngine:
    """Takes the place of a worker's engine: passes everybody, and does what the student's name says."""

    alive: tuple["FakeEngine", ...] = ()
    sandbox = "namespaces: for the test"
    titles = {"sums.adds": "total adds"}  # noqa: RUF012

    def __init__(self, course, assignment, *, seed: int, jobs: int, exhibits: bool = True) -> None:
        self.jobs, self.seed = jobs, seed
        self.asked: list[str] = []
        self.checks: list[str] = []
        self.let_go = threading.Event()
        FakeEngine.alive += (self,)

    def wait_ready(self) -> None:
        pass

    def submit(self, submission: Submission, *, checks=()) -> Future:
        self.asked.append(submission.student)
        self.checks += checks
        future: Future = Future()
        first = sum(submission.student in engine.asked for engine in FakeEngine.alive) == 1
        if submission.student == "fault" or (submission.student == "once" and first):
            future.set_exception(GraderFault("the host went away"))
        elif submission.student == "walls" and first:
            future.set_exception(SandboxError("no namespaces left"))
        else:
            if submission.student.startswith("slow"):
                self.let_go.wait(PATIENCE)
            future.set_result(passed(submission, self.seed))
        return future

    def close(self) -> None:
        self.let_go.set()
        FakeEngine.alive = tuple(engine for engine in FakeEngine.alive if engine is not self)


def passed(submission: Submission, seed: int) -> SubmissionResult:
    check = CheckResult("sums.adds", "sums", "adds", CheckStatus.PASSED, 2, 2)
    student = "somebody else" if submission.student == "mixed up" else submission.student
    facts = {"seed": seed, "digest": submission.digest, "message": "; ".join(submission.notes)}
    return SubmissionResult("tiny", student, SubmissionStatus.GRADED, [check], **facts)


@pytest.fixture
def dask_cluster(monkeypatch) -> Iterator:
    """Dask's own scheduler and two workers, in this process, with engines that only pretend."""
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr(cluster_worker, "LocalEngine", FakeEngine)
    monkeypatch.setattr(cluster, "LOOK_SECONDS", 0.05)
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=2, processes=False, protocol="tcp://", dashboard_address=None
    ) as dask:
        yield dask


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def engine(course, dask_cluster, told) -> Iterator[ClusterEngine]:
    with ClusterEngine(
        course,
        course.assignment("tiny"),
        seed=11,
        jobs=1,
        address=dask_cluster.scheduler_address,
        tell=told.append,
    ) as engine:
        engine.wait_ready()
        yield engine
    assert FakeEngine.alive == (), "what was started for a run ends with it"


class TestEngine:
    """On Dask's real scheduler and workers, with engines that pretend."""

    def test_it_is_the_sum_of_its_workers(self, engine, told):
        assert (engine.jobs, engine.sandbox, engine.titles) == (4, "namespaces on 2 workers", FakeEngine.titles)
        assert told == []

    def test_a_result_arrives_as_it_was_written(self, engine):
        handed_in = submission("Zoë 'Z' Ω", notes=["a remark"])
        expected = passed(handed_in, 11)
        assert engine.submit(handed_in).result(PATIENCE) == SubmissionResult.from_json(expected.to_json())

    def test_some_checks_can_be_asked_for_alone(self, engine):
        engine.submit(submission("ada"), checks=("sums.adds",)).result(PATIENCE)
        assert [one for grader in FakeEngine.alive for one in grader.checks] == ["sums.adds"]

    def test_a_fault_is_tried_at_another_worker_and_is_no_zero(self, engine):
        assert engine.submit(submission("once")).result(PATIENCE).score == 2
        with pytest.raises(GraderFault, match="the host went away"):
            engine.submit(submission("fault")).result(PATIENCE)
        assert [grader.asked.count("fault") for grader in FakeEngine.alive] == [1, 1]

    def test_another_submissions_result_is_a_fault(self, engine):
        with pytest.raises(GraderFault, match="of other files"):
            engine.submit(submission("mixed up")).result(PATIENCE)

    def test_a_worker_whose_sandbox_is_lost_gets_no_more_work(self, engine, told):
        assert engine.submit(submission("walls")).result(PATIENCE).score == 2
        assert engine.jobs == 2
        assert len(told) == 1
        assert "gets no work: no namespaces left" in told[0]
        assert all(engine.submit(submission(f"s{n}")).result(PATIENCE).score == 2 for n in range(4))
        assert sorted(len(grader.asked) for grader in FakeEngine.alive) == [1, 5]

    def test_what_a_lost_worker_had_is_graded_elsewhere_once(self, engine, told, dask_cluster):
        names = [f"slow{n}" for n in range(8)]
        futures = {name: engine.submit(submission(name)) for name in names}
        seen: list[str] = []
        for name, future in futures.items():
            future.add_done_callback(lambda done, name=name: seen.append(name))
        wait_until(lambda: all(len(grader.asked) == 2 for grader in FakeEngine.alive))
        lost, left = FakeEngine.alive
        victim = next(address for address, worker in engine._workers.items() if worker.state == "ready")
        dask_cluster.sync(dask_cluster.scheduler.remove_worker, victim, stimulus_id="test", expected=False)
        lost.let_go.set()
        left.let_go.set()
        assert all(future.result(PATIENCE).student == name for name, future in futures.items())
        assert sorted(seen) == names
        wait_until(lambda: told)
        assert "is gone; what it had is graded elsewhere" in told[0]

    def test_a_worker_that_comes_late_gets_work(self, engine, dask_cluster):
        dask_cluster.scale(3)
        wait_until(lambda: engine.jobs == 6)
        futures = [engine.submit(submission(f"slow{n}")) for n in range(6)]
        wait_until(lambda: [len(grader.asked) for grader in FakeEngine.alive] == [2, 2, 2])
        for grader in FakeEngine.alive:
            grader.let_go.set()
        assert len({future.result(PATIENCE).student for future in futures}) == 6

    def test_nothing_waits_for_a_cluster_that_is_gone(self, engine, told, dask_cluster):
        waiting = engine.submit(submission("slow"))
        wait_until(lambda: any(grader.asked for grader in FakeEngine.alive))
        dask_cluster.close()
        with pytest.raises(GraderFault, match="the same command again"):
            waiting.result(PATIENCE)
        with pytest.raises(GraderFault, match="the same command again"):
            engine.submit(submission("late"))


class TestStart:
    def start(self, course, dask_cluster, told=lambda line: None) -> None:
        address = dask_cluster.scheduler_address
        with ClusterEngine(course, course.assignment("tiny"), seed=1, jobs=1, address=address, tell=told) as engine:
            engine.wait_ready()

    def test_workers_with_another_suite_are_refused_in_words(self, course, dask_cluster, monkeypatch):
        ours = Surroundings.of(course, course.assignment("tiny"))
        others = replace(
            ours, parts={**ours.parts, "torch": "0.1"}, files={**ours.files, "test_sums.py": (frozenset(), "")}
        )
        told = iter([others, ours, ours])
        monkeypatch.setattr(Surroundings, "of", lambda *_: next(told))
        with pytest.raises(
            UsageError, match=r"worker at tcp://.*another suite.*torch .* instead of 0\.1, test_sums\.py"
        ):
            self.start(course, dask_cluster)

    def test_without_workers_it_says_how_to_start_one(self, course, dask_cluster, monkeypatch, told):
        dask_cluster.scale(0)
        wait_until(lambda: not dask_cluster.scheduler.workers)
        monkeypatch.setattr(cluster, "PATIENCE_SECONDS", 0.5)
        monkeypatch.setattr(cluster, "SAY_SECONDS", 0.1)
        with pytest.raises(UsageError, match=r"found none: start some with `dask worker tcp://"):
            self.start(course, dask_cluster, told.append)
        assert "no worker at tcp://" in told[0]

    @pytest.mark.parametrize("address", ["scheduler:8786", "local:0", "local", "http://x:1", "tcp://nowhere"])
    def test_an_address_that_is_none_is_said(self, course, address):
        with pytest.raises(UsageError, match="expected local:N or a Dask scheduler's address"):
            ClusterEngine(course, course.assignment("tiny"), seed=1, jobs=1, address=address)

    @pytest.mark.parametrize(("scheme", "said"), [("tcp", "is it there"), ("tls", "CA_FILE")])
    def test_a_scheduler_that_is_not_there_is_one_line(self, course, tmp_path, monkeypatch, scheme, said):
        pytest.importorskip("distributed")
        monkeypatch.setattr(cluster_connection, "CONNECT_SECONDS", 1)
        code, err = command(course, tmp_path, "--cluster", f"{scheme}://127.0.0.1:9")
        assert code == 2
        assert f"no Dask scheduler can be reached at {scheme}://127.0.0.1:9" in err
        assert said in err
        assert len(err.strip().splitlines()) == 1

    def test_without_dask_it_says_what_to_install(self, course, tmp_path, monkeypatch):
        monkeypatch.setitem(sys.modules, "distributed", None)
        code, err = command(course, tmp_path, "--cluster", "tcp://127.0.0.1:9")
        assert (code, err.count("\n")) == (2, 1)
        assert "pip install 'accelerate-assignments[cluster]'" in err

    def test_trust_and_a_cluster_do_not_go_together(self, course, tmp_path):
        code, err = command(course, tmp_path, "--cluster", "local:2", "--trust-submissions")
        assert (code, err.count("\n")) == (2, 1)
        assert "found both" in err


def command(course: Course, folder: Path, *more: str) -> tuple[int, str]:
    """`grader grade` in this process, on a class of one: its exit code and what it says."""
    write_class(folder / "class", {"ada": tiny_course.RIGHT})
    words = ["grade", "tiny", folder / "class", "--course", course.root, "--out", folder / "out", *more]
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert "Traceback" not in done.output
    return done.exit_code, done.stderr


class TestStation:
    """One worker's warm processes, without Dask."""

    @pytest.fixture(autouse=True)
    def _pretend(self, monkeypatch):
        monkeypatch.setattr(cluster_worker, "LocalEngine", FakeEngine)

    def settled(self, told: Brief, address: str = "tcp://here:1", **more: object) -> Station:
        station = Station(told, address, 2, **more)
        wait_until(lambda: station.look().state != "starting")
        return station

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"files": {}}, r"test_draws\.py, test_sums\.py$"),
            ({"parts": {"Python": "2.7"}}, r"and \d+ more$"),
        ],
    )
    def test_it_refuses_what_would_mark_otherwise(self, course, change, said):
        station = self.settled(brief(course, **change))
        assert station.look().state == "refused"
        assert re.search(said, station.look().why)
        assert station.grade(HandedIn.packed(submission())).refused == station.look().why
        station.close()

    def test_the_course_may_lie_elsewhere_on_a_worker(self, course, tmp_path, monkeypatch):
        shutil.copytree(course.root, tmp_path / "copy")
        away = structs.replace(brief(course), course="/nowhere")
        station = self.settled(away)
        assert "expected the course in /nowhere" in station.look().why
        assert "GRADER_COURSE" in station.look().why
        station.close()
        monkeypatch.setenv("GRADER_COURSE", str(tmp_path / "copy"))
        station = self.settled(away)
        assert station.look().state == "ready", station.look().why
        station.close()

    def test_titles_are_told_when_asked_for(self, course):
        station = self.settled(brief(course))
        assert not station.look().titles
        assert station.look(titles=True).titles == FakeEngine.titles
        station.close()

    def test_one_that_nobody_asks_for_ends(self, course, monkeypatch):
        monkeypatch.setattr(cluster_worker, "LEASE_SECONDS", 0.2)
        left = threading.Event()
        Station(brief(course), "tcp://here:1", 1, left.set)
        assert left.wait(PATIENCE)
        assert FakeEngine.alive == ()

    def test_without_namespaces_only_under_tls_and_alone(self, course, monkeypatch):
        monkeypatch.setattr(FakeEngine, "sandbox", f"{Level.LANDLOCK}: for the test")
        monkeypatch.setattr(cluster_worker, "ALONE_SECONDS", 0.1)
        open_to_all = self.settled(brief(course))
        assert "tls://" in open_to_all.look().why
        first, second = (self.settled(brief(course), "tls://here:1") for _ in range(2))
        assert first.look().state == "ready"
        assert "expected to be alone" in second.look().why
        for station in (open_to_all, first, second):
            station.close()


def test_the_same_course_has_the_same_surroundings_wherever_it_lies(course, tmp_path):
    shutil.copytree(course.root, tmp_path / "a" / "copy")
    copy = Course(tmp_path / "a" / "copy")
    ours, theirs = (Surroundings.of(where, where.assignment("tiny")) for where in (course, copy))
    assert (ours, ours.digest(())) == (theirs, theirs.digest(()))
    assert ours.unlike(theirs) == ""
    with (copy.suite("tiny") / "recipes.py").open("a") as file:
        file.write("# another\n")
    changed = Surroundings.of(copy, copy.assignment("tiny"))
    assert ours.unlike(changed) == "fixture or what the suite's files share"
    assert ours.digest(()) != changed.digest(())


def write_class(folder: Path, students: dict[str, dict[str, str]]) -> None:
    for student, files in students.items():
        (folder / student).mkdir(parents=True)
        for name, text in files.items():
            (folder / student / name).write_text(text)


def kinds(size: int, sums: str = tiny_course.RIGHT["sums.py"]) -> dict[str, dict[str, str]]:
    """A class of right, wrong, unfinished and crashing submissions."""
    right = {**tiny_course.RIGHT, "sums.py": sums}
    several = [
        right,
        {**right, "sums.py": sums.replace("float(sum(values))", "1.0")},
        {"sums.py": sums},
        {**right, "draws.py": "import os\nos._exit(3)\n"},
        {**right, "draws.py": "def draw(n):\n    raise ValueError(f'drawn {n}')\n"},
    ]
    return {f"student-{number:02d}": several[number % len(several)] for number in range(size)}


def content(out: Path) -> tuple[dict, list]:
    """All results but what a clock says, and all grades in the gradebook."""
    results = {}
    for path in sorted((out / "results").glob("*.json")):
        record = json.loads(path.read_bytes())
        for part in (record, *record["checks"]):
            for key in ("seconds", "cpu_seconds"):
                part.pop(key, None)
        results[path.name] = record
    query = """
        select submitted_assignment.student_id, base_cell.name, grade.auto_score from grade
        join base_cell on base_cell.id = grade.cell_id
        join submitted_notebook on submitted_notebook.id = grade.notebook_id
        join submitted_assignment on submitted_assignment.id = submitted_notebook.assignment_id
    """
    with contextlib.closing(sqlite3.connect(out / "gradebook.db")) as database:
        return results, sorted(database.execute(query).fetchall())


def grade_here(course: Course, folder: Path, out: Path, engine, on_result=lambda result, kept: None) -> None:
    """What `grader grade` does, with an engine that is there already."""
    assignment, store = course.assignment("tiny"), ResultStore(out)
    with store.held(), Gradebook(f"sqlite:///{out / 'gradebook.db'}") as gradebook:
        gradebook.prepare(assignment)
        entries = discover(folder, assignment)
        grade_class(entries, assignment, engine, store, gradebook, on_result, run=Run("tiny", 11, "x"))


@pytest.fixture(scope="module")
def one_machine(course, tmp_path_factory) -> Path:
    """A class, and what one machine makes of it."""
    folder = tmp_path_factory.mktemp("one machine")
    write_class(folder / "class", kinds(10, SLOWLY))
    with LocalEngine(course, course.assignment("tiny"), seed=11, jobs=2) as engine:
        engine.wait_ready()
        grade_here(course, folder / "class", folder / "out", engine)
    return folder


@pytest.mark.slow
def test_a_cluster_gives_what_one_machine_gives(course, one_machine, tmp_path, told):
    """Two processes with engines for real; in the midst of it, one of them is killed."""
    pytest.importorskip("distributed")
    seen: list[str] = []
    with ClusterEngine(
        course, course.assignment("tiny"), seed=11, jobs=2, address="local:2", tell=told.append
    ) as engine:
        engine.wait_ready()
        assert engine.jobs == 2
        grade_here(course, one_machine / "class", tmp_path / "calm", engine)
        assert content(tmp_path / "calm") == content(one_machine / "out")
        victim = next(iter(engine._client.run(os.getpid).values()))

        def kill(result: SubmissionResult, kept: bool) -> None:
            seen.append(result.student)
            if len(seen) == 2:
                os.kill(victim, signal.SIGKILL)

        grade_here(course, one_machine / "class", tmp_path / "fire", engine, kill)
        assert content(tmp_path / "fire") == content(one_machine / "out")
        assert sorted(seen) == sorted(kinds(10)), "everybody once"
        wait_until(lambda: any("is gone" in line for line in told))
        wait_until(lambda: engine.jobs == 2)  # Dask has started it again
        assert engine.submit(Submission("late", {"sums.py": b""}, "late")).result(PATIENCE).score == 0


@pytest.mark.slow
def test_an_interrupted_run_ends_soon_and_leaves_whole_results(course, tmp_path):
    never = {**tiny_course.RIGHT, "draws.py": "import time\ntime.sleep(10_000)\n"}
    write_class(tmp_path / "class", {"ada": tiny_course.RIGHT, "jan": never})
    out = tmp_path / "out"
    words = [GRADER, "grade", "tiny", tmp_path / "class", "--course", course.root, "--out", out, "--cluster", "local:2"]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True, start_new_session=True, preexec_fn=heed)
    wait_until(lambda: (out / "results" / "ada.json").exists() or process.poll() is not None)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all of them
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert said.splitlines()[-1] == "grader: interrupted; results written so far are whole"
    assert "Traceback" not in said
    assert [path.name for path in (out / "results").iterdir()] == ["ada.json"]
    wait_until(lambda: not running_in(process.pid))  # what was killed may take a moment to be gone


def running_in(group: int) -> list[int]:
    """Processes of a process group that are no zombies."""
    return [pid for pid, found in all_processes().items() if found.running and group_of(pid) == group]


def group_of(pid: int) -> int:
    with contextlib.suppress(ProcessLookupError):
        return os.getpgid(pid)
    return 0


@pytest.mark.slow
def test_by_hand_as_the_page_says(course, tmp_path, told):
    """`dask scheduler` and `dask worker` in processes of their own, one of them with another suite."""
    shutil.copytree(course.root, tmp_path / "other")
    with (tmp_path / "other/tests/hidden/tiny/test_sums.py").open("a") as file:
        file.write("# another suite\n")
    where = tmp_path / "scheduler.json"
    common = {"cwd": tmp_path, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    worker = [DASK, "worker", "--scheduler-file", where, "--nworkers", "1", "--nthreads", "1", "--no-dashboard"]
    started = [
        subprocess.Popen([DASK, "scheduler", "--port", "0", "--no-dashboard", "--scheduler-file", where], **common)
    ]
    try:
        started.append(subprocess.Popen(worker, **common))
        started.append(subprocess.Popen(worker, env={**os.environ, "GRADER_COURSE": str(tmp_path / "other")}, **common))
        wait_until(where.exists)
        address = json.loads(where.read_text())["address"]
        start = partial(ClusterEngine, course, course.assignment("tiny"), seed=11, jobs=1, address=address)
        with start(tell=told.append) as engine:
            engine.wait_ready()
            assert engine.submit(Submission("ada", files_of(tiny_course.RIGHT), "ada")).result(PATIENCE).score == 6
            wait_until(lambda: told)
            assert "gets no work" in told[0]
            assert "test_sums.py" in told[0]
    finally:
        for process in reversed(started):
            process.terminate()
        for process in started:
            process.wait(30)


def files_of(texts: dict[str, str]) -> dict[str, bytes]:
    return {name: text.encode() for name, text in texts.items()}
