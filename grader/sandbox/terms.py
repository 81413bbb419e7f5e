"""The words in which the sandbox and its callers speak: levels, limits, what a worker uses and how it ended."""

from dataclasses import dataclass
from enum import StrEnum

UNPRIVILEGED_USER = 60_700
"""Whom root becomes: an id that distributions leave to nobody."""


ENDED_EARLY = "the process ended while it was being confined"
"""Why a worker does not serve that somebody has killed: no refusal of the system's."""


class Level(StrEnum):
    """How well a submission's code is kept apart, best first."""

    NAMESPACES = "namespaces"
    """Everything: own namespaces, own root, Landlock, seccomp, limits."""
    LANDLOCK = "landlock"
    """User namespaces are refused here: Landlock, seccomp and limits; one worker at a time."""
    NONE = "none"
    """No confinement: for code that one trusts, and only when asked for."""


@dataclass(frozen=True)
class WorkerLimits:
    """What one worker, all of its processes together where the kernel can tell, may use."""

    cpu_seconds: int = 60
    """Of each process; the sum over all is the caller's to watch."""
    memory_mb: int = 2048
    """Of each process, beyond the warm interpreter; the sum over all is the caller's to watch."""
    scratch_mb: int = 256
    """In each of /tmp and /dev/shm."""
    scratch_files: int = 20_000
    processes: int = 64
    """Threads count too."""
    open_files: int = 512
    file_mb: int = 256
    """The largest single file."""


@dataclass(frozen=True)
class Usage:
    """What a worker's process tree has used so far."""

    cpu_seconds: float
    """Of living processes and of those that were waited for."""
    memory_bytes: int
    """Beyond what is shared with the warm interpreter."""
    processes: int
    scratch_bytes: int = 0
    """On the machine's own disk; 0 where the kernel holds the worker to its limit."""


@dataclass(frozen=True)
class Exit:
    """How a worker ended."""

    status: int | None
    """Its exit code, or 128 + the signal that ended it; None if it was still running when it was killed."""
    cpu_seconds: float
    """Of all of its processes, as far as they were waited for, or were there when it was killed or last looked at."""
    peak_memory_bytes: int
    """The most that a look at its usage has found."""
