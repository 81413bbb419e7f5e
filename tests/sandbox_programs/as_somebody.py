"""Run a command as somebody else: `python as_somebody.py WHO COMMAND…`, started by root. WHO is

    ordinary          a user without privileges
    no-namespaces     the same, where user namespaces are refused
    container-root    root without the powers that containers withhold

What an ordinary user could not reach (a Python below /root, say) is shown to it in a mount namespace of its own.
"""

import os
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
sys.path.insert(0, str(REPOSITORY))

from grader.sandbox import linux  # noqa: E402

USER = 60_801
CAP_NET_ADMIN, CAP_SYS_PTRACE = 12, 19
WITHHELD = (linux.CAP_DAC_READ_SEARCH, CAP_NET_ADMIN, CAP_SYS_PTRACE, linux.CAP_SYS_ADMIN)


def closed_folder(path: Path) -> Path | None:
    """The topmost folder on the way to `path` that others may not enter."""
    for folder in reversed([path, *path.parents]):
        if folder.stat().st_mode & 0o5 != 0o5:
            return folder
    return None


def show(paths: list[Path]) -> None:
    """Cover each closed folder with an open, empty one in which only the paths exist."""
    linux.unshare(linux.CLONE_NEWNS)
    linux.make_mounts_private()
    handles = {path: os.open(path, os.O_PATH) for path in paths if closed_folder(path)}
    for path, handle in handles.items():
        if folder := closed_folder(path) if path.exists() else None:
            linux.mount_tmpfs(str(folder), "size=1m,mode=755")
        path.mkdir(parents=True, exist_ok=True)
        linux.bind(f"/proc/self/fd/{handle}", str(path))


def refuse_user_namespaces() -> None:
    """In a user namespace of its own, where the switch for that can be set without touching the machine's."""
    user, group = os.geteuid(), os.getegid()
    linux.unshare(linux.CLONE_NEWUSER)
    linux.map_ids(user, group)
    Path("/proc/sys/user/max_user_namespaces").write_text("0")


def main() -> None:
    who, *command = sys.argv[1:]
    if who == "container-root":
        for capability in WITHHELD:
            linux.prctl(linux.PR_CAPBSET_DROP, capability)
    else:
        show([Path(sys.base_prefix).resolve(), Path(sys.prefix), REPOSITORY])
        linux.become(USER)
        if who == "no-namespaces":
            refuse_user_namespaces()
        linux.drop_capabilities()
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
