"""The inner wall, built for every worker: what a fresh fork of the zygote does before it may run a submission's code.

    zygote ── fork ── first child: namespaces, scratch, loopback; reports the pid of …
                        └─ fork ── … *init*: proc, no privileges, Landlock, limits, seccomp; waits for …
                                     └─ fork ── … the *worker*: clean environment, fresh random numbers, `serve`

The first child ends at once. Init is the first process of the worker's pid namespace: killing it empties the namespace.
It is under the same filter as the worker, so that taking it over gains nothing. Below `Level.NAMESPACES` the first child
itself is confined and becomes the worker.
"""

import io
import os
import random
import resource
import signal
import socket
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NoReturn

from grader.sandbox import landlock, linux, policy, processes, seccomp
from grader.sandbox.landlock import EVERYTHING, READ, USE, Access
from grader.sandbox.terms import Level, WorkerLimits

Serve = Callable[[socket.socket, str], NoReturn]

PRIVATE_FOLDERS = ("/tmp", "/dev/shm")
MIB = 1 << 20
THREAD_RESERVE = 1024 * MIB  # address space that allocators set aside for threads without using it
CPU_GRACE_SECONDS = 2  # between SIGXCPU, which can be caught, and SIGKILL
FAILED = 111  # exit status of a child that could not be confined

_NAMESPACES = (
    linux.CLONE_NEWUSER
    | linux.CLONE_NEWNS
    | linux.CLONE_NEWPID
    | linux.CLONE_NEWNET
    | linux.CLONE_NEWIPC
    | linux.CLONE_NEWUTS
)
_ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "USER": "student",
    "MPLBACKEND": "Agg",
    "OMP_NUM_THREADS": "1",
    "GLOO_SOCKET_IFNAME": "lo",
    "CUDA_VISIBLE_DEVICES": "",
    "PYTHONDONTWRITEBYTECODE": "1",
}
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
_SYSTEM_FACTS = (  # what libraries look up about the machine
    *("/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/filesystems", "/proc/sys/vm"),
    *("/sys/devices", "/sys/class/net", "/sys/bus/pci/devices"),
)


@dataclass(frozen=True)
class Ground:
    """What is the same for every worker of a zygote."""

    level: Level
    readable: tuple[str, ...]
    """What Landlock lets a worker read where there is no root of its own."""
    kept: tuple[str, ...]
    """Those of the readable paths that lie where a worker gets its own scratch."""
    capabilities: tuple[int, ...] = ()
    """What a worker keeps of root's powers, to reach the readable paths where there is no root of its own."""


@dataclass(frozen=True)
class Post:
    """A worker's place: its descriptors, its scratch folder, its limits, and what it is to run."""

    connection: int
    output: int
    scratch: str
    limits: WorkerLimits
    serve: Serve
    status: int = -1
    """A pipe to the zygote, closed before any untrusted code runs: `pid N`, then `ready` or `failed …`."""
    tcp_ruleset: int = -1
    """What Landlock leaves of a network that is not the worker's own; -1: no network."""


def enter(ground: Ground, post: Post) -> NoReturn:
    """Be confined, then serve; never returns. Whatever fails on the way is told on the status pipe."""
    try:
        _leave_the_zygote(post)
        if ground.level is Level.NAMESPACES:
            _enter_namespaces(ground, post)
        else:
            _enter_plain(ground, post)
        _become_worker(post)
        connection = socket.socket(fileno=post.connection)
        tell(post, "ready")
        os.close(post.status)
    except BaseException as error:
        tell(post, f"failed {type(error).__name__}: {error}")
        os._exit(FAILED)
    code = 1
    try:
        post.serve(connection, post.scratch)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)


def tell(post: Post, line: str) -> None:
    """Write one line to the zygote."""
    os.write(post.status, line.replace("\n", " ").encode("utf-8", "replace") + b"\n")


def _leave_the_zygote(post: Post) -> None:
    """Keep three descriptors and the standard three; none of the zygote's sockets, handlers or terminal."""
    with linux.opened("/dev/null", os.O_RDONLY) as nothing:
        os.dup2(nothing, 0)
    os.dup2(post.output, 1)
    os.dup2(post.output, 2)
    linux.close_all_but({0, 1, 2, post.connection, post.status, post.tcp_ruleset} - {-1})
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python raises an exception instead
        signal.signal(number, signal.SIG_IGN)
    os.setsid()


def _enter_namespaces(ground: Ground, post: Post) -> None:
    user, group = os.geteuid(), os.getegid()
    linux.unshare(_NAMESPACES)
    linux.map_ids(user, group)
    linux.make_mounts_private()
    _mount_scratch(ground, post.limits)
    linux.bring_loopback_up()
    socket.sethostname("localhost")
    init = os.fork()
    if init:
        tell(post, f"pid {init}")
        os._exit(0)
    linux.set_name("sandbox-init")
    linux.mount_proc()
    os.chdir(post.scratch)
    _shut(ground, post, policy.own_namespaces())
    worker = os.fork()
    if worker:
        _be_init(worker)


def _mount_scratch(ground: Ground, limits: WorkerLimits) -> None:
    """Empty private folders; what is visible inside the old ones is carried over."""
    kept = {path: os.open(path, os.O_PATH) for path in ground.kept}
    for folder in PRIVATE_FOLDERS:
        linux.mount_tmpfs(folder, f"size={limits.scratch_mb}m,nr_inodes={limits.scratch_files},mode=700")
    for path, descriptor in kept.items():
        if os.path.isdir(f"/proc/self/fd/{descriptor}"):
            os.makedirs(path, exist_ok=True)
        else:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
        linux.bind(f"/proc/self/fd/{descriptor}", path)
        os.close(descriptor)


def _be_init(worker: int) -> NoReturn:
    """Reap until the worker ends, then end as it did, which takes everything else in the namespace along."""
    linux.close_all_but([])
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # from within, only signals with a handler reach the first process
    while True:
        pid, status = os.wait()
        if pid == worker:
            code = os.waitstatus_to_exitcode(status)
            os._exit(code if code >= 0 else 128 - code)


def _enter_plain(ground: Ground, post: Post) -> None:
    """Without namespaces of its own: in the zygote's view of the machine, minus what Landlock and seccomp take away."""
    linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
    os.chdir(post.scratch)
    if ground.level is Level.NONE:
        _set_limits(ground, post.limits)
        return
    rules = policy.shared_machine(os.getpid(), landlock.abi(), tcp=post.tcp_ruleset >= 0)
    _shut(ground, post, rules)


def _shut(ground: Ground, post: Post, rules: list[seccomp.Rule]) -> None:
    """What both levels share, in an order in which each step leaves the next one possible."""
    with open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")  # if memory runs out, the kernel takes this process first
    linux.drop_capabilities(keep=ground.capabilities)
    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
    _set_limits(ground, post.limits)
    if landlock.abi() or ground.level is Level.LANDLOCK:
        landlock.restrict(_accesses(ground, post))
    if post.tcp_ruleset >= 0:
        landlock.enforce(post.tcp_ruleset)
        os.close(post.tcp_ruleset)
    seccomp.install(rules)


def _accesses(ground: Ground, post: Post) -> Iterator[tuple[str, Access]]:
    yield from ((path, USE) for path in _DEVICES)
    if ground.level is Level.NAMESPACES:
        yield "/", READ
        yield from ((folder, EVERYTHING) for folder in PRIVATE_FOLDERS)
    else:
        yield from ((path, READ) for path in (*ground.readable, *_SYSTEM_FACTS))
        yield post.scratch, EVERYTHING  # and no /dev/shm, where one worker could leave something for the next


def _set_limits(ground: Ground, limits: WorkerLimits) -> None:
    """Kernel limits of each process. Memory counts from what the interpreter has at the start."""
    budget = limits.memory_mb * MIB
    has_memory, has_space = processes.status_kb("VmData") * 1024, processes.status_kb("VmSize") * 1024
    # init counts, too; without a namespace, so does everything that has this user id
    others = 1 if ground.level is Level.NAMESPACES else processes.tasks_of(os.getuid()) - 1
    _lower(resource.RLIMIT_CPU, limits.cpu_seconds, limits.cpu_seconds + CPU_GRACE_SECONDS)
    _lower(resource.RLIMIT_DATA, has_memory + budget)
    _lower(resource.RLIMIT_AS, has_space + budget + THREAD_RESERVE)
    _lower(resource.RLIMIT_NPROC, others + limits.processes)
    _lower(resource.RLIMIT_FSIZE, limits.file_mb * MIB)
    _lower(resource.RLIMIT_NOFILE, limits.open_files)
    _lower(resource.RLIMIT_CORE, 1)  # 0 would still let a crash start the machine's handler of core dumps
    _lower(resource.RLIMIT_MEMLOCK, 64 << 10)
    _lower(resource.RLIMIT_SIGPENDING, 256)
    _lower(resource.RLIMIT_MSGQUEUE, 0)


def _lower(which: int, soft: int, hard: int | None = None) -> None:
    _, ceiling = resource.getrlimit(which)
    hard = soft if hard is None else hard
    if ceiling != resource.RLIM_INFINITY:
        soft, hard = min(soft, ceiling), min(hard, ceiling)
    resource.setrlimit(which, (soft, hard))


def _become_worker(post: Post) -> None:
    """Nothing of the zygote's environment, and no random numbers that another worker draws too."""
    os.environ.clear()
    os.environ.update(_ENVIRONMENT, HOME=post.scratch, TMPDIR=post.scratch)
    tempfile.tempdir = None
    sys.argv[:] = ["worker"]
    assert isinstance(sys.stdout, io.TextIOWrapper)
    sys.stdout.reconfigure(line_buffering=True)
    seed = int.from_bytes(os.urandom(8), "little")
    random.seed(seed)
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed(seed & 0xFFFFFFFF)
    if torch := sys.modules.get("torch"):
        torch.manual_seed(seed & 0x7FFFFFFFFFFFFFFF)
