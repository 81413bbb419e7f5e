"""What the sandbox's tests share: a light sandbox whose workers run `inmate.py`, and looks at it from outside."""

import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from grader.sandbox import processes
from grader.sandbox.launch import Level, Sandbox, Session, Worker, WorkerLimits
from grader.sandbox.probe import Mechanism, probe

PROGRAMS = Path(__file__).parent
REPOSITORY = PROGRAMS.parents[1]
PATIENCE_SECONDS = 60


class Raised(Exception):
    """What a call inside raised, by name; `errno` if it has one."""

    def __init__(self, name: str, errno: int | None, text: str) -> None:
        super().__init__(f"{name}: {text}")
        self.name, self.errno = name, errno


class Inmate:
    """A worker that runs functions of `inmate.py`: `inmate.read("/etc/shadow")`."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        worker.connection.settimeout(PATIENCE_SECONDS)

    def __getattr__(self, function: str) -> Any:
        def call(*arguments: object) -> Any:
            self.send(function, *arguments)
            answer = json.loads(self.worker.connection.recv(1 << 20) or '{"raised": "EOFError", "text": "it ended"}')
            if "raised" in answer:
                raise Raised(answer["raised"], answer.get("errno"), answer["text"])
            return answer["value"]

        return call

    def send(self, function: str, *arguments: object) -> None:
        """Start a call without waiting for its answer."""
        self.worker.connection.sendall(json.dumps([function, arguments]).encode())


@cache
def what_there_is() -> list[Mechanism]:
    return probe()


def start(level: Level | None, canary: Path | None = None, **more: Any) -> Sandbox:
    """A light sandbox; skips the test where this machine lacks what the level needs."""
    mechanisms = what_there_is()
    needs = {Level.NAMESPACES: mechanisms, Level.LANDLOCK: [one for one in mechanisms if one.name == "Landlock"]}
    if lacking := [one.name for one in needs.get(level, []) if not one.available]:
        pytest.skip(f"this machine has no {', '.join(lacking)}")
    with tempfile.TemporaryDirectory() as hidden:
        settings = {"preload": ["numpy"], "warm_up": None, "serve": "inmate:serve", "readable": []}
        return Sandbox.start(
            **{**settings, **more}, canary=canary or Path(hidden), level=level, imports_from=[PROGRAMS]
        )


@contextmanager
def inmate(sandbox: Sandbox, **limits: int) -> Iterator[Inmate]:
    """One inmate in a session of its own."""
    with Session(sandbox.open_session()) as session:
        worker = session.spawn(WorkerLimits(**limits))
        try:
            yield Inmate(worker)
        finally:
            worker.kill()


def refused(call: Any, *arguments: object) -> int | None:
    """The errno with which a call inside fails."""
    with pytest.raises(Raised) as caught:
        call(*arguments)
    return caught.value.errno


def below(sandbox: Sandbox) -> list[int]:
    """Processes of the sandbox, seen from outside: without workers, the keeper and the zygote alone."""
    return [process.pid for process in processes.tree(sandbox.pid)]


def wait_until(condition: Any, what: str) -> None:
    """Fail if `condition()` does not come true; how fast it does is not judged."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"waited in vain for {what}")
        time.sleep(0.01)
