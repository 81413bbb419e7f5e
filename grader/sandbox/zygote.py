"""The zygote: a warm process that has imported everything and forks one confined worker for each request.

It runs no submission code itself. One poll loop serves all sessions (`service.py`) and waits for none of them.
"""

import gc
import importlib
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn

from grader.sandbox import landlock, linux, processes
from grader.sandbox.canary import EXPOSED, HIDDEN, try_to_read
from grader.sandbox.children import Child
from grader.sandbox.collapse import collapse
from grader.sandbox.confine import Ground, Serve
from grader.sandbox.loop import Loop
from grader.sandbox.service import Nursery
from grader.sandbox.terms import Level, WorkerLimits

TRIAL_SECONDS = 30
PORTS_FOR_ANYBODY = "/proc/sys/net/ipv4/ip_local_port_range"  # where the kernel puts servers that name no port


@dataclass(frozen=True)
class Orders:
    """The broker's word to a new zygote."""

    ground: Ground
    preload: list[str]
    warm_up: str | None
    serve: str
    imports_from: list[str]
    canary: str
    """A file that must not be readable from within; empty to try none."""
    scratch: str
    """Where workers without a file system of their own get theirs."""
    user: int | None
    """Whom to become first; None if that has been done, or if there is no need."""

    @classmethod
    def from_json(cls, message: bytes) -> "Orders":
        record = json.loads(message)
        ground = record.pop("ground")
        lists = {name: tuple(ground[name]) for name in ("readable", "kept", "capabilities")}
        return cls(Ground(**{**ground, **lists, "level": Level(ground["level"])}), **record)


class Refused(Exception):
    """What the level needs is not to be had on this machine."""


def shared_network(level: Level) -> int:
    """What workers without a network of their own get of the machine's, so that a process group's ranks can meet: a
    Landlock ruleset, made once for all since it is long; -1 if they get nothing."""
    if level is not Level.LANDLOCK or not landlock.restricts_tcp():
        return -1
    with open(PORTS_FOR_ANYBODY) as file:
        first, last = map(int, file.read().split())
    return landlock.tcp_ruleset(range(first, last + 1))


def named(path: str) -> Callable[..., Any]:
    """The function that `module:function` names."""
    module, _, function = path.partition(":")
    return getattr(importlib.import_module(module), function)


def hold_trial(loop: Loop, orders: Orders, tcp_ruleset: int) -> bool:
    """Confine a first worker before anything heavy is imported; says whether the canary is out of its reach.

    Raises:
        Refused: a worker cannot be confined at this level.
    """
    ours, theirs = socket.socketpair()
    ours.settimeout(TRIAL_SECONDS)
    answers: list[tuple[Child | None, str | None]] = []
    nursery = Nursery(loop, orders.ground, partial(try_to_read, orders.canary), orders.scratch, tcp_ruleset)
    output = os.open("/dev/null", os.O_WRONLY)
    nursery.spawn(WorkerLimits(), theirs.detach(), output, lambda child, error: answers.append((child, error)))
    while not answers:
        loop.turn()
    child, error = answers[0]
    if child is None:
        raise Refused(error)
    said = ours.recv(16)
    child.kill()
    while not child.exit:
        loop.turn()
    if said not in (HIDDEN, EXPOSED):
        raise Refused("the first worker ended before it had tried to read the canary")
    return said == HIDDEN


def warm_up(orders: Orders) -> tuple[Serve, dict[str, float]]:
    """Import and touch what workers need, and arrange memory for cheap forks; gives `serve` and seconds by step.

    Raises:
        RuntimeError: it left threads behind, which a fork would not carry along.
    """
    seconds: dict[str, float] = {}
    started = time.monotonic()

    def mark(step: str) -> None:
        seconds[step] = round(time.monotonic() - started - sum(seconds.values()), 3)

    sys.path += orders.imports_from
    for module in orders.preload:
        importlib.import_module(module)
    serve = named(orders.serve)
    mark("imports")
    if orders.warm_up:
        named(orders.warm_up)()
    mark("warm_up")
    names = processes.thread_names()
    if len(names) > 1:
        raise RuntimeError(f"expected one thread after the warm-up, found {len(names)}: {', '.join(names)}")
    gc.collect()
    collapse()
    gc.freeze()
    mark("memory")
    return serve, seconds


def main(number: int) -> NoReturn:
    """Be the zygote on the inherited control socket `number`, until the broker closes it."""
    control = socket.socket(fileno=number)
    control.set_inheritable(False)
    loop = Loop()
    tell = lambda **message: control.send(json.dumps(message).encode())  # noqa: E731
    orders = Orders.from_json(control.recv(1 << 20))
    linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 1)
    if orders.user is not None:
        linux.become(orders.user, keep=orders.ground.capabilities)
        linux.drop_capabilities(keep=orders.ground.capabilities)
        linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)  # forgotten when the ids changed
    try:
        tcp_ruleset = shared_network(orders.ground.level)
        if orders.canary and not hold_trial(loop, orders, tcp_ruleset):
            tell(exposed=orders.canary)
            os._exit(1)
        serve, seconds = warm_up(orders)
    except Refused as refused:
        tell(refused=str(refused))
        os._exit(1)
    except Exception as error:
        tell(failed=f"{type(error).__name__}: {error}")
        raise
    nursery = Nursery(loop, orders.ground, serve, orders.scratch, tcp_ruleset)
    loop.watch(number, lambda: nursery.accept(control))
    tell(ready=seconds)
    while True:
        loop.turn()
