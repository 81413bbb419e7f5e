"""Linux system calls that Python's standard library lacks, through ctypes: namespaces, mounts, capabilities, …

Imports the standard library alone: `root.py` loads this file by its path, before any package can be found.
"""

import ctypes
import fcntl
import os
import platform
import socket
import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 32, 4096, 16384, 1 << 18
MNT_DETACH = 2

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_KEEPCAPS = 8
PR_SET_NAME = 15
PR_SET_SECCOMP = 22
PR_CAPBSET_DROP = 24
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 47, 4

CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_SYS_ADMIN = 1, 2, 21
INSIDE_ID = 1000  # the user and group that a user namespace's only inhabitant sees itself as

_NUMBERS = {  # of calls for which the C library has no function
    "x86_64": {"capset": 126, "pivot_root": 155, "close_range": 436, "mount_setattr": 442},
    "aarch64": {"capset": 91, "pivot_root": 41, "close_range": 436, "mount_setattr": 442},
}
_AT_FDCWD, _AT_RECURSIVE = -100, 0x8000
_SIOCSIFFLAGS, _IFF_UP, _IFF_RUNNING = 0x8914, 0x1, 0x40
_CAPABILITY_VERSION_3 = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)
if hasattr(_libc, "syscall"):
    _libc.syscall.restype = ctypes.c_long


def check(result: int, what: str) -> int:
    """Pass on the result of a C call.

    Raises:
        OSError: it was negative; the text names `what` was tried.
    """
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def syscall(number: int, *arguments: object, what: str) -> int:
    """Make a system call by number; integers become C longs, bytes and buffers pointers."""
    converted = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    return check(_libc.syscall(ctypes.c_long(number), *converted), what)


def named_syscall(name: str, *arguments: object) -> int:
    """Make one of the few system calls this module knows by name."""
    numbers = _NUMBERS.get(platform.machine())
    if numbers is None:
        raise OSError(f"{name}: expected an x86_64 or aarch64 machine, found {platform.machine()}")
    return syscall(numbers[name], *arguments, what=name)


def prctl(option: int, argument: int = 0, second: int = 0) -> int:
    """Set one attribute of this process."""
    zero = ctypes.c_ulong(0)
    return check(_libc.prctl(option, ctypes.c_ulong(argument), ctypes.c_ulong(second), zero, zero), f"prctl {option}")


def set_name(name: str) -> None:
    """Name this process as `ps` shows it (15 bytes)."""
    buffer = ctypes.create_string_buffer(name.encode())
    prctl(PR_SET_NAME, ctypes.addressof(buffer))


def unshare(flags: int) -> None:
    """Leave the namespaces named by `flags` for new ones."""
    check(_libc.unshare(ctypes.c_int(flags)), "unshare")


def map_ids(user: int, group: int) -> None:
    """Right after a new user namespace: let outer `user` and `group` be `INSIDE_ID` within, and nobody else exist."""
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{INSIDE_ID} {user} 1"),
        ("gid_map", f"{INSIDE_ID} {group} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)


def mount(source: str | None, target: str, kind: str | None = None, flags: int = 0, options: str = "") -> None:
    """Mount `source` (a path, or a name for `kind`) on `target`."""
    parts = [None if part is None else os.fsencode(part) for part in (source, target, kind)]
    result = _libc.mount(*parts, ctypes.c_ulong(flags), options.encode() or None)
    check(result, f"mount {kind or source or ''} on {target}")


def make_mounts_private() -> None:
    """Let no mount made from here on be seen by, or come from, other namespaces."""
    mount(None, "/", flags=MS_REC | MS_PRIVATE)


def bind(source: str, target: str) -> None:
    """Make the tree at `source`, with everything mounted in it, visible at `target`."""
    mount(source, target, flags=MS_BIND | MS_REC)


def mount_tmpfs(target: str, options: str) -> None:
    """Mount an empty memory file system of the given size and mode."""
    mount("tmpfs", target, "tmpfs", MS_NOSUID | MS_NODEV, options)


def mount_proc(target: str = "/proc") -> None:
    """Mount the process file system of this process's pid namespace."""
    mount("proc", target, "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)


def make_read_only(path: str) -> None:
    """Make the mount at `path` and all below it read-only, without set-uid programs and devices (Linux 5.12)."""
    attributes = ctypes.create_string_buffer(struct.pack("QQQQ", MS_RDONLY | MS_NOSUID | MS_NODEV, 0, 0, 0), 32)
    named_syscall("mount_setattr", _AT_FDCWD, os.fsencode(path), _AT_RECURSIVE, attributes, 32)


def unmount(path: str) -> None:
    """Detach a mount and everything below it."""
    check(_libc.umount2(os.fsencode(path), MNT_DETACH), f"umount {path}")


def pivot_root(new_root: str, put_old: str) -> None:
    """Make `new_root` this namespace's root; the old one stays visible at `put_old`."""
    named_syscall("pivot_root", os.fsencode(new_root), os.fsencode(put_old))


def bring_loopback_up() -> None:
    """Start the loopback device of a new network namespace, its only one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        fcntl.ioctl(probe, _SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", _IFF_UP | _IFF_RUNNING))


def become(user: int, *, keep: Iterable[int] = ()) -> None:
    """As root: become an unprivileged user and group for good, holding on to the capabilities in `keep`."""
    keep = tuple(keep)
    _forget_how_to_regain_capabilities()
    if keep:
        prctl(PR_SET_KEEPCAPS, 1)
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    _set_capabilities(keep)
    prctl(PR_SET_DUMPABLE, 1)  # changing ids made /proc/self root's, and with it the id maps written later


def capabilities() -> set[int]:
    """Those that this process may use."""
    with open("/proc/self/status") as file:
        (mask,) = (int(line.split()[1], 16) for line in file if line.startswith("CapPrm:"))
    return {number for number in range(64) if mask >> number & 1}


def drop_capabilities(*, keep: Iterable[int] = ()) -> None:
    """Give up every capability but those in `keep`, and the way to regain one."""
    _forget_how_to_regain_capabilities()
    _set_capabilities(keep)


def _forget_how_to_regain_capabilities() -> None:
    zero = ctypes.c_ulong(0)
    _libc.prctl(PR_CAP_AMBIENT, ctypes.c_ulong(PR_CAP_AMBIENT_CLEAR_ALL), zero, zero, zero)
    for capability in range(64):
        if _libc.prctl(PR_CAPBSET_DROP, ctypes.c_ulong(capability), zero, zero, zero) < 0:
            break  # the last one, or this process never could


def _set_capabilities(capabilities: Iterable[int]) -> None:
    mask = sum(1 << capability for capability in capabilities)
    header = ctypes.create_string_buffer(struct.pack("Ii", _CAPABILITY_VERSION_3, 0), 8)
    low, high = mask & 0xFFFFFFFF, mask >> 32
    data = ctypes.create_string_buffer(struct.pack("IIIIII", low, low, 0, high, high, 0), 24)
    named_syscall("capset", header, data)


def close_all_but(keep: Iterable[int]) -> None:
    """Close every file descriptor but those in `keep`."""
    start = 0
    for descriptor in sorted(set(keep)):
        if descriptor > start:
            named_syscall("close_range", start, descriptor - 1, 0)
        start = descriptor + 1
    named_syscall("close_range", start, 0xFFFFFFFF, 0)


@contextmanager
def opened(path: str, flags: int) -> Iterator[int]:
    """A file descriptor for the length of a `with`."""
    descriptor = os.open(path, flags | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
