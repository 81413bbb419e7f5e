"""`grader watch`, driven as a student drives it: at a terminal, with an editor that writes aside and renames."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from interrupts import heed
from tiny_desk import CHECK_BONUS, PLOTS, SUMS, write_desk

pty = pytest.importorskip("pty")
GRADER = Path(sys.executable).with_name("grader")
PATIENCE = 180  # seconds; a busy machine needs most of a minute to import torch
LIMIT = 8  # seconds for a check
COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
ROUND_ENDS = "Checked in"


class Terminal:
    """A terminal with `grader watch` in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ours, theirs = pty.openpty()
        os.set_blocking(self._ours, False)
        self.process = subprocess.Popen(
            [GRADER, "watch", folder, f"--limit={LIMIT}"],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=_take_the_terminal,
            env={**os.environ, "COLUMNS": "150"},
        )
        os.close(theirs)
        self._text, self._read = "", 0

    def until(self, pattern: str) -> str:
        """What was written since the last time, up to what fits."""
        end = time.monotonic() + PATIENCE
        while not (found := re.compile(pattern).search(self._text, self._read)):
            assert time.monotonic() < end, f"no {pattern!r} in {self._text[self._read :]}"
            time.sleep(0.02)
            self._take()
        told, self._read = self._text[self._read : found.end()], found.end()
        return told

    def _take(self) -> None:
        try:
            more = os.read(self._ours, 65536).decode("utf-8", "replace")
        except (BlockingIOError, OSError):
            more = ""
        self._text = COLOURS.sub("", self._text + more).replace("\r", "")

    def save(self, name: str, text: str) -> None:
        """As editors do it: written aside, then renamed."""
        aside = self.folder / f".{name}.swp"
        aside.write_text(text)
        os.replace(aside, self.folder / name)

    def round_after(self, name: str, text: str) -> str:
        """What is told of a save."""
        self.save(name, text)
        self.until(rf"{re.escape(name)} saved: ")
        return self.until(ROUND_ENDS)

    def type(self, keys: bytes) -> None:
        os.write(self._ours, keys)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._ours)


def _take_the_terminal() -> None:
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    heed()


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def children(pid: int) -> list[int]:
    """Processes that it started; Linux alone tells."""
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in path.read_text().split()] if path.exists() else []


@pytest.fixture(scope="module")
def at_work(tmp_path_factory):
    terminal = Terminal(write_desk(tmp_path_factory.mktemp("desk") / "work"))
    yield terminal
    terminal.close()


@pytest.fixture(scope="module")
def first(at_work) -> str:
    return at_work.until(ROUND_ENDS)


@pytest.fixture
def terminal(at_work, first):
    """At the start of each test nothing is wrong but what is to do."""
    return at_work


def test_everything_is_checked_at_the_start(first):
    assert re.search(r"Task 1  sums\.py +✓✓ +2 of 2", first)
    assert re.search(r"Bonus   bonus\.py +· +to do", first)
    assert "figures/plots_draw.png" in first


def test_a_mistake_is_named_until_it_is_mended(terminal):
    told = terminal.round_after("sums.py", SUMS.replace("sum(values)", "max(values)"))
    assert "test_sums_total" in told
    assert re.search(r"Case: +1 and 2\nExpected: 3", told)
    assert re.search(r"Task 1  sums\.py +✗✗", told)
    assert re.search(r"Task 2  plots\.py +✗", told)  # it imports the file
    told = terminal.round_after("sums.py", SUMS)
    assert "FAILURES" not in told
    assert re.search(r"Task 2  plots\.py +✓", told)


def test_two_saves_within_a_second_of_the_same_length_are_two(terminal):
    for mark, sign in [("✗", "-"), ("✓", "+"), ("✗", "*"), ("✓", "+")]:
        told = terminal.round_after("bonus.py", f"def more(n):\n    return n {sign} 1\n")
        assert re.search(rf"Bonus   bonus\.py +{mark}", told)


def test_a_broken_file_is_told_once(terminal):
    told = terminal.round_after("sums.py", SUMS + "\ndef total(:\n")
    assert told.count("importing sums.py raised SyntaxError") == 1
    assert "Also waiting for a file that Python can import: sums_mean" in told
    assert "Traceback" not in told
    assert "FAILURES" not in terminal.round_after("sums.py", SUMS)


def test_a_helper_is_missed_until_it_is_there(terminal):
    told = terminal.round_after("plots.py", PLOTS.replace("from sums import total", "from tools import total"))
    assert "No module named 'tools'" in told
    told = terminal.round_after("tools.py", SUMS)
    assert re.search(r"Task 2  plots\.py +✓", told)
    told = terminal.round_after("tools.py", SUMS.replace("sum(values)", "-1"))
    assert re.search(r"Task 2  plots\.py +✗", told)
    assert re.search(r"Task 2  plots\.py +✓", terminal.round_after("plots.py", PLOTS))


def test_a_new_check_is_found(terminal):
    extra = '\n\n@check(title="none of nothing", hint="0")\ndef test_bonus_none(student):\n    require_equal(2, 3, "never")\n'
    told = terminal.round_after("test_public_bonus.py", CHECK_BONUS + extra)
    assert "test_bonus_none" in told
    assert re.search(r"Task 1  sums\.py +✓✓", told)
    assert "test_bonus_none" not in terminal.round_after("test_public_bonus.py", CHECK_BONUS)


def test_an_endless_loop_is_stopped(terminal):
    told = terminal.round_after("bonus.py", "def more(n):\n    while True:\n        n += 1\n")
    assert f"bonus.more was still running after {LIMIT} s: stopped" in told
    assert re.search(r"Bonus   bonus\.py +✓", terminal.round_after("bonus.py", "def more(n):\n    return n + 1\n"))


def test_a_save_ends_an_endless_loop(terminal):
    terminal.save("bonus.py", "def more(n):\n    open('running.txt', 'w').close()\n    while True:\n        n += 1\n")
    wait_for((terminal.folder / "running.txt").exists)
    told = terminal.round_after("bonus.py", "def more(n):\n    return n + 1\n")
    assert "still running" not in told
    assert re.search(r"Bonus   bonus\.py +✓", told)


def test_code_that_ends_the_process_does_not_end_the_watching(terminal):
    terminal.save("bonus.py", "import os\n\ndef more(n):\n    os._exit(3)\n")
    told = terminal.until("Mend this and save")
    assert "bonus.bonus_more: the process ended (exit code 3)" in told
    told = terminal.round_after("bonus.py", "def more(n):\n    return n + 1\n")
    assert re.search(r"Task 1  sums\.py +✓✓", told)
    assert re.search(r"Bonus   bonus\.py +✓", told)


def test_ctrl_c_ends_it_and_what_it_started(terminal):
    started = children(terminal.process.pid)
    terminal.type(b"\x03")
    assert terminal.process.wait(PATIENCE) == 0
    wait_for(lambda: not any(map(is_alive, started)))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_it_can_be_ended_from_outside(tmp_path, number):
    terminal = Terminal(write_desk(tmp_path / "work"))
    terminal.until("Warming up for Tiny")
    terminal.process.send_signal(number)
    assert terminal.process.wait(PATIENCE) == 128 + number
    terminal.close()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent was killed")
def test_a_watcher_that_is_killed_leaves_no_endless_loop(tmp_path):
    terminal = Terminal(write_desk(tmp_path / "work"))
    terminal.until(ROUND_ENDS)
    started = [
        pid for pid in children(terminal.process.pid) if "spawn_main" in Path(f"/proc/{pid}/cmdline").read_text()
    ]
    assert len(started) == 1
    terminal.save("sums.py", "from pathlib import Path\nPath('in the loop').touch()\nwhile True:\n    pass\n")
    wait_for((tmp_path / "work" / "in the loop").exists)
    terminal.process.kill()
    wait_for(lambda: not any(map(is_alive, started)))
    terminal.close()


def test_checks_that_cannot_be_collected_are_told_and_mended(tmp_path):
    terminal = Terminal(write_desk(tmp_path / "work"))
    try:
        terminal.until(ROUND_ENDS)
        terminal.save("test_public_bonus.py", "import nowhere\n")
        assert "No module named 'nowhere'" in terminal.until("nowhere'")
        told = terminal.round_after("test_public_bonus.py", CHECK_BONUS)
        assert re.search(r"Task 1  sums\.py +✓✓", told)
    finally:
        terminal.close()
