"""The outer wall, built once: new namespaces and a root in which only what workers need exists; then the zygote.

    python -I -S root.py CONTROL        (CONTROL: the number of an inherited socket)

Runs before anything heavy is imported, and finds its siblings by path. The first message on the control socket says what
to build (`Plan`); at a lower level than namespaces nothing is built. This process then stays as the *keeper*: it ends the
zygote, and with it every worker, when the process that started it goes away.
"""

import contextlib
import json
import os
import select
import signal
import socket
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, NoReturn

if TYPE_CHECKING:
    from grader.sandbox import linux, processes, scratch
else:
    sys.path.append(os.path.dirname(os.path.abspath(__file__)))
    import linux
    import processes
    import scratch

OLD = "/old"  # where the machine's root stays visible while the new one is built
DEVICES = ("null", "zero", "full", "random", "urandom")
DEVICE_LINKS = {"fd": "", "stdin": "/0", "stdout": "/1", "stderr": "/2"}
ETC = {
    "passwd": "root:x:0:0::/:/bin/sh\nstudent:x:1000:1000::/tmp:/bin/sh\n",
    "group": "root:x:0:\nstudent:x:1000:\n",
    "hosts": "127.0.0.1 localhost\n::1 localhost\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
}
NAMESPACES = linux.CLONE_NEWNS | linux.CLONE_NEWPID | linux.CLONE_NEWNET | linux.CLONE_NEWIPC | linux.CLONE_NEWUTS


class Plan(NamedTuple):
    """The first message: what exists inside, as whom to run, and what to run there."""

    namespaces: bool
    paths: Sequence[str]
    links: dict[str, str]
    user: int | None
    """The unprivileged user to become; None if this process is not privileged."""
    command: Sequence[str]
    scratch: str
    """What to wipe at the end; empty if it ends with the namespaces."""


def main() -> int:
    """Build what the plan says and keep watch until the zygote or the broker ends."""
    number = int(sys.argv[1])
    control = socket.socket(fileno=number)
    plan = Plan(**json.loads(control.recv(1 << 20)))
    try:
        broker = os.pidfd_open(os.getppid())
        os.setsid()
        if plan.namespaces:
            build(plan)
        else:
            linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 1)
        zygote = os.fork()
        if zygote == 0:
            become_zygote(plan, control)
        control.close()
        keep(zygote, broker, sweep=not plan.namespaces)
        if plan.scratch:
            scratch.wipe(plan.scratch)
        return 0
    except OSError as error:
        refuse(control, error)
        return 1


def refuse(control: socket.socket, error: OSError) -> None:
    """Tell the broker why this level is not to be had."""
    control.recv(1 << 20)  # the zygote's orders: left unread, they would make the broker's next read fail
    control.send(json.dumps({"refused": str(error)}).encode())


def build(plan: Plan) -> None:
    """Leave for new namespaces and assemble the new root; the machine's files are still at `OLD` afterwards."""
    if plan.user is not None and linux.CAP_SYS_ADMIN in linux.capabilities():
        linux.unshare(NAMESPACES)
    else:
        if plan.user is not None:
            linux.become(plan.user)  # a container's root, say, which may do no more than anybody
        user, group = os.geteuid(), os.getegid()
        linux.unshare(NAMESPACES | linux.CLONE_NEWUSER)
        linux.map_ids(user, group)
    linux.make_mounts_private()
    linux.mount_tmpfs("/tmp", "size=16m,mode=755")
    os.mkdir("/tmp" + OLD)
    os.chdir("/tmp")
    linux.pivot_root(".", OLD.lstrip("/"))
    os.chdir("/")
    for folder in ("/dev", "/dev/shm", "/tmp", "/proc", "/etc"):
        os.mkdir(folder)
    for folder in ("/tmp", "/dev/shm"):  # before the files shown in them
        linux.mount_tmpfs(folder, "size=64m,mode=1777")
    for path in plan.paths:
        show(path)
        linux.make_read_only(path)
    for at, to in plan.links.items():
        os.makedirs(os.path.dirname(at), exist_ok=True)
        os.symlink(to, at)
    write_etc_and_dev()


def show(path: str) -> None:
    """Make a file or tree of the machine visible at the same path."""
    if os.path.isdir(OLD + path):
        os.makedirs(path, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "x"):
            pass
    linux.bind(OLD + path, path)


def write_etc_and_dev() -> None:
    """The few files of /etc and devices that programs expect to find."""
    for name, text in ETC.items():
        with open(f"/etc/{name}", "w") as file:
            file.write(text)
    for name in DEVICES:
        show(f"/dev/{name}")
    for name, end in DEVICE_LINKS.items():
        os.symlink(f"/proc/self/fd{end}", f"/dev/{name}")


def become_zygote(plan: Plan, control: socket.socket) -> NoReturn:
    """In the child: close the wall behind, give up all privileges, and start the zygote's program."""
    try:
        linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
        if plan.namespaces:
            close_wall()
            if plan.user is not None and os.geteuid() == 0:
                linux.become(plan.user)
            linux.drop_capabilities()
            linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
            linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)  # forgotten when the ids changed
        control.set_inheritable(True)
        os.execv(plan.command[0], [*plan.command, str(control.fileno())])
    except OSError as error:
        refuse(control, error)
    os._exit(1)


def close_wall() -> None:
    """As the first process of the new pid namespace: mount its proc, let go of the machine's root."""
    linux.mount_proc()  # while the old one is visible: the kernel asks for that
    linux.unmount(OLD)
    os.rmdir(OLD)
    linux.mount(None, "/", flags=linux.MS_REMOUNT | linux.MS_BIND | linux.MS_RDONLY | linux.MS_NOSUID | linux.MS_NODEV)
    linux.bring_loopback_up()


def keep(zygote: int, broker: int, *, sweep: bool) -> None:
    """Wait for the end of either; returns only when the zygote and all that came from it are gone.

    Without a pid namespace, which ends with its first process, orphans come to this process and are to be swept up.
    """
    linux.close_all_but([0, 1, 2, broker])
    watched = select.poll()
    watched.register(broker, select.POLLIN)
    watched.register(os.pidfd_open(zygote), select.POLLIN)
    watched.poll()
    os.kill(zygote, signal.SIGKILL)
    while True:
        if sweep:
            for process in processes.tree(os.getpid())[1:]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGKILL)
        try:
            os.wait()
        except ChildProcessError:
            return


if __name__ == "__main__":
    sys.exit(main())
