"""A warm process is replaced when it has died or grown, without a word to those that still use it."""

import threading
from dataclasses import dataclass, field

import pytest

from grader.errors import GraderFault
from grader.renewal import GROWTH_BYTES, USES_BETWEEN_LOOKS, Renewable


@dataclass
class Fake:
    number: int
    alive: bool = True
    bytes: int = 1000
    closed: int = field(default=0)

    def memory(self) -> int:
        return self.bytes

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def made() -> list[Fake]:
    return [Fake(0)]


@pytest.fixture
def renewable(made) -> Renewable[Fake]:
    def start() -> Fake:
        made.append(Fake(len(made)))
        return made[-1]

    return Renewable(made[0], start)


def use(renewable: Renewable[Fake]) -> int:
    renewable.renew_if_needed()
    with renewable.use() as process:
        return process.number


def test_a_live_one_stays(renewable, made):
    assert {use(renewable) for _ in range(3 * USES_BETWEEN_LOOKS)} == {0}
    assert made[0].closed == 0


def test_a_dead_one_is_replaced_and_closed(renewable, made):
    made[0].alive = False
    assert [use(renewable), use(renewable)] == [1, 1]
    assert [process.closed for process in made] == [1, 0]


def test_one_that_has_grown_is_replaced_at_the_next_look(renewable, made):
    made[0].bytes += GROWTH_BYTES + 1
    numbers = [use(renewable) for _ in range(2 * USES_BETWEEN_LOOKS)]
    assert numbers == USES_BETWEEN_LOOKS * [0] + USES_BETWEEN_LOOKS * [1]
    assert made[0].closed == 1


def test_one_in_use_is_closed_after_its_last_user(renewable, made):
    with renewable.use() as first, renewable.use():
        made[0].alive = False
        renewable.renew_if_needed()
        assert (first.closed, renewable.present.number) == (0, 1)
    assert [process.closed for process in made] == [1, 0]


def test_several_that_find_it_dead_start_one(renewable, made):
    made[0].alive = False
    threads = [threading.Thread(target=renewable.renew_if_needed) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 2


def test_after_closing_nothing_is_started(renewable, made):
    made[0].alive = False
    renewable.close()
    with pytest.raises(GraderFault, match="ended"):
        renewable.renew_if_needed()
    assert [process.closed for process in made] == [1]
