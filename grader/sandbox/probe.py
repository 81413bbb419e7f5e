"""What this machine offers to confine code with, found out by trying each thing in a process that then ends."""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterable
from typing import NamedTuple

from grader.sandbox import landlock, linux, policy, seccomp
from grader.sandbox.terms import UNPRIVILEGED_USER, Level
from grader.sandbox.visible import PACKAGE

PROBE_SECONDS = 60

_BOOT = "import sys; sys.path.append(sys.argv[1]); from grader.sandbox.probe import try_all; try_all()"
_SWITCHES = (  # files that say why namespaces are refused, the value that refuses, and what to do
    (
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "AppArmor restricts them: sysctl kernel.apparmor_restrict_unprivileged_userns=0",
    ),
    ("/proc/sys/kernel/unprivileged_userns_clone", "0", "sysctl kernel.unprivileged_userns_clone=1 allows them"),
    ("/proc/sys/user/max_user_namespaces", "0", "sysctl user.max_user_namespaces=10000 allows them"),
)


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


def try_all() -> None:
    """In the probing process: print a line of JSON for each mechanism."""
    _say("Linux", True, platform.release())
    version = landlock.abi()
    _say("Landlock", version > 0, f"version {version}" if version else "not in this kernel, or switched off at boot")
    if os.geteuid() == 0:
        linux.become(UNPRIVILEGED_USER)
    user, group = os.geteuid(), os.getegid()
    steps: tuple[tuple[str, Callable[[], None]], ...] = (
        ("user namespaces", lambda: _enter(user, group)),
        ("own mounts", lambda: linux.mount_tmpfs("/tmp", "size=1m")),
        ("own network", linux.bring_loopback_up),
        ("own processes", _try_proc),
    )
    why = ""
    for name, step in steps:
        try:
            if not why:
                step()
            _say(name, not why, why)
        except OSError as error:
            why = "; ".join([str(error), *_hints()])
            _say(name, False, why)
    _try("seccomp", _try_seccomp)


def _enter(user: int, group: int) -> None:
    linux.unshare(
        linux.CLONE_NEWUSER | linux.CLONE_NEWNS | linux.CLONE_NEWPID | linux.CLONE_NEWNET | linux.CLONE_NEWIPC
    )
    linux.map_ids(user, group)
    linux.make_mounts_private()


def _try_proc() -> None:
    """Mount the proc of a new pid namespace, which only its first process can do."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            linux.mount_proc()
        except OSError as error:
            os.write(writing, str(error).encode())
        os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with open(reading, "rb") as pipe:
        words = pipe.read().decode("utf-8", "replace")
    if words:
        raise OSError(f"{words} (a container that masks parts of /proc refuses this)")


def _try_seccomp() -> None:
    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
    seccomp.install(policy.own_namespaces())


def _try(name: str, step: Callable[[], None]) -> None:
    try:
        step()
    except OSError as error:
        _say(name, False, str(error))
    else:
        _say(name, True, platform.machine())


def _hints() -> list[str]:
    found = []
    for path, refusing, hint in _SWITCHES:
        if os.path.exists(path):
            with open(path) as file:
                found += [hint] if file.read().strip() == refusing else []
    if os.path.exists("/.dockerenv"):
        found.append("Docker's default profile refuses them: docker run --security-opt seccomp=unconfined")
    return found


def _say(name: str, available: bool, detail: str) -> None:
    print(json.dumps([name, available, detail]), flush=True)
