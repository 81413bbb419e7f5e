"""What /proc says of a tree of processes. Their names are the student's to choose, so everything is read as bytes.

Imports the standard library alone: `root.py` loads this file by its path.
"""

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

FRESH_SECONDS, FRESH_BYTES = 1.0, 32 << 20
STALE_SECONDS, LOOKS_TAKE_ONE_IN = 4.0, 10
SOCKET_BYTES = 208 << 10  # that the kernel keeps in a socket whose other end reads nothing: its usual limit
FREE_DESCRIPTORS = 512

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
    stack: int
    """Where its stack begins: what a fork has in common with its parent, and a new program draws anew. 0 if unknown."""


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
    hardly grown; and where there are many, looking takes no more than a part of the time. Inherited pages that a process
    has replaced by its own count as its own; they are missed once in all, not once for each process.
    """

    def __init__(self) -> None:
        self._value, self._resident, self._again_at = 0, 0, float("-inf")

    def beyond(self, ancestor: Process, held_by: Sequence[Process], family: Iterable[Process]) -> int:
        """Bytes that processes hold together. `family` are all that may share the ancestor's pages, and it."""
        resident, now = sum(resident_memory(process.pid) for process in held_by), time.monotonic()
        if now > self._again_at or resident - self._resident > FRESH_BYTES:
            self._value, self._resident = self._look(ancestor, held_by, family), resident
            ended = time.monotonic()
            self._again_at = ended + min(STALE_SECONDS, max(FRESH_SECONDS, LOOKS_TAKE_ONE_IN * (ended - now)))
        return self._value

    def _look(self, ancestor: Process, held_by: Sequence[Process], family: Iterable[Process]) -> int:
        heirs = {process.pid for process in family if process.stack == ancestor.stack}  # others began a new program
        share = resident_memory(ancestor.pid) // max(1, len(heirs))
        holdings = [_holding(process.pid) for process in held_by]
        own = sum(
            max(0, holding.private + holding.shared - (share if process.pid in heirs else 0))
            for process, holding in zip(held_by, holdings, strict=True)
        )
        mapped = {inode: size for holding in holdings for inode, size in holding.mappings.items()}
        inherited = _mappings_without_file(ancestor.pid)
        extents = sum(size for inode, size in mapped.items() if inode not in inherited)
        unseen = max(0, extents - sum(holding.shared for holding in holdings))
        descriptors = sum(holding.descriptors for holding in holdings)
        return own + unseen + max(0, descriptors - FREE_DESCRIPTORS) * SOCKET_BYTES


@dataclass(frozen=True)
class _Holding:
    """What one process holds, as far as it lets anybody look."""

    private: int
    """Bytes of memory that are no file's, a page shared by n processes counted as 1/n."""
    shared: int
    """The same of memory that may be written by several."""
    mappings: Mapping[bytes, int]
    """Extents of shared memory without a file, by inode: pages stay although nobody has them in his tables."""
    descriptors: int


def _holding(pid: int) -> _Holding:
    """Of a process that lets nobody look closer, shared pages count in full; nothing if there is no such process."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb") as file:
            sizes = {line.split()[0]: int(line.split()[1]) << 10 for line in file if line.startswith(_MEMORY_KEYS)}
        shared = sizes.pop(b"Pss_Shmem:", 0)
        return _Holding(sum(sizes.values()), shared, _mappings_without_file(pid), len(os.listdir(f"/proc/{pid}/fd")))
    except PermissionError:
        return _Holding(resident_memory(pid), 0, {}, 0)
    except OSError:
        return _Holding(0, 0, {}, 0)


def _mappings_without_file(pid: int) -> dict[bytes, int]:
    """Extents of what `mmap` shares between a process and its children, by inode."""
    extents: dict[bytes, int] = {}
    with open(f"/proc/{pid}/maps", "rb") as file:
        for line in file:
            if line.endswith(b"/dev/zero (deleted)\n"):
                place, _, _, _, inode, *_ = line.split()
                first, end = (int(address, 16) for address in place.split(b"-"))
                extents[inode] = extents.get(inode, 0) + end - first
    return extents


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
    return Process(pid, int(fields[1]), ticks / _TICKS_PER_SECOND, fields[0] not in (b"Z", b"X"), int(fields[25]))


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
