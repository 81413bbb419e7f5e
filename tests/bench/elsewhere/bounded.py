"""Runs that end: in a time limit, in a process group of their own, and with a list of what outlived them."""

import contextlib
import os
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from grader.sandbox import linux, processes

GRACE_SECONDS = 5  # for helpers that end by themselves when the run has ended


@dataclass
class Ended:
    """What is known of a run that has ended."""

    code: int | None
    """None: it was ended at the limit."""
    said: str
    seconds: float
    left: list[str] = field(default_factory=list)
    """Names of processes that outlived a run that ended by itself."""


def run(command: Sequence[str], where: Path, environment: Mapping[str, str], limit: float) -> Ended:
    """Run a command, and end everything that it left."""
    linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 1)  # who loses its parent comes to us
    with tempfile.TemporaryFile() as said:
        started = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=where,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        code, left, seconds = None, [], limit
        try:
            code = process.wait(limit)
            seconds = time.perf_counter() - started
            left = what_is_left(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
        finally:
            end_what_is_left()
        said.seek(0)
        return Ended(code, said.read().decode("utf-8", "replace"), seconds, left)


def what_is_left(grace: float) -> list[str]:
    """Names of this process's descendants that are still there after `grace` seconds."""
    deadline = time.monotonic() + grace
    while (left := _descendants()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return [_name(pid) for pid in left]


def end_what_is_left() -> None:
    """End this process's descendants, by pid."""
    while left := _descendants():
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)


def _descendants() -> list[int]:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    return [process.pid for process in processes.tree(os.getpid())[1:] if process.running]


def _name(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text("utf-8", "replace").strip()
    return str(pid)


class Collector:
    """A server on loopback, in the place of one somewhere else: what arrives here has got out."""

    def __init__(self) -> None:
        self.got = b""
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                caller, _ = self._server.accept()
                with caller, contextlib.suppress(OSError):
                    caller.settimeout(5)
                    while data := caller.recv(1 << 16):
                        self.got += data

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits for callers
        self._server.close()


@contextlib.contextmanager
def collecting() -> Iterator[Collector]:
    """A collector for the time of a run."""
    collector = Collector()
    try:
        yield collector
    finally:
        collector.close()
