"""How workers, sessions and the sandbox begin and end, and as whom it runs."""

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "sandbox_programs"))
from harness import PROGRAMS, Inmate, Raised, below, inmate, start, wait_until

from grader.errors import SandboxError
from grader.sandbox.launch import Level, Session, WorkerLimits

IDLE = 2  # the keeper and the zygote


@pytest.fixture(scope="module", params=[Level.NAMESPACES, Level.LANDLOCK], ids=str)
def sandbox(request):
    with start(request.param) as sandbox:
        yield sandbox


class TestKill:
    def test_nothing_is_left(self, sandbox):
        with Session(sandbox.open_session()) as session:
            worker = session.spawn(WorkerLimits())
            inside = Inmate(worker)
            inside.leave_daemon()
            inside.fork_until_refused(5)
            assert len(below(sandbox)) >= IDLE + 7
            assert worker.kill().status is None
            assert len(below(sandbox)) == IDLE
            assert worker.kill().status is None  # again is no mistake

    def test_a_worker_that_ended_takes_its_daemons_along(self, sandbox):
        with inmate(sandbox) as inside:
            inside.leave_daemon()
            inside.send("leave", 7)
            wait_until(lambda: len(below(sandbox)) == IDLE, "the end of the daemon")
            assert inside.worker.kill().status == 7

    def test_the_signal_that_ended_it_is_told(self, sandbox):
        with inmate(sandbox) as inside:
            inside.send("die", signal.SIGSEGV)
            assert inside.worker.connection.recv(1) == b""
            assert inside.worker.kill().status == 128 + signal.SIGSEGV

    def test_it_does_not_wait_for_a_busy_worker(self, sandbox):
        with inmate(sandbox) as inside:
            inside.send("spin", 600)
            assert inside.worker.kill().status is None

    def test_last_words_are_kept(self, sandbox):
        with inmate(sandbox) as inside:
            inside.say("last words")
            inside.worker.kill()
            assert inside.worker.output() == b"last words\n"


class TestSessions:
    def test_closing_ends_the_workers(self, sandbox):
        session = Session(sandbox.open_session())
        Inmate(session.spawn(WorkerLimits())).leave_daemon()
        assert len(below(sandbox)) > IDLE
        session.close()
        wait_until(lambda: len(below(sandbox)) == IDLE, "the end of the worker")

    def test_closing_while_a_worker_is_confined_ends_it(self, sandbox):
        ours, theirs = socket.socketpair()
        connection = sandbox.open_session()
        request = json.dumps({"number": 0, "do": "spawn", "limits": {}}).encode()
        socket.send_fds(connection, [request], [theirs.fileno(), theirs.fileno()])
        connection.close()
        theirs.close()
        with ours:
            assert ours.recv(1) == b""
        wait_until(lambda: len(below(sandbox)) == IDLE, "the end of the worker")

    def test_the_next_worker_need_not_wait_for_the_end_of_the_last(self, sandbox):
        for _ in range(5):
            session = Session(sandbox.open_session())
            assert Inmate(session.spawn(WorkerLimits())).echo(1) == 1
            session.close()

    def test_two_at_once_do_not_meet(self, sandbox):
        if sandbox.level is not Level.NAMESPACES:
            pytest.skip("only namespaces can do that")
        with inmate(sandbox) as one, inmate(sandbox) as other:
            for path in ("/tmp/secret", "/dev/shm/secret"):
                one.write(path)
                assert not other.exists(path)
            assert one.visible_processes() == other.visible_processes()
            with contextlib.suppress(Raised):
                other.signal_group(9)
            assert one.echo("alive") == other.echo("alive") == "alive"
            with pytest.raises(Raised, match="ConnectionRefused"):
                other.connect(["127.0.0.1", one.open_server()])

    def test_one_at_a_time_without_namespaces(self, sandbox):
        if sandbox.level is not Level.LANDLOCK:
            pytest.skip("only where workers are not kept apart")
        with inmate(sandbox) as first, Session(sandbox.open_session()) as second:
            with pytest.raises(SandboxError, match="expected one worker at a time"):
                second.spawn(WorkerLimits())
            assert first.echo(1) == 1

    def test_scratch_is_wiped(self, sandbox):
        with inmate(sandbox) as inside:
            scratch = Path(inside.where()["folder"])
            clean = inside.entries(str(scratch))  # what is shown in /tmp, where the checkout itself lies there
            inside.make_deep_mess(1100)  # deeper than Python's recursion limit
            assert inside.entries(str(scratch)) != clean
        with inmate(sandbox) as inside:
            assert inside.entries(inside.where()["folder"]) == clean
        assert sandbox.level is Level.NAMESPACES or not scratch.exists()
        assert Path("/etc/passwd").exists()

    @pytest.mark.parametrize(
        "message",
        [
            b"\xff\x00",
            b"[]",
            b"{}",
            b"null",
            b'{"number": 1}',
            b'{"number": 1, "do": "dance"}',
            b'{"number": 1, "do": "spawn", "limits": {}}',
            b'{"number": 1, "do": "spawn", "limits": {"scratch_mb": "1,mode=777"}}',
            b'{"number": 1, "do": "spawn", "limits": {"wings": 2}}',
            b'{"number": 1, "do": "spawn", "limits": []}',
            b'{"number": 1, "do": "kill", "worker": 7}',
            b'{"number": 1, "do": "usage", "worker": [1]}',
            b"[" * 30_000,
            b"x" * 200_000,
        ],
        ids=lambda message: repr(message[:60]),
    )
    def test_nonsense_gets_an_error(self, sandbox, message):
        with sandbox.open_session() as line:
            line.settimeout(60)
            line.send(message)
            assert "error" in json.loads(line.recv(1 << 16))
        with inmate(sandbox) as inside:
            assert inside.echo(1) == 1

    def test_descriptors_that_nobody_asked_for_are_dropped(self, sandbox):
        reading, writing = os.pipe()
        with sandbox.open_session() as line:
            socket.send_fds(line, [b"{}"], [writing, writing])
            os.close(writing)
            assert "error" in json.loads(line.recv(1 << 16))
            assert os.read(reading, 1) == b""
        os.close(reading)

    def test_limits_that_cannot_be_are_an_error(self, sandbox):
        with (
            Session(sandbox.open_session()) as session,
            pytest.raises(SandboxError, match="expected the sandbox to spawn"),
        ):
            session.spawn(WorkerLimits(memory_mb=1 << 60))

    def test_a_client_that_does_not_listen_holds_up_nobody(self, sandbox):
        with sandbox.open_session() as deaf:
            deaf.settimeout(60)
            with contextlib.suppress(OSError):
                for _ in range(10_000):
                    deaf.send(b"{}")
            with inmate(sandbox) as inside:
                assert inside.echo(1) == 1


class TestEnds:
    @pytest.mark.parametrize("level", [Level.NAMESPACES, Level.LANDLOCK], ids=str)
    def test_all_ends_with_a_killed_broker(self, level):
        start(level).close()  # skips where there is no such level
        with subprocess.Popen(
            [sys.executable, str(PROGRAMS / "broker.py"), level], stdout=subprocess.PIPE, text=True
        ) as broker:
            facts = json.loads(broker.stdout.readline())
            pids = facts["pids"]
            assert len(pids) >= IDLE + 2
            ends = select.poll()
            handles = [os.pidfd_open(pid) for pid in pids]
            for handle in handles:
                ends.register(handle, select.POLLIN)
            broker.kill()
        left = Path(facts["scratch"])
        wait_until(lambda: level is Level.NAMESPACES or not left.exists(), "the end of the scratch folder")
        wait_until(lambda: len(ends.poll(0)) == len(handles), "the end of every process")
        for handle in handles:
            os.close(handle)

    def test_closing_leaves_nothing(self):
        with start(Level.NAMESPACES) as sandbox, Session(sandbox.open_session()) as session:
            session.spawn(WorkerLimits())
            assert sandbox.alive
        assert not sandbox.alive
        assert below(sandbox) == []
        with pytest.raises(SandboxError, match="expected the sandbox to be alive"):
            sandbox.open_session()

    def test_a_dead_zygote_is_an_error_not_a_hang(self):
        with start(Level.NAMESPACES) as sandbox, Session(sandbox.open_session()) as session:
            worker = session.spawn(WorkerLimits())
            os.kill(below(sandbox)[1], signal.SIGKILL)
            with pytest.raises(SandboxError, match="expected the sandbox to"):
                worker.usage()
            wait_until(lambda: not sandbox.alive, "the keeper to notice")

    def test_a_failing_warm_up_is_told_in_a_line(self):
        for more, text in (
            ({"preload": ["no_such_module"]}, "No module named 'no_such_module'"),
            ({"warm_up": "greed:start_thread"}, "expected one thread after the warm-up, found 2"),
            ({"warm_up": "greed:leave_now"}, "its process ended with"),
        ):
            with pytest.raises(SandboxError, match=text) as caught:
                start(Level.NAMESPACES, **more)
            assert "\n" not in str(caught.value)
