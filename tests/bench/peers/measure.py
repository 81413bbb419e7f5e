"""What a command costs: wall and CPU seconds of all of its processes, and the most memory that they held together."""

import os
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.sandbox import processes

LOOK_SECONDS = 0.5
SINGLE = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


@dataclass(frozen=True)
class Cost:
    """Seconds, and bytes at the peak."""

    wall: float = 0.0
    cpu: float = 0.0
    memory: int = 0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.wall + other.wall, self.cpu + other.cpu, max(self.memory, other.memory))

    def each_beyond(self, first: "Cost", n: int) -> "Cost":
        """What each of `n` costs that came on top of a first one."""
        return Cost((self.wall - first.wall) / n, (self.cpu - first.cpu) / n, self.memory)


def cost_of(command: Sequence[str | Path], where: Path, environment: dict[str, str] | None = None) -> Cost:
    """Run a command to its end.

    CPU counts what it and all processes that were waited for have used; confined workers, for whom nobody waits, tell it
    in their results.

    Raises:
        SystemExit: it ended with another code than 0 or 1, with which pytest says that a check failed.
    """
    started = time.perf_counter()
    with subprocess.Popen(
        [str(word) for word in command],
        cwd=where,
        env={**os.environ, **SINGLE, **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        peak = Peak(process.pid)
        said = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - started
        peak.end()
    if process.returncode not in (0, 1):
        words = " ".join(map(str, command))
        raise SystemExit(f"{words} ended with {process.returncode}:\n{said.decode('utf-8', 'replace')[-3000:]}")
    return Cost(seconds, used.ru_utime + used.ru_stime, peak.bytes)


class Peak(threading.Thread):
    """Looks twice a second at a process and all that comes from it; a page that several share counts once."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.bytes = 0
        self._pid, self._over = pid, threading.Event()
        self.start()

    def run(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            held = sum(proportional_share(process.pid) for process in processes.tree(self._pid))
            self.bytes = max(self.bytes, held)

    def end(self) -> None:
        self._over.set()
        self.join()


def proportional_share(pid: int) -> int:
    """A process's proportional set size in bytes, files included; 0 if it is gone."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb") as file:
            return next(int(line.split()[1]) << 10 for line in file if line.startswith(b"Pss:"))
    except (OSError, StopIteration):
        return 0
