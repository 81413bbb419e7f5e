"""Each mechanism of the sandbox, tried: runs in a process of its own, which `probe` starts and which then ends."""

import json
import os
import platform
from collections.abc import Callable

from grader.sandbox import landlock, linux, policy, seccomp
from grader.sandbox.terms import UNPRIVILEGED_USER

_SWITCHES = (  # files that say why namespaces are refused, the value that refuses, and what to do
    (
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "AppArmor restricts them: sysctl kernel.apparmor_restrict_unprivileged_userns=0",
    ),
    ("/proc/sys/kernel/unprivileged_userns_clone", "0", "sysctl kernel.unprivileged_userns_clone=1 allows them"),
    ("/proc/sys/user/max_user_namespaces", "0", "sysctl user.max_user_namespaces=10000 allows them"),
)


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
