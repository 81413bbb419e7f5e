"""What this machine offers to confine code with, found out by trying each thing in a process that then ends."""

import json
import subprocess
import sys
from collections.abc import Iterable
from typing import NamedTuple

from grader.sandbox.terms import Level
from grader.sandbox.visible import PACKAGE

PROBE_SECONDS = 60

_BOOT = "import sys; sys.path.append(sys.argv[1]); from grader.sandbox.trials import try_all; try_all()"


class Mechanism(NamedTuple):
    """One thing the sandbox is built of."""

    name: str
    available: bool
    detail: str
    """Which version there is, or why there is none and what would help."""


def probe() -> list[Mechanism]:
    """Try every mechanism; starts nothing that lasts and needs no privileges."""
    if sys.platform != "linux":
        return [Mechanism("Linux", False, f"found {sys.platform}: no sandbox, only code that you trust can be run")]
    command = [sys.executable, "-I", "-B", "-c", _BOOT, str(PACKAGE.parent)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PROBE_SECONDS)
    found = [Mechanism(*json.loads(line)) for line in done.stdout.splitlines()]
    if done.returncode:
        words = done.stderr.strip().splitlines()
        found.append(Mechanism("probe", False, words[-1] if words else f"it ended with {done.returncode}"))
    return found


def best_level(found: Iterable[Mechanism]) -> Level | None:
    """The level that these mechanisms suffice for; None if untrusted code cannot be run here."""
    available = {mechanism.name for mechanism in found if mechanism.available}
    if available >= {"user namespaces", "own mounts", "own network", "own processes", "seccomp"}:
        return Level.NAMESPACES
    return Level.LANDLOCK if available >= {"Landlock", "seccomp"} else None
