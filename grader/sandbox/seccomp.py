"""Rules about system calls, and their assembly into a seccomp filter. What is refused, and why, stands in `policy.py`.

Of a list of rules, the first that fits a call decides; a call that no rule fits is allowed.
"""

import ctypes
import errno
import platform
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from grader.sandbox import linux
from grader.sandbox.syscalls import AARCH64, AUDIT_ARCHITECTURE, LAST_KNOWN, NUMBERS, X86_64

ALLOW = 0x7FFF0000
KILL = 0x80000000
_FAIL = 0x00050000
PRETEND = _FAIL | 0
"""The call does nothing and succeeds."""

# a BPF instruction's code, and where the kernel puts the call's number, architecture and arguments
_LOAD, _AND, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x45, 0x06
_AT_NUMBER, _AT_ARCHITECTURE, _AT_ARGUMENTS = 0, 4, 16
_MODE_FILTER = 2

Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, constant


def fail(error: int) -> int:
    """The verdict that a call fails with this errno. The program sees it and goes on: libraries like to probe."""
    return _FAIL | error


@dataclass(frozen=True)
class Is:
    """The low 32 bits of an argument, or those in `mask`, have this value. (The kernel, too, looks at no more.)"""

    argument: int
    value: int
    mask: int = 0xFFFFFFFF


@dataclass(frozen=True)
class HasAny:
    """An argument has at least one of these bits."""

    argument: int
    bits: int


@dataclass(frozen=True)
class Rule:
    """What becomes of a system call if all of `when` holds."""

    call: str
    verdict: int
    when: Sequence[Is | HasAny] = ()


def assemble(rules: Iterable[Rule], machine: str) -> list[Instruction]:
    """The rules as a BPF program for `machine` (`x86_64` or `aarch64`); rules for calls it does not have are left out.

    A call through another architecture's door kills; calls newer than the tables do not exist.
    """
    numbers = NUMBERS[machine]
    program = [
        (_LOAD, 0, 0, _AT_ARCHITECTURE),
        (_EQUAL, 1, 0, AUDIT_ARCHITECTURE[machine]),
        (_RETURN, 0, 0, KILL),
        (_LOAD, 0, 0, _AT_NUMBER),
        (_AT_LEAST, 0, 1, LAST_KNOWN + 1),  # and, on x86-64, the x32 calls from 1 << 30 on
        (_RETURN, 0, 0, fail(errno.ENOSYS)),
    ]
    for rule in rules:
        if rule.call in numbers:
            program += _block(rule, numbers[rule.call])
    return [*program, (_RETURN, 0, 0, ALLOW)]


def _block(rule: Rule, number: int) -> list[Instruction]:
    """Instructions of one rule; the call's number is loaded before and after."""
    decision = (_RETURN, 0, 0, rule.verdict)
    if not rule.when:
        return [(_EQUAL, 0, 1, number), decision]
    block = [decision]
    for condition in reversed(rule.when):
        block = [*_test(condition, len(block)), *block]
    return [(_EQUAL, 0, len(block) + 1, number), *block, (_LOAD, 0, 0, _AT_NUMBER)]


def _test(condition: Is | HasAny, length: int) -> list[Instruction]:
    """Go on if the condition holds, else skip the `length` instructions that follow."""
    load = (_LOAD, 0, 0, _AT_ARGUMENTS + 8 * condition.argument)  # the low half, on little-endian machines
    if isinstance(condition, HasAny):
        return [load, (_ANY_BIT, 0, length, condition.bits)]
    return [load, (_AND, 0, 0, condition.mask), (_EQUAL, 0, length, condition.value)]


def supported() -> bool:
    """Whether there are tables for this machine."""
    return platform.machine() in (X86_64, AARCH64)


def install(rules: Iterable[Rule]) -> None:
    """Filter the system calls of this process and its descendants from now on; needs no_new_privs.

    Raises:
        OSError: the kernel refused the filter, or there are no tables for this machine.
    """
    if not supported():
        raise OSError(f"seccomp: expected an x86_64 or aarch64 machine, found {platform.machine()}")
    program = assemble(rules, platform.machine())
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *instruction) for instruction in program))
    header = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(program), ctypes.addressof(code)))
    linux.prctl(linux.PR_SET_SECCOMP, _MODE_FILTER, ctypes.addressof(header))
