"""How many are let in at a time, by what the cores do."""

import os
import threading
import time

import pytest

from grader.pace import IdleShare, Pace, cores

PATIENCE = 20


class Company:
    """Threads that have their turn until they are let go."""

    def __init__(self, pace: Pace, n: int) -> None:
        self.inside, self._lock = 0, threading.Lock()
        self._leave = threading.Semaphore(0)
        self._threads = [threading.Thread(target=self._visit, args=(pace,), daemon=True) for _ in range(n)]
        for thread in self._threads:
            thread.start()

    def _visit(self, pace: Pace) -> None:
        with pace.turn():
            with self._lock:
                self.inside += 1
            self._leave.acquire()
            with self._lock:
                self.inside -= 1

    def let_go(self, n: int) -> None:
        for _ in range(n):
            self._leave.release()

    def has(self, n: int) -> bool:
        """Whether there come to be so many inside, and stay."""
        until = time.monotonic() + PATIENCE
        while self.inside != n and time.monotonic() < until:
            time.sleep(0.005)
        time.sleep(0.05)
        return self.inside == n


@pytest.fixture
def idle() -> list[float]:
    """What the next look finds, in its only place."""
    return [0.0]


@pytest.fixture
def pace(idle) -> Pace:
    pace = Pace(2, 4, lambda: idle[0])
    pace.close()  # the looks are the tests'
    return pace


def test_while_the_cores_have_work_it_is_as_many_as_were_asked_for(pace):
    company = Company(pace, 6)
    for _ in range(5):
        pace.look()
    assert company.has(2)
    company.let_go(6)
    assert company.has(0)


def test_one_more_at_each_look_that_finds_them_idle_up_to_the_most(pace, idle):
    company = Company(pace, 6)
    assert company.has(2)
    idle[0] = 0.5
    for expected in (3, 4, 4):
        pace.look()
        assert company.has(expected)
    company.let_go(6)


def test_between_much_and_little_it_stays_and_with_little_it_comes_back(pace, idle):
    company = Company(pace, 8)
    for share, allowed in ((0.5, 3), (0.17, 3), (0.02, 2), (0.02, 2)):
        idle[0] = share
        pace.look()
        assert pace.allowed == allowed
    company.let_go(8)


def test_who_waits_for_nobody_is_no_reason_for_more(pace, idle):
    """At the end of a class the cores are idle because there is no more work."""
    idle[0] = 1.0
    for _ in range(3):
        pace.look()
    company = Company(pace, 6)
    assert company.has(2)
    company.let_go(6)


def test_a_number_that_was_asked_for_is_never_exceeded():
    pace = Pace(1, 1, lambda: 1.0)
    company = Company(pace, 3)
    for _ in range(3):
        pace.look()
    assert company.has(1)
    company.let_go(3)


def test_who_fails_gives_its_turn_back(pace):
    for _ in range(5):
        with pytest.raises(ValueError, match="oops"), pace.turn():
            raise ValueError("oops")
    company = Company(pace, 2)
    assert company.has(2)
    company.let_go(2)


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="asks Linux")
def test_the_share_is_that_of_the_time_between_two_calls():
    """All own cores are kept busy for a moment: less of it is idle than of the same moment asleep, or both are busy anyway."""
    assert cores() == len(os.sched_getaffinity(0))
    share = IdleShare()
    assert share() >= 0.0, "no time has passed"
    time.sleep(0.3)
    asleep = share()
    children = []
    for _ in range(cores()):
        pid = os.fork()
        if pid == 0:
            until = time.monotonic() + 0.3
            while time.monotonic() < until:
                pass
            os._exit(0)
        children.append(pid)
    for pid in children:
        os.waitpid(pid, 0)
    busy = share()
    assert 0.0 <= busy <= 1.0
    assert 0.0 <= asleep <= 1.0
    assert busy <= asleep + 0.1
