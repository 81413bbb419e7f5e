"""One call on several gloo ranks, each a fork of this process, as `accelerate launch` would start them.

The rendezvous goes through a file, so that no port is needed. A rank that fails or hangs does not hold up the others for
longer than `patience`.
"""

import contextlib
import os
import select
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

from grader.sandbox.codec import Incoming, Outgoing, Refer

GRACE_SECONDS = 1.0  # how long the other ranks may still report after one has failed


class RankFailed(Exception):
    """A rank raised, hung or died; its text says which and how, `account` is the rank's own account of what it raised."""

    def __init__(self, text: str, account: dict[str, Any] | None = None) -> None:
        super().__init__(text)
        self.account = account


class RankKilled(RankFailed):
    """A rank was ended by somebody's SIGKILL: not what its code raised, and perhaps an accident of the machine's."""


@dataclass(frozen=True)
class Summarised:
    """A summary from a rank, to be passed on as it is."""

    kind: str
    content: object


def run_ranks(
    processes: int,
    patience: float,
    call: Callable[[], dict[str, object]],
    account: Callable[[BaseException], dict[str, object]],
    refer: Refer,
) -> list[object]:
    """What `call()` gave on each rank, in rank order.

    Raises:
        RankFailed: naming the first rank that raised, or those still waiting after `patience` seconds.
        RankKilled: one was ended by SIGKILL.
    """
    with tempfile.TemporaryDirectory() as rendezvous:
        ranks = [_fork_rank(rank, processes, f"{rendezvous}/store", call, account, refer) for rank in range(processes)]
        try:
            reports = _collect([pipe for _, pipe in ranks], patience)
            silent = [rank for rank, report in enumerate(reports) if report is None]
            killed = [rank for rank in silent if _was_killed(ranks[rank][0])]
        finally:
            for pid, pipe in ranks:
                os.close(pipe)
                _end(pid)
    if killed:
        raise RankKilled(f"process {killed[0]} of {processes} was ended by SIGKILL")
    raised = [(r["at"], rank, r["raised"]) for rank, r in enumerate(reports) if r and "raised" in r]
    if raised:
        _, rank, first = min(raised)  # who raised first: others fail afterwards because it is gone
        text = f"on process {rank} of {processes}: {first['text']}"
        raise RankFailed(text, {**first, "text": text})
    if silent:
        numbers = ", ".join(map(str, silent))
        raise RankFailed(
            f"process {numbers} of {processes} did not finish within {patience:g} s: it waits for the others "
            "in a collective operation that they do not reach, or it died"
        )
    return [report["ok"] for report in reports if report is not None]


def _fork_rank(rank: int, processes: int, store: str, call: Callable, account: Callable, refer: Refer) -> tuple:
    reading, writing = os.pipe()
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        os.close(writing)
        return pid, reading
    os.close(reading)
    _be_rank(rank, processes, store, call, account, refer, writing)


def _be_rank(rank: int, processes: int, store: str, call, account, refer: Refer, writing: int) -> NoReturn:
    try:
        report = _report_of_rank(rank, processes, store, call, account)
        outgoing = Outgoing(refer)
        parts: list[bytes | memoryview] = [outgoing.header(report), *outgoing.buffers]
        with open(writing, "wb") as pipe:
            for part in parts:
                pipe.write(len(part).to_bytes(8, "little"))
                pipe.write(part)
    finally:
        os._exit(0)  # whatever happens: a rank that went on would be a second worker


def _report_of_rank(rank: int, processes: int, store: str, call: Callable, account: Callable) -> dict[str, object]:
    import torch
    from torch import distributed

    try:
        torch.seed()  # otherwise both ranks inherit one generator state
        os.environ.update(
            RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(processes), LOCAL_WORLD_SIZE=str(processes)
        )
        distributed.init_process_group(
            "gloo", store=distributed.FileStore(store, processes), rank=rank, world_size=processes
        )
        return {"ok": call()}
    except BaseException as error:
        return {"at": time.monotonic(), "raised": account(error)}


def _collect(pipes: list[int], patience: float) -> list[dict[str, Any] | None]:
    """Each rank's report, None from one that gave none in time."""
    received = {pipe: bytearray() for pipe in pipes}
    waiting = set(pipes)
    deadline = time.monotonic() + patience
    while waiting and (left := deadline - time.monotonic()) > 0:
        for pipe in select.select(list(waiting), [], [], left)[0]:
            chunk = os.read(pipe, 1 << 20)
            received[pipe] += chunk
            if not chunk:
                waiting.discard(pipe)
                if "raised" in (_report(received[pipe]) or {"raised": "died"}):
                    deadline = min(deadline, time.monotonic() + GRACE_SECONDS)
    return [None if pipe in waiting else _report(received[pipe]) for pipe in pipes]


def _report(received: bytearray) -> dict[str, Any] | None:
    parts, at = [], 0
    while at < len(received):
        length = int.from_bytes(received[at : at + 8], "little")
        parts.append(received[at + 8 : at + 8 + length])
        at += 8 + length
    if not parts:
        return None
    resolve = lambda kind, content, read: Summarised(content[0], read(content[1]))  # noqa: E731
    return Incoming(parts[1:], resolve).value(bytes(parts[0]))


def _was_killed(pid: int) -> bool:
    """Whether a rank has ended by SIGKILL, or does in a moment: its pipe closes first. It stays to be reaped."""
    deadline = time.monotonic() + GRACE_SECONDS
    while not (ended := os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return ended.si_code == os.CLD_KILLED and ended.si_status == signal.SIGKILL


def _end(pid: int) -> None:
    """End a rank that this process forked, and reap it."""
    with contextlib.suppress(PermissionError):  # an old Landlock lets a process signal itself alone
        os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
