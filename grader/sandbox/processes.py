"""What /proc says of a tree of processes. Their names are the student's to choose, so everything is read as bytes.

Imports the standard library alone: `root.py` loads this file by its path.
"""

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

FRESH_SECONDS, FRESH_BYTES = 1.0, 32 << 20

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_MEMORY_KEYS = (b"Pss_Anon:", b"Pss_Shmem:", b"SwapPss:")


@dataclass(frozen=True)
class Process:
    """One line of /proc/<pid>/stat."""

    pid: int
    parent: int
    cpu_seconds: float
    """Its own and that of the children it has waited for."""
    running: bool
    """It is no zombie."""


def all_processes() -> dict[int, Process]:
    """Every process of this pid namespace, and of those below it, by pid."""
    found = (_read(int(name)) for name in os.listdir("/proc") if name.isdigit())
    return {process.pid: process for process in found if process}


def tree(root: int, among: Mapping[int, Process] | None = None) -> list[Process]:
    """The process `root` and everything that descends from it, itself first."""
    found_processes = all_processes() if among is None else among
    children: dict[int, list[int]] = {}
    for process in found_processes.values():
        children.setdefault(process.parent, []).append(process.pid)
    found, waiting = [], [root]
    while waiting:
        pid = waiting.pop()
        found += [found_processes[pid]] if pid in found_processes else []
        waiting += children.get(pid, [])
    return found


def share_of_memory(pid: int) -> int:
    """Bytes of memory that are no file's, a page shared by n processes counted as 1/n; 0 if it cannot be read."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb") as file:
            lines = [line.split() for line in file]
    except OSError:
        return 0
    return sum(int(line[1]) for line in lines if line[0] in _MEMORY_KEYS) * 1024


def resident_memory(pid: int) -> int:
    """Bytes of resident memory that are no file's, shared pages counted in full; quick to read."""
    try:
        with open(f"/proc/{pid}/statm", "rb") as file:
            _, resident, of_files = map(int, file.read().split()[:3])
    except OSError:
        return 0
    return (resident - of_files) * _PAGE_BYTES


class MemoryMeter:
    """Measures what processes hold beyond what they inherited from a common ancestor by forking.

    A look takes milliseconds for each process, so that the last value is given again while it is fresh and they have
    hardly grown. Inherited pages that a process has replaced by its own count as its own; they are missed once in
    all, not once for each process.
    """

    def __init__(self) -> None:
        self._value, self._resident, self._taken = 0, 0, float("-inf")

    def beyond(self, ancestor: int, pids: Sequence[int], family: Iterable[int]) -> int:
        """Bytes that `pids` hold together. `family` are all processes that may share the ancestor's pages, and it."""
        resident, now = sum(map(resident_memory, pids)), time.monotonic()
        if now - self._taken > FRESH_SECONDS or resident - self._resident > FRESH_BYTES:
            inherited = resident_memory(ancestor)
            sharing = sum(resident_memory(pid) >= inherited / 2 for pid in family)  # others have started a new program
            share = inherited // max(1, sharing)
            self._value = sum(max(0, share_of_memory(pid) - share) for pid in pids)
            self._resident, self._taken = resident, now
        return self._value


def status_kb(key: str, pid: int | str = "self") -> int:
    """One of the sizes in /proc/<pid>/status, in KiB."""
    with open(f"/proc/{pid}/status", "rb") as file:
        for line in file:
            if line.startswith(key.encode() + b":"):
                return int(line.split()[1])
    return 0


def tasks_of(user: int) -> int:
    """How many tasks (threads, too) belong to a user, as RLIMIT_NPROC counts them without user namespaces."""
    return sum(_tasks(name) for name in os.listdir("/proc") if name.isdigit() and _owner(name) == user)


def thread_names() -> list[str]:
    """Names of this process's threads; one when it is single-threaded."""
    names = []
    for task in os.listdir("/proc/self/task"):
        with open(f"/proc/self/task/{task}/comm") as file:
            names.append(file.read().strip())
    return names


def _read(pid: int) -> Process | None:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return None  # it has just ended
    ticks = sum(int(field) for field in fields[11:15])
    return Process(pid, int(fields[1]), ticks / _TICKS_PER_SECOND, fields[0] not in (b"Z", b"X"))


def _tasks(name: str) -> int:
    try:
        return len(os.listdir(f"/proc/{name}/task"))
    except OSError:
        return 0


def _owner(name: str) -> int:
    try:
        return os.stat(f"/proc/{name}").st_uid
    except OSError:
        return -1
