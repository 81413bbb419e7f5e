"""The zygote's service: sessions, whose sockets carry JSON requests and answers, and the workers spawned through them.

    {"number": 1, "do": "spawn", "limits": {…}}  with two descriptors: the connection, and where output goes
    {"number": 2, "do": "usage", "worker": 0}
    {"number": 3, "do": "kill", "worker": 0, "ending": false}

Every request gets one answer with its number, or an `error`; nonsense too. When the socket closes, its workers are killed.
"""

import json
import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from typing import Any

from grader.sandbox.children import Child
from grader.sandbox.confine import Ground, Post, Serve
from grader.sandbox.loop import Loop
from grader.sandbox.terms import Level, WorkerLimits

MAX_MESSAGE = 1 << 16

Ready = Callable[[Child | None, str | None], None]


class Nursery:
    """The sessions and their workers."""

    def __init__(self, loop: Loop, ground: Ground, serve: Serve, scratch: str, tcp_ruleset: int) -> None:
        self._loop = loop
        self._ground = ground
        self._serve = serve
        self._scratch = scratch
        self._tcp_ruleset = tcp_ruleset
        self._children: list[Child] = []
        self._started = 0

    def accept(self, control: socket.socket) -> None:
        """Open the session whose socket the broker hands over; end with the broker."""
        message, descriptors, *_ = socket.recv_fds(control, MAX_MESSAGE, 1)
        if not message:
            os._exit(0)
        for descriptor in descriptors:
            Line(self._loop, self, socket.socket(fileno=descriptor))

    def spawn(self, limits: WorkerLimits, connection: int, output: int, ready: Ready) -> None:
        """Fork a worker, which takes over the descriptors; `ready` gets it once it serves, or the reason why not."""
        self._children = [child for child in self._children if not child.exit]
        if self._children and self._ground.level is not Level.NAMESPACES:
            return self._spawn_alone(self._children[0], limits, connection, output, ready)
        try:
            scratch = self._new_scratch()
            post = Post(connection, output, scratch, limits, self._serve, tcp_ruleset=self._tcp_ruleset)
            child = Child(self._loop, self._ground, post, lambda error: ready(None if error else child, error))
            self._children.append(child)
        finally:
            os.close(connection)
            os.close(output)

    def _spawn_alone(self, other: Child, limits: WorkerLimits, connection: int, output: int, ready: Ready) -> None:
        """Where workers are not kept apart: wait for one that is ending, refuse to start beside one that is not."""
        if other.doomed:
            return other.kill(then=lambda _: self.spawn(limits, connection, output, ready))
        os.close(connection)
        os.close(output)
        ready(None, "expected one worker at a time at this sandbox level, found another one running; grade one by one")

    def _new_scratch(self) -> str:
        if self._ground.level is Level.NAMESPACES:
            return "/tmp"
        self._started += 1
        folder = os.path.join(self._scratch, str(self._started))
        os.mkdir(folder, 0o700)
        return folder


class Line:
    """One session, as the zygote sees it: a socket that asks, and the workers it has asked for."""

    def __init__(self, loop: Loop, nursery: Nursery, sock: socket.socket) -> None:
        self._loop = loop
        self._nursery = nursery
        self._sock = sock
        self._workers: dict[int, Child] = {}
        self._open = True
        loop.watch(sock.fileno(), self._on_request)

    def _on_request(self) -> None:
        try:
            message, descriptors, *_ = socket.recv_fds(self._sock, MAX_MESSAGE, 2)
        except OSError:
            message, descriptors = b"", []
        if not message:
            return self._close()
        number = None
        try:
            request = json.loads(message)
            number = request["number"]
            self._serve(request, number, descriptors)
        except (ValueError, LookupError, TypeError, AttributeError, OSError, RecursionError) as error:
            self._answer(number, error=f"{type(error).__name__}: {error}")
        finally:
            for descriptor in descriptors:
                os.close(descriptor)

    def _serve(self, request: Mapping[str, Any], number: object, descriptors: list[int]) -> None:
        match request["do"]:
            case "spawn":
                limits = _limits(request["limits"])
                connection, output = descriptors
                descriptors.clear()
                self._nursery.spawn(limits, connection, output, partial(self._on_spawned, number))
            case "usage":
                self._answer(number, **asdict(self._workers[request["worker"]].usage()))
            case "kill":
                worker = self._workers[request["worker"]]
                worker.kill(lambda ended: self._answer(number, **asdict(ended)), ending=bool(request.get("ending")))
            case other:
                raise ValueError(f"expected spawn, usage or kill, found {other!r}")

    def _on_spawned(self, number: object, child: Child | None, error: str | None) -> None:
        if child is None:
            return self._answer(number, error=error)
        if not self._open:
            return child.kill()
        worker = len(self._workers)
        self._workers[worker] = child
        self._answer(number, worker=worker)

    def _answer(self, number: object, **content: object) -> None:
        if self._open:
            try:
                self._sock.send(json.dumps({"number": number, **content}).encode(), socket.MSG_DONTWAIT)
            except OSError:  # gone, or not listening
                self._close()

    def _close(self) -> None:
        if self._open:
            self._open = False
            self._loop.forget(self._sock.fileno())
            self._sock.close()
            for child in self._workers.values():
                child.kill()


def _limits(record: Mapping[str, int]) -> WorkerLimits:
    for name, value in record.items():
        if type(value) is not int or value < 0:
            raise ValueError(f"expected {name} to be a whole number, found {value!r}")
    return WorkerLimits(**record)
