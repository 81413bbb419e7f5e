"""The system calls that a submission's code is refused, as data, each with the reason."""

import errno

from grader.sandbox import linux
from grader.sandbox.seccomp import ALLOW, PRETEND, HasAny, Is, Rule, fail

AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, NETLINK_ROUTE = 1, 2, 10, 16, 0
SOCK_STREAM, SOCK_NONBLOCK, SOCK_CLOEXEC, IPPROTO_TCP, MSG_FASTOPEN = 1, 0o4000, 0o2000000, 6, 0x20000000
SOCK_SEQPACKET, SOCK_TYPES = 5, 0xF
PR_SET_MM = 35
SOL_SOCKET, SO_PASSPIDFD, SO_PEERPIDFD = 1, 76, 77
TIOCSTI, TIOCLINUX, FIOSETOWN, SIOCSPGRP = 0x5412, 0x541C, 0x8901, 0x8902
RLIMIT_CORE = 4  # once lowered to 0, a crash would start the machine's handler of core dumps
F_SETOWN, F_SETSIG, F_SETOWN_EX, F_SETLEASE = 8, 10, 15, 1024
O_ACCMODE, O_WRONLY, O_RDWR, O_TRUNC = 3, 1, 2, 0o1000
CLONE_NEWCGROUP = 0x02000000
NEW_NAMESPACES = (
    CLONE_NEWCGROUP
    | linux.CLONE_NEWNS
    | linux.CLONE_NEWUTS
    | linux.CLONE_NEWIPC
    | linux.CLONE_NEWUSER
    | linux.CLONE_NEWPID
    | linux.CLONE_NEWNET
)

REFUSED = {
    "other processes": "ptrace process_vm_readv process_vm_writev process_madvise process_mrelease kcmp pidfd_getfd",
    "wide kernel interfaces": (
        "bpf io_uring_setup io_uring_enter io_uring_register userfaultfd perf_event_open fanotify_init fanotify_mark "
        "lookup_dcookie"
    ),
    "keys, which no namespace holds apart": "add_key request_key keyctl",
    "namespaces, mounts and roots": (
        "unshare setns mount umount2 pivot_root chroot fsopen fsconfig fsmount fspick move_mount open_tree "
        "open_tree_attr mount_setattr statmount listmount name_to_handle_at open_by_handle_at"
    ),
    "the machine": (
        "init_module finit_module delete_module kexec_load kexec_file_load reboot swapon swapoff acct quotactl "
        "quotactl_fd syslog vhangup iopl ioperm modify_ldt personality settimeofday clock_settime adjtimex "
        "clock_adjtime sethostname setdomainname nfsservctl uselib ustat sysfs _sysctl lsm_set_self_attr"
    ),
    "placement of memory": "mbind set_mempolicy set_mempolicy_home_node migrate_pages move_pages",
    "memory outside every file system and its limits": "memfd_create memfd_secret shmget shmat msgget semget mq_open",
    "identity": "setuid setgid setreuid setregid setresuid setresgid setfsuid setfsgid setgroups",
}

ALWAYS = [
    *(Rule(name, fail(errno.EPERM)) for names in REFUSED.values() for name in names.split()),
    Rule("clone", fail(errno.EPERM), [HasAny(0, NEW_NAMESPACES)]),
    Rule("clone3", fail(errno.ENOSYS)),  # its flags lie in memory, where no filter looks; libraries fall back on clone
    Rule("getsockopt", fail(errno.EPERM), [Is(1, SOL_SOCKET), Is(2, SO_PEERPIDFD)]),  # a handle on the trusted process
    Rule("setsockopt", fail(errno.EPERM), [Is(1, SOL_SOCKET), Is(2, SO_PASSPIDFD)]),
    Rule("prctl", fail(errno.EPERM), [Is(0, PR_SET_MM)]),  # where its stack begins tells whose heir a process is
    Rule("fcntl", fail(errno.EPERM), [Is(1, F_SETLEASE)]),  # whoever opens a leased file waits, in other workers too
    Rule("ioctl", fail(errno.EPERM), [Is(1, TIOCSTI)]),  # types on a terminal
    Rule("ioctl", fail(errno.EPERM), [Is(1, TIOCLINUX)]),
]

NO_CORE_DUMPS = [
    Rule(name, fail(errno.EPERM), [Is(at, RLIMIT_CORE)]) for name, at in (("prlimit64", 1), ("setrlimit", 0))
]

OWN_NETWORK = [
    Rule("socket", ALLOW, [Is(0, AF_UNIX)]),
    Rule("socket", ALLOW, [Is(0, AF_INET)]),
    Rule("socket", ALLOW, [Is(0, AF_INET6)]),
    Rule("socket", ALLOW, [Is(0, AF_NETLINK), Is(2, NETLINK_ROUTE)]),  # lists the addresses of this machine
    Rule("socket", fail(errno.EAFNOSUPPORT)),  # VSOCK, say, which no network namespace holds apart
]

# Of a pair of datagram sockets, either can send to whatever has an address
PAIRS_THAT_STAY_SO = [
    Rule("socketpair", ALLOW, [Is(1, SOCK_STREAM, SOCK_TYPES)]),
    Rule("socketpair", ALLOW, [Is(1, SOCK_SEQPACKET, SOCK_TYPES)]),
    Rule("socketpair", fail(errno.EAFNOSUPPORT)),
]

NO_NETWORK = [  # nor unix sockets: privileged services listen behind them
    *PAIRS_THAT_STAY_SO,
    Rule("socket", fail(errno.EAFNOSUPPORT)),
]

# What the ranks of a process group need, and no more; Landlock sees to where it may connect
TCP_ALONE = [
    *PAIRS_THAT_STAY_SO,
    *(
        Rule("socket", ALLOW, [Is(0, AF_INET), Is(1, SOCK_STREAM | flags), Is(2, protocol)])
        for flags in (0, SOCK_NONBLOCK, SOCK_CLOEXEC, SOCK_NONBLOCK | SOCK_CLOEXEC)
        for protocol in (0, IPPROTO_TCP)
    ),
    Rule("socket", ALLOW, [Is(0, AF_NETLINK), Is(2, NETLINK_ROUTE)]),
    Rule("socket", fail(errno.EAFNOSUPPORT)),
    Rule("sendto", fail(errno.EPERM), [HasAny(3, MSG_FASTOPEN)]),  # connects behind Landlock's back
    Rule("sendmsg", fail(errno.EPERM), [HasAny(2, MSG_FASTOPEN)]),
    Rule("sendmmsg", fail(errno.EPERM), [HasAny(3, MSG_FASTOPEN)]),
]

# Limits and priorities are its own alone, and not those of the user's other processes
SHARED_PROCESSES = [
    *(
        rule
        for name in ("prlimit64", "sched_setaffinity", "sched_setscheduler", "sched_setparam", "sched_setattr")
        for rule in (Rule(name, ALLOW, [Is(0, 0)]), Rule(name, fail(errno.EPERM)))
    ),
    Rule("setpriority", ALLOW, [Is(0, 0), Is(1, 0)]),
    Rule("setpriority", fail(errno.EPERM)),
    Rule("ioprio_set", ALLOW, [Is(0, 1), Is(1, 0)]),
    Rule("ioprio_set", fail(errno.EPERM)),
]

# What Landlock lets pass on files that the same user owns. Copying a file sets modes and times: that must not fail
SHARED_FILES = [
    *(Rule(name, PRETEND) for name in "chmod fchmod fchmodat fchmodat2 utime utimes futimesat utimensat".split()),
    *(
        Rule(name, fail(errno.EPERM))
        for name in (
            "chown fchown lchown fchownat setxattr lsetxattr fsetxattr setxattrat removexattr lremovexattr "
            "fremovexattr removexattrat file_setattr inotify_add_watch"
        ).split()
    ),
]

# For a Landlock that does not see truncation (before version 3)
UNSEEN_TRUNCATION = [
    Rule("truncate", fail(errno.EPERM)),
    Rule("openat2", fail(errno.ENOSYS)),  # its flags lie in memory
    *(
        rule
        for name, flags in (("open", 1), ("openat", 2))
        for rule in (
            Rule(name, ALLOW, [Is(flags, O_WRONLY, O_ACCMODE)]),  # which Landlock judges
            Rule(name, ALLOW, [Is(flags, O_RDWR, O_ACCMODE)]),
            Rule(name, fail(errno.EACCES), [HasAny(flags, O_TRUNC)]),
        )
    ),
]


def unscoped_signals(own_pid: int) -> list[Rule]:
    """For a Landlock that does not hold signals back (before version 6): process `own_pid` may signal itself alone."""
    return [
        *(
            rule
            for name in ("kill", "tgkill", "tkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo")
            for rule in (Rule(name, ALLOW, [Is(0, own_pid)]), Rule(name, fail(errno.EPERM)))
        ),
        Rule("pidfd_send_signal", fail(errno.EPERM)),
        *(Rule("fcntl", fail(errno.EPERM), [Is(1, command)]) for command in (F_SETOWN, F_SETSIG, F_SETOWN_EX)),
        *(Rule("ioctl", fail(errno.EPERM), [Is(1, command)]) for command in (FIOSETOWN, SIOCSPGRP)),
    ]


def own_namespaces() -> list[Rule]:
    """For a process in namespaces of its own."""
    return [*NO_CORE_DUMPS, *OWN_NETWORK, *ALWAYS]


def shared_machine(own_pid: int, landlock_version: int, *, tcp: bool) -> list[Rule]:
    """For process `own_pid` under Landlock in the machine's own namespaces, with or without TCP."""
    rules = [*NO_CORE_DUMPS, *(TCP_ALONE if tcp else NO_NETWORK), *SHARED_PROCESSES, *SHARED_FILES]
    if landlock_version < 3:
        rules += UNSEEN_TRUNCATION
    if landlock_version < 6:
        rules += unscoped_signals(own_pid)
    return [*rules, *ALWAYS]
