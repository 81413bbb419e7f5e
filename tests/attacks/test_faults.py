"""Broken machines: whatever is killed, full, locked, gone, set back or slow, in the end everybody has the marks of an
undisturbed run, once."""

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from attacks.faults import Undisturbed, command, fire, forget, seat_class, start, victims, written
from attacks.field import ROOT, Field
from attacks.soak import MIB, soak
from attacks.tally import FAULTS

SMALL_DISK = ROOT / "tests" / "sandbox_programs" / "small_disk.py"
PATIENCE_SECONDS = 300
FREE_KB = 300  # enough for an empty gradebook and some results
HOGS = 6
HALT_SECONDS = 0.5
pytestmark = [pytest.mark.slow, pytest.mark.nightly]

KILLS = {"grader": 3, "host": 4, "zygote": 4, "job": 15, "worker": 15}


@pytest.mark.parametrize("kind", KILLS)
def test_nothing_is_lost_or_doubled_whatever_is_killed(kind, request):
    outcome = fire(kind, KILLS[kind], size=20, seed=3)
    request.config.stash.setdefault(FAULTS, {})[kind] = outcome
    assert outcome.problems == []
    assert outcome.again == []
    assert outcome.kills == KILLS[kind]


@pytest.fixture(scope="module")
def field() -> Iterator[Field]:
    field = Field()
    seat_class(field, 16)
    yield field
    field.close()


@pytest.fixture(scope="module")
def undisturbed(field) -> Undisturbed:
    expected = Undisturbed.of(field)
    forget(field.out)
    return expected


@pytest.fixture
def out(field, undisturbed) -> Iterator[Path]:
    """A folder without an earlier run."""
    yield field.out
    forget(field.out)


def wait_for_results(out: Path, at_least: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(written(out)) < at_least:
        assert time.monotonic() < deadline, "the run does not get on"
        time.sleep(0.01)


def ended(grader: subprocess.Popen) -> tuple[int, str]:
    said, _ = grader.communicate(timeout=PATIENCE_SECONDS)
    return grader.returncode, said


def test_a_full_disk_is_one_line_and_what_was_written_stays(field, out, undisturbed):
    program = [sys.executable, str(SMALL_DISK), str(out), str(FREE_KB), *command(field)]
    done = subprocess.run(program, capture_output=True, text=True)
    told = json.loads(done.stdout)
    code, line = told["full"]
    assert code == 1, told
    assert line.startswith("grader: failed: ")
    assert "No space left" in line or "full" in line
    assert "the same command again" in line
    assert len(told["written"]) < 16
    assert all(name.endswith(".json") for name in told["written"])
    assert told["mended"][0] == 0
    (out / "ballast").unlink(missing_ok=True)
    assert undisturbed.problems_of(out) == []


def test_a_gradebook_that_is_locked_for_a_while_holds_nobody_up(field, out, undisturbed):
    grader = start(field)
    wait_for_results(out, 2)
    with contextlib.closing(sqlite3.connect(out / "gradebook.db", timeout=60)) as other:
        other.execute("BEGIN EXCLUSIVE")
        wait_for_results(out, 5)
        other.rollback()
    code, said = ended(grader)
    assert code == 0, said
    assert undisturbed.problems_of(out) == []


@pytest.mark.parametrize("and_back", [True, False], ids=["gone and back", "gone"])
def test_a_gradebook_that_is_gone_gets_everything_in_the_end(field, out, undisturbed, and_back):
    grader, book = start(field), out / "gradebook.db"
    wait_for_results(out, 2)
    book.rename(out / "elsewhere.db")
    if and_back:
        wait_for_results(out, 6)
        (out / "elsewhere.db").replace(book)
    code, said = ended(grader)
    (out / "elsewhere.db").unlink(missing_ok=True)
    assert code == 0, said
    assert undisturbed.problems_of(out) == []


def test_a_gradebook_that_cannot_be_written_is_said_before_anything_is_graded(field, out, undisturbed):
    shutil.copy(_empty_gradebook(field), out / "gradebook.db")
    readonly = f"sqlite:///file:{out / 'gradebook.db'}?mode=ro&uri=true"
    code, said = ended(start(field, "--db", readonly))
    assert code == 2
    assert "cannot be opened for writing" in said.splitlines()[-1]
    assert written(out) == {}


def _empty_gradebook(field: Field) -> Path:
    from grader.gradebook import Gradebook

    path = field.root / "empty.db"
    Gradebook(f"sqlite:///{path}").close()
    return path


def test_a_clock_that_jumps_changes_nothing(field, out, undisturbed, tmp_path):
    jumping = """
import random, time
real, drawn = time.time, random.Random(5)
time.time = lambda: real() + drawn.uniform(-1e8, 1e8)
"""
    (tmp_path / "sitecustomize.py").write_text(jumping)
    code, said = ended(start(field, env={**os.environ, "PYTHONPATH": str(tmp_path)}))
    assert code == 0, said
    assert undisturbed.problems_of(out) == []


def test_a_slow_machine_fails_nobody(field, out, undisturbed):
    """Six busy processes on its cores, and workers that are halted now and then, as on a machine that pages or moves."""
    hogs = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(HOGS)]
    grader = start(field)
    halting = threading.Thread(target=_halt_workers, args=(grader,))
    halting.start()
    try:
        code, said = ended(grader)
    finally:
        for hog in hogs:
            hog.kill()
            hog.wait()
        halting.join()
    assert code == 0, said
    assert undisturbed.problems_of(out) == []


def _halt_workers(grader: subprocess.Popen) -> None:
    while grader.poll() is None:
        halted = victims(grader.pid, "worker")
        for sign in (signal.SIGSTOP, signal.SIGCONT):
            for pid in halted:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, sign)
            time.sleep(HALT_SECONDS)


def test_what_lives_long_does_not_grow(request):
    seen = soak(150)
    request.config.stash.setdefault(FAULTS, {})["soak"] = seen
    assert (seen.code, seen.results, seen.left) == (0, 150, [])
    for name in seen.looks:
        memory, descriptors = seen.growth(name)
        assert memory < 24 * MIB, f"{name} has grown by {memory / MIB:.1f} MiB"
        assert descriptors <= 2, f"{name} has {descriptors} more descriptors"
