"""The seccomp filter, run by a simulator of BPF instead of the kernel, for both architectures."""

import errno
import json
import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from grader.sandbox import policy, seccomp
from grader.sandbox.seccomp import ALLOW, KILL, HasAny, Is, Rule, assemble, fail
from grader.sandbox.syscalls import AARCH64, AUDIT_ARCHITECTURE, LAST_KNOWN, NUMBERS, X86_64

REPOSITORY = Path(__file__).parents[1]
MACHINES = [X86_64, AARCH64]
HEADERS = {
    X86_64: [Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"), Path("/usr/include/asm/unistd_64.h")],
    AARCH64: [Path("/usr/include/asm-generic/unistd.h")],
}
UNIX, INET, INET6, NETLINK, PACKET, VSOCK, ALG = 1, 2, 10, 16, 17, 40, 38
NEWUSER, NEWNS, SIGCHLD, THREAD = 0x10000000, 0x20000, 17, 0x3D0F00


def run(program, number, arguments=(), architecture=AUDIT_ARCHITECTURE[X86_64]) -> int:
    """What a BPF program returns for a call: the interpreter of `struct seccomp_data`, after the kernel's documents."""
    data = struct.pack("<IIQ6Q", number, architecture, 0, *[*arguments, 0, 0, 0, 0, 0, 0][:6])
    accumulator = at = 0
    while True:
        code, if_true, if_false, constant = program[at]
        at += 1
        match code:
            case 0x20:
                (accumulator,) = struct.unpack_from("<I", data, constant)
            case 0x54:
                accumulator &= constant
            case 0x15:
                at += if_true if accumulator == constant else if_false
            case 0x35:
                at += if_true if accumulator >= constant else if_false
            case 0x45:
                at += if_true if accumulator & constant else if_false
            case 0x06:
                return constant
            case _:
                pytest.fail(f"unknown instruction {code:#x}")


@pytest.fixture(params=MACHINES)
def machine(request):
    return request.param


def verdict(rules, machine, call, *arguments) -> int:
    """The errno a call gets; 0 if it is allowed."""
    result = run(assemble(rules, machine), NUMBERS[machine][call], arguments, AUDIT_ARCHITECTURE[machine])
    assert result == ALLOW or result >> 16 == 0x0005
    return result & 0xFFFF if result != ALLOW else 0


NAMESPACES = policy.own_namespaces()
SHARED = policy.shared_machine(77, 1, tcp=False)


def test_every_refused_call_is_refused(machine):
    for name in " ".join(policy.REFUSED.values()).split():
        if name in NUMBERS[machine]:
            assert verdict(NAMESPACES, machine, name) == errno.EPERM, name


@pytest.mark.parametrize("number", [0, 1, 9, 12, 57, 59, 61, 202, 231, 257, 281, 424, 434, 436, 441, 449])
def test_everyday_calls_pass_on_x86_64(number):
    # read write mmap brk fork execve wait4 futex exit_group openat epoll_pwait pidfd_send_signal … futex_waitv
    assert run(assemble(NAMESPACES, X86_64), number) == ALLOW


@pytest.mark.parametrize("number", [56, 57, 63, 64, 93, 98, 172, 214, 215, 221, 222, 260, 424, 434, 436, 449])
def test_everyday_calls_pass_on_aarch64(number):
    # openat close read write exit futex getpid brk munmap execve mmap wait4 …
    assert run(assemble(NAMESPACES, AARCH64), number, architecture=AUDIT_ARCHITECTURE[AARCH64]) == ALLOW


@pytest.mark.parametrize(
    ("call", "arguments", "expected"),
    [
        ("clone", (SIGCHLD,), 0),
        ("clone", (THREAD,), 0),
        ("clone", (NEWUSER | SIGCHLD,), errno.EPERM),
        ("clone", (NEWNS,), errno.EPERM),
        ("clone3", (), errno.ENOSYS),
        ("socket", (UNIX, 1, 0), 0),
        ("socket", (INET, 1, 0), 0),
        ("socket", (INET6, 2, 0), 0),
        ("socket", (NETLINK, 3, 0), 0),
        ("socket", (NETLINK, 3, 9), errno.EAFNOSUPPORT),
        ("socket", (PACKET, 3, 0), errno.EAFNOSUPPORT),
        ("socket", (VSOCK, 1, 0), errno.EAFNOSUPPORT),
        ("socket", (ALG, 5, 0), errno.EAFNOSUPPORT),
        ("socket", (1 << 32 | VSOCK, 1, 0), errno.EAFNOSUPPORT),
        ("ioctl", (0, 0x5401), 0),
        ("ioctl", (0, 0x5412), errno.EPERM),
        ("ioctl", (0, 1 << 32 | 0x5412), errno.EPERM),
        ("ioctl", (0, 0x541C), errno.EPERM),
        ("getsockopt", (3, 1, 17), 0),
        ("getsockopt", (3, 1, 77), errno.EPERM),
        ("getsockopt", (3, 6, 77), 0),
        ("kill", (1, 9), 0),
        ("prlimit64", (5, 7), 0),
    ],
)
def test_arguments_decide(machine, call, arguments, expected):
    assert verdict(NAMESPACES, machine, call, *arguments) == expected


@pytest.mark.parametrize(
    ("call", "arguments", "expected"),
    [
        ("socket", (UNIX, 1, 0), errno.EAFNOSUPPORT),
        ("socket", (INET, 1, 0), errno.EAFNOSUPPORT),
        ("kill", (77, 9), 0),
        ("kill", (1, 9), errno.EPERM),
        ("kill", (0xFFFFFFFF, 9), errno.EPERM),
        ("tgkill", (77, 78, 6), 0),
        ("tgkill", (1, 1, 9), errno.EPERM),
        ("pidfd_send_signal", (3, 9), errno.EPERM),
        ("fcntl", (3, 2), 0),
        ("fcntl", (3, 8), errno.EPERM),
        ("prlimit64", (0, 7), 0),
        ("prlimit64", (5, 7), errno.EPERM),
        ("sched_setaffinity", (0,), 0),
        ("sched_setaffinity", (5,), errno.EPERM),
        ("setpriority", (0, 0), 0),
        ("setpriority", (2, 0), errno.EPERM),
        ("mount", (), errno.EPERM),
        ("fchown", (3, 0, 0), errno.EPERM),
        ("truncate", (), errno.EPERM),
        ("openat", (3, 0, 0), 0),
        ("openat", (3, 0, 0o1001), 0),
        ("openat", (3, 0, 0o1002), 0),
        ("openat", (3, 0, 0o1000), errno.EACCES),
        ("openat", (3, 0, 0o1003), errno.EACCES),
    ],
)
def test_a_shared_machine_allows_less(machine, call, arguments, expected):
    assert verdict(SHARED, machine, call, *arguments) == expected


@pytest.mark.parametrize(
    ("call", "arguments", "expected"),
    [
        ("socket", (INET, 1, 0), 0),
        ("socket", (INET, 0o2004001, 6), 0),
        ("socket", (INET, 1, 262), errno.EAFNOSUPPORT),  # MPTCP
        ("socket", (INET, 1, 132), errno.EAFNOSUPPORT),  # SCTP
        ("socket", (INET, 2, 0), errno.EAFNOSUPPORT),
        ("socket", (INET6, 1, 0), errno.EAFNOSUPPORT),
        ("socket", (UNIX, 1, 0), errno.EAFNOSUPPORT),
        ("socket", (NETLINK, 3, 0), 0),
        ("sendto", (3, 0, 0, 0x4000), 0),
        ("sendto", (3, 0, 0, 0x20004000), errno.EPERM),
        ("sendmsg", (3, 0, 0x20000000), errno.EPERM),
        ("sendmmsg", (3, 0, 1, 0x20000000), errno.EPERM),
    ],
)
def test_a_shared_network_is_tcp_alone(machine, call, arguments, expected):
    assert verdict(policy.shared_machine(77, 7, tcp=True), machine, call, *arguments) == expected


def test_modes_of_files_on_a_shared_machine_only_seem_to_change(machine):
    program = assemble(SHARED, machine)
    for name in ("fchmod", "fchmodat", "utimensat"):
        result = run(program, NUMBERS[machine][name], architecture=AUDIT_ARCHITECTURE[machine])
        assert result == 0x00050000  # errno 0: it succeeds, and has not run


def test_a_newer_landlock_needs_fewer_rules(machine):
    newer = policy.shared_machine(77, 7, tcp=False)
    for call, arguments in (("kill", (1, 9)), ("truncate", ()), ("openat", (3, 0, 0o1000)), ("fcntl", (3, 8))):
        assert verdict(newer, machine, call, *arguments) == 0


def test_another_architectures_door_kills(machine):
    i386 = 0x40000003
    assert run(assemble(NAMESPACES, machine), 0, architecture=i386) == KILL


@pytest.mark.parametrize("number", [LAST_KNOWN + 1, 1000, 0x40000000, 0x40000000 | 39, 0xFFFFFFFF])
def test_calls_beyond_the_tables_do_not_exist(machine, number):
    result = run(assemble(NAMESPACES, machine), number, architecture=AUDIT_ARCHITECTURE[machine])
    assert result == 0x00050000 | errno.ENOSYS


def test_the_first_rule_that_fits_decides(machine):
    rules = [
        Rule("kill", ALLOW, [Is(0, 5), HasAny(1, 0b110)]),
        Rule("kill", fail(errno.EBUSY), [Is(0, 5)]),
        Rule("kill", fail(errno.EBADF), [Is(1, 0x30, 0xF0)]),
        Rule("kill", fail(errno.EPERM)),
    ]
    assert verdict(rules, machine, "kill", 5, 0b010) == 0
    assert verdict(rules, machine, "kill", 5, 0b001) == errno.EBUSY
    assert verdict(rules, machine, "kill", 6, 0x35) == errno.EBADF
    assert verdict(rules, machine, "kill", 6, 0x75) == errno.EPERM
    assert verdict(rules, machine, "tkill", 5, 0b010) == 0


def test_numbers_are_those_of_the_kernels_headers(machine):
    header = next((path for path in HEADERS[machine] if path.exists()), None)
    if header is None:
        pytest.skip("the kernel's headers are not installed")
    text = header.read_text()
    if machine == AARCH64:
        text = text.replace("#define __NR3264_", "#define __NR_")
    defined = {name: int(number) for name, number in re.findall(r"#define __NR_(\w+) (\d+)", text)}
    compared = {name: number for name, number in NUMBERS[machine].items() if name in defined}
    assert len(compared) > 80
    assert compared == {name: defined[name] for name in compared}


def test_policies_name_only_known_calls():
    for rule in (*NAMESPACES, *SHARED, *policy.TCP_ALONE):
        assert rule.call in NUMBERS[X86_64] or rule.call in NUMBERS[AARCH64], rule.call


def test_a_program_fits_into_the_kernel(machine):
    assert len(assemble(SHARED, machine)) < 4096


IN_THE_KERNEL = """
import json, os, signal, socket, subprocess, sys
sys.path.insert(0, sys.argv[1])
from grader.sandbox import linux, policy, seccomp

def code_of(call, *arguments):
    try:
        call(*arguments)
    except OSError as error:
        return error.errno
    return 0

path = sys.argv[2]
reading = os.open(path, os.O_RDONLY)
linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
seccomp.install(policy.shared_machine(os.getpid(), 1, tcp=False))
print(json.dumps({
    "signal to itself": code_of(os.kill, os.getpid(), 0),
    "signal to its parent": code_of(os.kill, os.getppid(), 0),
    "signal to all": code_of(os.kill, -1, 0),
    "program": subprocess.run(["/bin/echo", "hello"], capture_output=True, text=True).stdout,
    "open to read": code_of(os.open, path, os.O_RDONLY),
    "open to write": code_of(os.open, path, os.O_WRONLY | os.O_TRUNC),
    "open to read and truncate": code_of(os.open, path, os.O_RDONLY | os.O_TRUNC),
    "truncate": code_of(os.truncate, path, 0),
    "mode": code_of(os.fchmod, reading, 0),
    "socket": code_of(socket.socket),
    "pair of sockets": code_of(socket.socketpair),
}))
"""


@pytest.mark.skipif(sys.platform != "linux" or not seccomp.supported(), reason="needs Linux on a machine with tables")
def test_the_kernel_agrees(tmp_path):
    file = tmp_path / "file"
    file.touch(0o640)
    command = [sys.executable, "-c", IN_THE_KERNEL, str(REPOSITORY), str(file)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "signal to itself": 0,
        "signal to its parent": errno.EPERM,
        "signal to all": errno.EPERM,
        "program": "hello\n",
        "open to read": 0,
        "open to write": 0,
        "open to read and truncate": errno.EACCES,
        "truncate": errno.EPERM,
        "mode": 0,
        "socket": errno.EAFNOSUPPORT,
        "pair of sockets": 0,
    }
    assert file.stat().st_mode & 0o777 == 0o640
