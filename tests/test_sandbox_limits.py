"""What a worker may use, and what the sandbox says that it has used."""

import errno
import platform
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "sandbox_programs"))
from harness import Raised, below, inmate, refused, start

from grader.sandbox.launch import Level
from grader.sandbox.policy import PR_SET_MM
from grader.sandbox.processes import FRESH_SECONDS
from grader.sandbox.syscalls import NUMBERS

MIB = 1 << 20
PR_SET_MM_MAP_SIZE = 15


@pytest.fixture(scope="module", params=[Level.NAMESPACES, Level.LANDLOCK], ids=str)
def sandbox(request):
    with start(request.param) as sandbox:
        yield sandbox


@pytest.fixture
def inside(sandbox):
    with inmate(sandbox) as found:
        yield found


class TestLimits:
    def test_processes(self, sandbox):
        with inmate(sandbox, processes=12) as inside:
            children = inside.fork_until_refused(60)
            # without namespaces, all processes of this user id count, and others may come and go
            assert 8 <= children < (12 if sandbox.level is Level.NAMESPACES else 40)
            assert inside.worker.usage().processes == children + 1
        assert len(below(sandbox)) == 2

    def test_processes_count_for_each_worker(self, sandbox):
        if sandbox.level is not Level.NAMESPACES:
            pytest.skip("only namespaces can do that")
        with inmate(sandbox, processes=12) as one, inmate(sandbox, processes=12) as other:
            assert one.fork_until_refused(60) == other.fork_until_refused(60) == 11

    def test_memory(self, sandbox):
        with inmate(sandbox, memory_mb=64) as inside:
            assert inside.allocate(32) == 32 * MIB
            with pytest.raises(Raised, match="MemoryError"):
                inside.allocate(96)
            assert refused(inside.map_anonymous, 4096) == errno.ENOMEM
            assert inside.echo("alive") == "alive"

    def test_processor_time(self, sandbox):
        with inmate(sandbox, cpu_seconds=1) as inside:
            with pytest.raises(Raised, match="EOFError"):
                inside.spin(30)
            ended = inside.worker.kill()
            assert ended.status == 128 + 24  # SIGXCPU
            assert 0.5 < ended.cpu_seconds < 5  # the limit is watched in ticks, the sum is exact

    def test_open_files(self, sandbox):
        with inmate(sandbox, open_files=40) as inside:
            assert 20 < inside.open_until_refused(200) < 40

    def test_a_flood_of_words_is_cut(self, inside):
        inside.say("first")
        inside.say("x" * 1023, 16 * 1024)  # 16 MiB
        output = inside.worker.output()
        assert output.startswith(b"first\nxxx")
        assert len(output) == 256 * 1024


class TestUsage:
    def test_processor_time_of_children_counts(self, inside):
        inside.fork_and_spin(0.5)
        assert inside.worker.usage().cpu_seconds >= 0.45
        inside.spin(0.3)
        assert inside.worker.kill().cpu_seconds >= 0.75

    def test_memory_is_counted_once(self, inside):
        before = inside.worker.usage().memory_bytes
        inside.share_with_children(100, 4)
        usage = inside.worker.usage()
        assert usage.processes == 5
        assert 90 * MIB < usage.memory_bytes - before < 150 * MIB
        ended = inside.worker.kill()
        assert ended.peak_memory_bytes >= usage.memory_bytes

    @pytest.mark.parametrize(
        ("attempt", "arguments", "megabytes"),
        [("start_programs", [10, 4], 40), ("fill_behind_its_own_back", [64], 64), ("fill_sockets", [3, 240], 90)],
    )
    def test_memory_that_hides_counts(self, inside, attempt, arguments, megabytes):
        before = inside.worker.usage().memory_bytes
        getattr(inside, attempt)(*arguments)
        time.sleep(FRESH_SECONDS)
        assert inside.worker.usage().memory_bytes - before >= megabytes * MIB

    def test_its_own_facts_cannot_be_forged(self, inside):
        call = NUMBERS[platform.machine()]["prctl"]
        assert inside.system_call(call, PR_SET_MM, PR_SET_MM_MAP_SIZE, 0) == errno.EPERM  # and not EFAULT

    @pytest.mark.parametrize(
        ("attempt", "arguments", "megabytes"),
        [
            ("fill", [".", 20], 20),
            ("keep_deleted", [20], 20),
            ("fill_in_the_dark", [1], 1),
            ("make_files", [".", 500], 1),
        ],
    )
    def test_files_on_the_machines_own_disk_count(self, sandbox, attempt, arguments, megabytes):
        if sandbox.level is Level.NAMESPACES:
            pytest.skip("there, the kernel holds a worker to its limit")
        with inmate(sandbox) as inside:
            assert inside.worker.usage().scratch_bytes < MIB
            getattr(inside, attempt)(*arguments)
            time.sleep(0.6)
            assert inside.worker.usage().scratch_bytes >= megabytes * MIB
