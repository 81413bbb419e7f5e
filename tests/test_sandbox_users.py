"""As whom the sandbox can be started, and at which level it then is."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "sandbox_programs"))
from as_somebody import USER
from harness import PROGRAMS, REPOSITORY, below, inmate, start

from grader.sandbox.launch import Level
from grader.sandbox.linux import INSIDE_ID
from grader.sandbox.probe import best_level, probe
from grader.sandbox.terms import UNPRIVILEGED_USER

IDLE = 2  # the keeper and the zygote
AS = [sys.executable, str(PROGRAMS / "as_somebody.py")]
STARTS_AT_THE_BEST_LEVEL = """
import json
from harness import start, inmate
with start(None) as sandbox, inmate(sandbox) as inside:
    facts = {"level": sandbox.level, "reason": sandbox.reason, "uid": inside.where()["uid"]}
    print(json.dumps({**facts, "read": inside.read(json.__file__), "memory": inside.worker.usage().memory_bytes}))
"""
MUST_BE_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


class TestAsWhom:
    @MUST_BE_ROOT
    @pytest.mark.slow
    def test_an_ordinary_user_gets_the_same_walls(self):
        start(Level.NAMESPACES).close()
        tests = [str(Path(__file__).with_name(name)) for name in ("test_sandbox.py", "test_sandbox_limits.py")]
        with tempfile.TemporaryDirectory() as folder:  # pytest refuses one that another nameless user has made before
            os.chown(folder, USER, USER)
            done = subprocess.run(
                [*AS, "ordinary", sys.executable, "-m", "pytest", *tests, "-q", "-p", "no:cacheprovider"],
                cwd=REPOSITORY,
                env={**os.environ, "HOME": folder, "PYTEST_DEBUG_TEMPROOT": folder},
                capture_output=True,
                text=True,
            )
        assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
        assert "this machine has no" not in done.stdout

    @MUST_BE_ROOT
    def test_without_user_namespaces_the_level_falls_and_says_so(self):
        start(Level.LANDLOCK).close()
        found = _best_level("no-namespaces")
        assert found["level"] == "landlock"
        assert found["reason"].startswith("namespaces refused: [Errno 28] unshare")

    @MUST_BE_ROOT
    def test_a_containers_root_gets_an_unprivileged_worker(self):
        start(Level.LANDLOCK).close()
        found = _best_level("container-root")
        assert found["level"] in ("namespaces", "landlock")  # landlock where Python lies in root's home
        assert found["uid"] == (INSIDE_ID if found["level"] == "namespaces" else UNPRIVILEGED_USER)
        assert found["read"].startswith('r"""JSON')
        assert found["memory"] > 0

    def test_python_may_lie_where_scratch_will_be(self, tmp_path):
        start(Level.NAMESPACES).close()
        folder = tmp_path / "a path with spaces"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
        program = (
            "import sys, pathlib; sys.path[:0] = sys.argv[1:3]\n"
            "from grader.sandbox.launch import *\n"
            "with Sandbox.start(preload=['json'], warm_up=None, serve='inmate:serve', readable=[], level='namespaces',\n"
            "    canary=pathlib.Path(sys.argv[3]), imports_from=[pathlib.Path(sys.argv[2])]) as sandbox:\n"
            "    worker = Session(sandbox.open_session()).spawn(WorkerLimits())\n"
            '    worker.connection.send(b\'["run", [["%s", "-c", "print(7)"]]]\' % sys.executable.encode())\n'
            "    print(sys.prefix, worker.connection.recv(1000).decode())\n"
        )
        python = folder / "bin" / "python"
        hidden = tmp_path / "hidden"
        hidden.mkdir()
        command = [python, "-c", program, REPOSITORY, PROGRAMS, hidden]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.stdout.strip() == f'{folder} {{"value": "7\\n"}}', done.stderr

    def test_none_is_for_those_who_ask(self):
        with start(Level.NONE) as sandbox, inmate(sandbox) as inside:
            assert sandbox.reason == "no confinement"
            assert inside.where()["uid"] == os.getuid()
            inside.leave_daemon()
            inside.worker.kill()
            assert len(below(sandbox)) == IDLE

    def test_the_best_level_is_taken(self):
        with start(None) as sandbox:
            assert sandbox.level is best_level(probe())


def _best_level(who: str) -> dict:
    """What a sandbox started by somebody else is like."""
    environment = {**os.environ, "PYTHONPATH": str(PROGRAMS)}
    command = [*AS, who, sys.executable, "-c", STARTS_AT_THE_BEST_LEVEL]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
