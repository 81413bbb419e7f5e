"""Landlock: a process gives up, for itself and its descendants, all file access but what it names beforehand."""

import ctypes
import os
import struct
from collections.abc import Iterable
from enum import IntFlag

from grader.sandbox import linux

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on every architecture
_VERSION_FLAG = 1
_RULE_PATH_BENEATH, _RULE_NET_PORT = 1, 2
_BIND_TCP, _CONNECT_TCP = 1, 2


class Access(IntFlag):
    """What can be done with a file or folder, in the kernel's order."""

    EXECUTE = 1 << 0
    WRITE_FILE = 1 << 1
    READ_FILE = 1 << 2
    READ_DIR = 1 << 3
    REMOVE_DIR = 1 << 4
    REMOVE_FILE = 1 << 5
    MAKE_CHAR = 1 << 6
    MAKE_DIR = 1 << 7
    MAKE_REG = 1 << 8
    MAKE_SOCK = 1 << 9
    MAKE_FIFO = 1 << 10
    MAKE_BLOCK = 1 << 11
    MAKE_SYM = 1 << 12
    REFER = 1 << 13
    TRUNCATE = 1 << 14
    IOCTL_DEV = 1 << 15


FILE_ONLY = Access.EXECUTE | Access.WRITE_FILE | Access.READ_FILE | Access.TRUNCATE | Access.IOCTL_DEV
READ = Access.EXECUTE | Access.READ_FILE | Access.READ_DIR
USE = Access.READ_FILE | Access.WRITE_FILE | Access.TRUNCATE
EVERYTHING = Access((1 << 16) - 1)

_SINCE = {2: Access.REFER, 3: Access.TRUNCATE, 5: Access.IOCTL_DEV}  # ABI version that introduced it
_SCOPES = 0b11  # abstract unix sockets and signals stay within; ABI 6
_SCOPES_SINCE = 6
_NETWORK_SINCE = 4


def abi() -> int:
    """The kernel's Landlock version; 0 where there is none, or where it is switched off."""
    try:
        return linux.syscall(_CREATE_RULESET, None, 0, _VERSION_FLAG, what="landlock_create_ruleset")
    except OSError:
        return 0


def restricts_tcp() -> bool:
    """Whether a process can be kept from connecting to all but a few TCP ports."""
    return abi() >= _NETWORK_SINCE


def tcp_ruleset(connect_to: Iterable[int]) -> int:
    """A ruleset (a descriptor, for `enforce`) that leaves a process TCP servers on ports the kernel picks, and
    connections to these ports of any machine: ports are all that Landlock knows."""
    attributes = ctypes.create_string_buffer(struct.pack("QQ", 0, _BIND_TCP | _CONNECT_TCP), 16)
    ruleset = linux.syscall(_CREATE_RULESET, attributes, 16, 0, what="landlock_create_ruleset")
    for access, port in ((_BIND_TCP, 0), *((_CONNECT_TCP, port) for port in connect_to)):
        rule = ctypes.create_string_buffer(struct.pack("<QQ", access, port), 16)
        linux.syscall(_ADD_RULE, ruleset, _RULE_NET_PORT, rule, 0, what=f"landlock_add_rule port {port}")
    return ruleset


def enforce(ruleset: int) -> None:
    """Put this process under a ruleset for good; needs no_new_privs."""
    linux.syscall(_RESTRICT_SELF, ruleset, 0, what="landlock_restrict_self")


def restrict(rules: Iterable[tuple[str, Access]]) -> None:
    """Leave this process the named access beneath each path (those that exist), and none elsewhere.

    Needs no_new_privs.

    Raises:
        OSError: Landlock is missing, or a rule was refused.
    """
    version = abi()
    if not version:
        raise OSError("landlock: expected a kernel with Landlock switched on, found none")
    handled = Access((1 << 13) - 1)
    for since, access in _SINCE.items():
        if version >= since:
            handled |= access
    scopes = _SCOPES if version >= _SCOPES_SINCE else 0
    attributes = struct.pack("QQQ", handled, 0, scopes)
    size = 24 if version >= _SCOPES_SINCE else 16 if version >= _NETWORK_SINCE else 8
    buffer = ctypes.create_string_buffer(attributes, 24)
    ruleset = linux.syscall(_CREATE_RULESET, buffer, size, 0, what="landlock_create_ruleset")
    try:
        for path, access in rules:
            _allow(ruleset, path, access & handled)
        enforce(ruleset)
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: str, access: Access) -> None:
    if not os.path.exists(path):
        return
    if not os.path.isdir(path):
        access &= FILE_ONLY
    with linux.opened(path, os.O_PATH) as descriptor:
        rule = ctypes.create_string_buffer(struct.pack("<Qi", access, descriptor), 12)
        linux.syscall(_ADD_RULE, ruleset, _RULE_PATH_BENEATH, rule, 0, what=f"landlock_add_rule {path}")
