"""The trusted side's view of its workers: a session with the zygote, and the workers spawned through it."""

import contextlib
import fcntl
import itertools
import json
import os
import select
import socket
import threading
import time
from dataclasses import asdict
from typing import Any

from grader.errors import SandboxError
from grader.sandbox.terms import Exit, Usage, WorkerLimits

MAX_MESSAGE = 1 << 16
MAX_OUTPUT = 256 << 10  # bytes kept of what a worker prints
ANSWER_SECONDS = 120  # long enough for a spawn on a crowded machine
SOCKET_BUFFER = 4 << 20
PIPE_BYTES = 1 << 20
CHUNK = 1 << 16
FINISH_SECONDS = 10
FLOOD_PAUSE_SECONDS = 0.01


class Session:
    """A line to the zygote; when it closes, or its process ends, its workers are killed.

    Not for use by several threads at once.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._sock.settimeout(ANSWER_SECONDS)
        self._numbers = itertools.count()

    def spawn(self, limits: WorkerLimits) -> "Worker":
        """A confined worker that has begun to serve.

        Raises:
            SandboxError: it could not be confined, or the zygote is gone.
        """
        ours, theirs = socket.socketpair()
        reading, writing = os.pipe()
        try:
            for end in (ours, theirs):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BUFFER)
                end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SOCKET_BUFFER)
            answer = self.ask("spawn", [theirs.fileno(), writing], limits=asdict(limits))
        except BaseException:
            ours.close()
            os.close(reading)
            raise
        finally:
            theirs.close()
            os.close(writing)
        return Worker(self, answer["worker"], ours, reading)

    def ask(self, do: str, descriptors: list[int] | None = None, **content: Any) -> dict[str, Any]:
        """Send a request and wait for its answer.

        Raises:
            SandboxError: the zygote is gone, does not answer, or answers that it cannot.
        """
        number = next(self._numbers)
        message = json.dumps({"number": number, "do": do, **content}).encode()
        try:
            socket.send_fds(self._sock, [message], descriptors or [])
            while True:
                received = self._sock.recv(MAX_MESSAGE)
                answer = json.loads(received) if received else {"number": number, "error": "it has ended"}
                if answer["number"] == number:
                    break
        except OSError as error:
            raise SandboxError(
                f"expected the sandbox to answer, found: {error}; grade this submission again."
            ) from None
        if "error" in answer:
            raise SandboxError(f"expected the sandbox to {do}, found: {answer['error']}.")
        return answer

    def close(self) -> None:
        """End the session and its workers."""
        self._sock.close()

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Worker:
    """A confined process that runs a submission's code, and everything that comes from it."""

    def __init__(self, session: Session, number: int, connection: socket.socket, output: int) -> None:
        self.connection = connection
        """A stream to what `serve` does there. Nothing that comes from it is to be believed."""
        self._session = session
        self._number = number
        self._output = Drain(output)
        self._exit: Exit | None = None
        self.gone = False
        """It had hung up before it was ended from here."""

    def output(self) -> bytes:
        """The first 256 KiB of what the worker has printed so far."""
        return self._output.taken()

    def usage(self) -> Usage:
        """What its whole tree of processes uses."""
        return Usage(**_without_number(self._session.ask("usage", worker=self._number)))

    def kill(self) -> Exit:
        """End it; returns when nothing of it is left. May be called again."""
        if self._exit is None:
            self.gone = _hung_up(self.connection)
            answer = self._session.ask("kill", worker=self._number, ending=self.gone)
            self._exit = Exit(**_without_number(answer))
            self._output.finish()
            self.connection.close()
        return self._exit


class Drain:
    """Empties a pipe in a thread, so that a worker that prints is never held up, and keeps the beginning."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._kept = bytearray()
        self._lock = threading.Lock()
        os.set_blocking(descriptor, False)
        with contextlib.suppress(OSError):  # a user may have only so much of this
            fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        self._thread = threading.Thread(target=self._run, name="drain", daemon=True)
        self._thread.start()

    def taken(self) -> bytes:
        """What was kept, including what lies in the pipe at this moment."""
        if self._descriptor >= 0:
            self._empty()
        return bytes(self._kept)

    def finish(self) -> None:
        """Take the rest, once nobody is left to write more."""
        self._thread.join(FINISH_SECONDS)
        if not self._thread.is_alive():
            os.close(self._descriptor)
            self._descriptor = -1

    def _run(self) -> None:
        """Empty the pipe whenever there is something, until its end; a flood has to wait a little each time."""
        readable = select.poll()
        readable.register(self._descriptor, select.POLLIN)
        while readable.poll() and self._empty():
            if len(self._kept) >= MAX_OUTPUT:
                time.sleep(FLOOD_PAUSE_SECONDS)

    def _empty(self) -> bool:
        """Take what the pipe holds now (at most what fits into it); False at its end."""
        with self._lock, contextlib.suppress(BlockingIOError):
            for _ in range(PIPE_BYTES // CHUNK):
                chunk = os.read(self._descriptor, CHUNK)
                if not chunk:
                    return False
                self._kept += chunk[: MAX_OUTPUT - len(self._kept)]
        return True


def _hung_up(connection: socket.socket) -> bool:
    """Whether the other side has closed, as a process does when it ends."""
    if connection.fileno() < 0:
        return False
    events = select.poll()
    events.register(connection, 0)  # a hang-up is always reported
    return bool(events.poll(0))


def _without_number(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name != "number"}
