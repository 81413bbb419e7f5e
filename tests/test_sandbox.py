"""What a worker can and cannot do, tried from inside at each level that this machine allows."""

import contextlib
import errno
import os
import platform
import socket
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "sandbox_programs"))
from harness import PROGRAMS, REPOSITORY, Inmate, Raised, below, inmate, refused, start

from grader.errors import SandboxError
from grader.sandbox.launch import Level, Sandbox
from grader.sandbox.syscalls import NUMBERS

SECRET = "SANDBOX_TEST_SECRET"
MIB = 1 << 20
VSOCK, NETLINK, NETLINK_USERSOCK = 40, 16, 2


@pytest.fixture(scope="module", params=[Level.NAMESPACES, Level.LANDLOCK], ids=str)
def sandbox(request):
    os.environ[SECRET] = "hidden"
    with start(request.param) as sandbox:
        yield sandbox
    del os.environ[SECRET]


@pytest.fixture
def inside(sandbox):
    with inmate(sandbox) as found:
        yield found


@pytest.fixture
def in_namespaces(sandbox, inside):
    if sandbox.level is not Level.NAMESPACES:
        pytest.skip("only namespaces can do that")
    return inside


def test_a_worker_answers_and_finds_what_was_imported(inside):
    assert inside.echo({"a": [1, 2.5, None, "ü"]}) == {"a": [1, 2.5, None, "ü"]}
    assert inside.where()["threads"] == 1
    assert inside.run(["/bin/echo", "hello"]) == "hello\n"


def changes_nothing_outside(inside: Inmate, path: Path, *errnos: int) -> bool:
    """Whether writing there is refused with one of these.

    Where the checkout itself lies in /tmp it may be written to the worker's own /tmp, and to nothing else.
    """
    there_before = path.exists()
    try:
        inside.write(str(path))
    except Raised as error:
        return error.errno in errnos
    own = Path(inside.where()["folder"])
    return own == Path("/tmp") in path.parents and not there_before and not path.exists()


class TestFiles:
    def test_hidden_files_do_not_open(self, inside, tmp_path):
        secret = tmp_path / "hidden.txt"
        secret.write_text("the labels")
        tmp_path.chmod(0o755)
        secret.chmod(0o644)
        paths = [str(secret), str(REPOSITORY / "pyproject.toml"), "/etc/shadow", "/etc/hostname"]
        assert {refused(inside.read, path) for path in paths} <= {errno.ENOENT, errno.EACCES, errno.EPERM}

    def test_repository_and_homes_do_not_exist(self, in_namespaces, tmp_path):
        assert not in_namespaces.exists(str(REPOSITORY / ".git"))
        assert not in_namespaces.exists(str(REPOSITORY / "tests" / "test_sandbox.py"))
        assert not in_namespaces.exists(str(tmp_path))
        assert not any(in_namespaces.exists(path) for path in ("/home", "/var", "/sys", "/run", "/mnt", "/old"))
        assert in_namespaces.entries("/tmp") == _parents_shown_in("/tmp")

    def test_folders_around_what_is_shown_cannot_be_listed(self, sandbox, inside):
        around = str(PROGRAMS.parent)
        if sandbox.level is Level.NAMESPACES:
            assert inside.entries(around) == [PROGRAMS.name]
        else:
            assert refused(inside.entries, around) == errno.EACCES

    def test_what_is_shown_cannot_be_written(self, inside):
        paths = [
            PROGRAMS / "new",
            PROGRAMS / "inmate.py",
            Path(sys.prefix) / "new",
            Path(os.__file__),
            Path("/etc/new"),
        ]
        assert [path for path in paths if not changes_nothing_outside(inside, path, errno.EROFS, errno.EACCES)] == []

    def test_writing_outside_scratch_fails(self, inside):
        paths = ["/new", "/usr/new", "/dev/new", "/proc/self/oom_score_adj", "/var/tmp/new", REPOSITORY / "new"]
        allowed = errno.EROFS, errno.EACCES, errno.ENOENT
        assert [path for path in paths if not changes_nothing_outside(inside, Path(path), *allowed)] == []

    def test_scratch_can_be_written(self, inside):
        scratch = inside.where()["folder"]
        assert inside.environment()["TMPDIR"] == scratch
        assert inside.write(f"{scratch}/a", 1) == MIB + 1
        assert inside.write("b") == 1
        assert inside.read("b") == "x"

    def test_modes_of_files_outside_stay(self, inside, tmp_path):
        victim = tmp_path / "victim"
        victim.write_text("the grades")
        for path, mode in ((victim, 0o666), (tmp_path, 0o777)):
            path.chmod(mode)
        with contextlib.suppress(Raised):
            inside.change_mode(str(victim), 0)
        for attempt in (inside.truncate, inside.change_owner):
            assert refused(attempt, str(victim)) in (errno.ENOENT, errno.EACCES, errno.EPERM)
        assert victim.stat().st_mode & 0o777 == 0o666
        assert victim.read_text() == "the grades"

    def test_files_can_be_copied(self, inside):
        inside.write("a")
        assert inside.copy("a", "b") == "b"

    def test_scratch_has_a_size(self, sandbox):
        if sandbox.level is not Level.NAMESPACES:
            pytest.skip("only namespaces can do that")
        with inmate(sandbox, scratch_mb=8, scratch_files=50) as inside:
            for folder in ("/tmp", "/dev/shm"):
                assert 7 <= inside.fill(folder, 100) <= 8
                assert inside.make_files(folder, 100) < 50

    def test_a_file_has_a_size(self, sandbox):
        with inmate(sandbox, file_mb=2) as inside:
            assert refused(inside.write, "big", 3) == errno.EFBIG

    def test_a_canary_that_can_be_read_stops_everything(self, sandbox, tmp_path):
        tmp_path.chmod(0o755)
        with pytest.raises(SandboxError, match=r"expected .*canary.* to be hidden from submissions"):
            start(sandbox.level, tmp_path, readable=[tmp_path])
        assert not list(tmp_path.iterdir())

    def test_a_canary_must_lie_somewhere(self, sandbox, tmp_path):
        with pytest.raises(SandboxError, match="expected a folder of hidden files"):
            start(sandbox.level, tmp_path / "nowhere")


class TestProcesses:
    def test_no_other_processes_are_seen(self, in_namespaces):
        assert in_namespaces.visible_processes() == [1, in_namespaces.where()["pid"]]

    def test_none_are_listed(self, sandbox, inside):
        if sandbox.level is Level.LANDLOCK:
            assert refused(inside.visible_processes) == errno.EACCES
            assert refused(inside.read, f"/proc/{os.getpid()}/cmdline") == errno.EACCES

    def test_environment_is_clean(self, sandbox, inside):
        assert SECRET not in inside.environment()
        assert SECRET not in inside.read("/proc/self/environ")
        if sandbox.level is Level.NAMESPACES:
            assert SECRET not in inside.read("/proc/1/environ")
        else:
            assert refused(inside.read, f"/proc/{os.getpid()}/environ") == errno.EACCES
        assert inside.environment()["OMP_NUM_THREADS"] == "1"

    def test_privileges_are_gone(self, sandbox, inside):
        status = inside.capabilities()
        assert status["NoNewPrivs:"] == "1"
        assert status["Seccomp:"] == "2"
        if sandbox.level is Level.NAMESPACES:
            assert {int(value, 16) for name, value in status.items() if name.startswith("Cap")} == {0}
        assert inside.where()["uid"] != 0

    def test_no_signal_leaves(self, sandbox, inside):
        victims = [os.getpid(), *below(sandbox)[:2]]
        assert {refused(inside.send_signal, pid, 0) for pid in victims} <= {errno.EPERM, errno.ESRCH}
        assert (
            refused(inside.send_signal, inside.parent(), 0) == errno.EPERM if sandbox.level is Level.LANDLOCK else True
        )

    def test_signalling_everybody_reaches_nobody_outside(self, in_namespaces):
        with pytest.raises(Raised):  # there is nobody: the caller and the first process are left out
            in_namespaces.signal_group(9)
        assert in_namespaces.echo(1) == 1

    def test_limits_of_others_stay(self, inside):
        assert refused(inside.lower_limit_of, os.getpid()) in (errno.EPERM, errno.ESRCH)

    def test_init_cannot_be_taken_over(self, in_namespaces):
        assert refused(in_namespaces.write, "/proc/1/mem") == errno.EACCES

    def test_no_descriptor_is_inherited(self, inside):
        found = inside.descriptors()
        assert found["0"] == "/dev/null"
        assert found["1"].startswith("pipe:")
        assert found["1"] == found["2"]
        rest = [target for name, target in found.items() if int(name) > 2 and not target.startswith("/proc/")]
        assert [target.partition(":")[0] for target in rest] == ["socket"]

    def test_no_handle_on_the_trusted_process(self, inside):
        (connection,) = (int(name) for name, target in inside.descriptors().items() if target.startswith("socket:"))
        assert refused(inside.peer_handle, connection) == errno.EPERM

    def test_workers_draw_different_random_numbers(self, sandbox):
        drawn = []
        for _ in range(2):
            with inmate(sandbox) as inside:
                drawn += inside.random_numbers()
        assert len(set(drawn)) == 4


class TestNetwork:
    def test_a_server_outside_is_out_of_reach(self, sandbox, inside):
        with socket.create_server(("127.0.0.1", 0 if sandbox.level is Level.NAMESPACES else _low_port())) as decoy:
            decoy.setblocking(False)
            code = refused(inside.connect, decoy.getsockname())
            assert code in (errno.ECONNREFUSED, errno.EACCES, errno.EAFNOSUPPORT)
            with pytest.raises(BlockingIOError):
                decoy.accept()

    def test_unix_sockets_outside_are_out_of_reach(self, inside, tmp_path):
        tmp_path.chmod(0o755)
        for address in (str(tmp_path / "socket"), "\0sandbox-test-decoy"):
            with socket.socket(socket.AF_UNIX) as decoy:
                decoy.bind(address)
                decoy.listen()
                if not address.startswith("\0"):
                    os.chmod(address, 0o777)
                assert refused(inside.connect, address) in (errno.ECONNREFUSED, errno.ENOENT, errno.EAFNOSUPPORT)

    def test_families_that_namespaces_do_not_hold_are_refused(self, inside):
        assert refused(inside.open_socket, VSOCK) == errno.EAFNOSUPPORT
        assert refused(inside.open_socket, NETLINK, socket.SOCK_RAW, NETLINK_USERSOCK) == errno.EAFNOSUPPORT

    def test_loopback_serves_the_worker_itself(self, sandbox, inside):
        if "no network" in sandbox.reason:
            pytest.skip("this kernel's Landlock cannot restrict TCP")
        assert inside.talk_to_oneself() == "hello"

    def test_processes_share_memory(self, in_namespaces):
        assert in_namespaces.share_a_lock() == 200

    def test_datagrams_have_no_way_out_of_a_shared_network(self, sandbox, inside):
        if sandbox.level is Level.LANDLOCK:
            assert refused(inside.open_socket, socket.AF_INET, socket.SOCK_DGRAM) == errno.EAFNOSUPPORT
            assert refused(inside.open_socket, socket.AF_UNIX) == errno.EAFNOSUPPORT


REFUSED = (
    "mount umount2 pivot_root chroot unshare setns ptrace process_vm_readv keyctl add_key request_key io_uring_setup bpf "
    "perf_event_open userfaultfd memfd_create shmget kexec_load init_module reboot open_by_handle_at setuid "
    "pidfd_getfd move_mount fsopen mount_setattr swapon syslog clock_settime personality"
)


def test_system_calls_are_refused(inside):
    numbers = NUMBERS[platform.machine()]
    codes = {name: inside.system_call(numbers[name]) for name in REFUSED.split()}
    assert codes == dict.fromkeys(codes, errno.EPERM)


def test_a_new_user_namespace_is_refused_to_clone(inside):
    assert inside.system_call(NUMBERS[platform.machine()]["clone"], 0x10000000 | 17) == errno.EPERM
    assert inside.system_call(NUMBERS[platform.machine()]["clone3"]) == errno.ENOSYS


def _low_port() -> int:
    """A free port below those that the kernel picks, which Landlock leaves open."""
    for port in range(20_000, 30_000):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    pytest.fail("no free port")


def _parents_shown_in(folder: str) -> list[str]:
    """First folders below `folder` in which Python or these programs lie, if they do."""
    shown = [Path(sys.prefix), Path(sys.base_prefix), PROGRAMS, REPOSITORY]
    return sorted({path.relative_to(folder).parts[0] for path in shown if path.is_relative_to(folder)})


def test_sandbox_says_its_level(sandbox):
    assert isinstance(sandbox, Sandbox)
    assert str(sandbox.level) in ("namespaces", "landlock")
    assert "seccomp" in sandbox.reason
    assert {"imports", "warm_up", "memory"} <= set(sandbox.start_up)
