"""Away from Linux: what students use runs without what only Unix has, and grading asks for trust."""

import subprocess
import sys
from pathlib import Path

import pytest
import tiny_course
from tiny_desk import write_desk

# Windows has none of these; they are taken away before the first import of ours.
WITHOUT_UNIX = """
import asyncio, importlib.abc, multiprocessing.connection, os, signal, sys, tempfile, zipfile

class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name in ("fcntl", "resource", "termios", "pty", "syslog"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

for name in ("fcntl", "resource", "termios", "pty", "syslog"):
    sys.modules.pop(name, None)
sys.meta_path.insert(0, Absent())
for module, names in ((os, ("fork", "setsid", "killpg", "geteuid", "O_NOFOLLOW")), (signal, ("SIGUSR1", "SIGALRM"))):
    for name in names:
        delattr(module, name)
"""


def run(program: str, *words: object, where: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", WITHOUT_UNIX + program, *map(str, words)]
    return subprocess.run(command, cwd=where, capture_output=True, text=True, timeout=300)


def test_the_self_checks_run(tmp_path):
    done = run(
        "from grader.cli import main; sys.argv[0] = 'grader'; main()", "check", where=write_desk(tmp_path / "work")
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Task 1  sums.py        ✓✓  2 of 2" in done.stdout
    assert "figures/plots_draw.png" in done.stdout


@pytest.mark.parametrize(
    "module", ["desk.watching", "desk.warm", "desk.rounds", "page", "jupyter", "release", "trusting"]
)
def test_what_students_and_authors_use_is_imported(tmp_path, module):
    done = run(f"import grader.{module}", where=tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("system", ["darwin", "win32"])
def test_without_a_sandbox_grading_asks_for_trust(tmp_path, system):
    course = tiny_course.write_course(tmp_path)
    (tmp_path / "class" / "ada").mkdir(parents=True)
    (tmp_path / "class" / "ada" / "sums.py").write_text("def total(values):\n    return sum(values)\n")
    words = ("grade", "tiny", tmp_path / "class", "--out", tmp_path / "out", "--course", course)
    told = (
        f"types.SimpleNamespace(platform={system!r}, stdout=sys.stdout, stderr=sys.stderr)"  # libraries see Linux still
    )
    program = f"import types, grader.cli; grader.cli.marking.sys = {told}; sys.argv[0] = 'grader'; grader.cli.main()"
    done = run(program, *words, where=tmp_path)
    assert done.returncode == 2
    assert done.stderr == (
        f"grader: expected Linux for the sandbox, found {system}; --trust-submissions grades without one.\n"
    )
    assert not (tmp_path / "out").exists()


def test_on_trust_submissions_are_graded(tmp_path):
    course = tiny_course.write_course(tmp_path)
    (tmp_path / "class" / "ada").mkdir(parents=True)
    for name, text in tiny_course.RIGHT.items():
        (tmp_path / "class" / "ada" / name).write_text(text if isinstance(text, str) else text.decode())
    words = ("grade", "tiny", tmp_path / "class", "--out", tmp_path / "out", "--course", course, "--trust-submissions")
    done = run("from grader.cli import main; sys.argv[0] = 'grader'; main()", *words, where=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 graded, 0 invalid, 0 failed in the grader" in done.stdout
