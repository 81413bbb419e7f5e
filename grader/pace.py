"""How many submissions are graded at the same moment: one for each core, and some more while the cores have nothing to do.

Code that computes is slower in company than one after the other (it shares caches), so that more jobs than cores cost time.
Code that waits, as in a check of a budget of time or of two ranks, leaves its core to nobody, unless there is another job.
"""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LOOK_SECONDS = 1.0
MUCH, LITTLE = 0.25, 0.10  # shares of idle time beyond which a job is added, and below which it is taken back
_NUMBER_OF_IDLE, _NUMBER_OF_IOWAIT, _LAST_NUMBER = 3, 4, 8  # in a line of /proc/stat, after its name


def cores() -> int:
    """Cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class IdleShare:
    """Which part of the time this process's cores had nothing to do, since the call before."""

    def __init__(self) -> None:
        self._idle, self._all = self._read()

    def __call__(self) -> float:
        idle, everything = self._read()
        passed, self._all = everything - self._all, everything
        idled, self._idle = idle - self._idle, idle
        return idled / passed if passed > 0 else 0.0

    @staticmethod
    def _read() -> tuple[int, int]:
        """Ticks idle and ticks in all; see proc_stat(5)."""
        own = {f"cpu{number}" for number in os.sched_getaffinity(0)}
        idle = everything = 0
        with open("/proc/stat") as file:
            for name, *numbers in map(str.split, file):
                if name in own:
                    ticks = list(map(int, numbers[:_LAST_NUMBER]))
                    idle += ticks[_NUMBER_OF_IDLE] + ticks[_NUMBER_OF_IOWAIT]
                    everything += sum(ticks)
        return idle, everything


class Pace:
    """Lets `jobs` in at a time; up to `most`, as long as looks at `idle_share` find that the cores have little to do."""

    def __init__(self, jobs: int, most: int, idle_share: Callable[[], float]) -> None:
        self._jobs, self._most, self._idle_share = jobs, most, idle_share
        self._running = 0
        self.allowed = jobs
        """Turns that there are at present."""
        self._changed, self._over = threading.Condition(), threading.Event()
        if most > jobs:
            threading.Thread(target=self._look_now_and_then, name="pace", daemon=True).start()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn, and have it for the length of a `with`."""
        with self._changed:
            self._changed.wait_for(lambda: self._running < self.allowed)
            self._running += 1
        try:
            yield
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def look(self) -> None:
        """Allow one more, or one less, by what the cores do."""
        idle = self._idle_share()
        with self._changed:
            if idle > MUCH and self._running >= self.allowed:
                self.allowed = min(self._most, self.allowed + 1)
            elif idle < LITTLE:
                self.allowed = max(self._jobs, self.allowed - 1)
            self._changed.notify_all()

    def close(self) -> None:
        """Look no more."""
        self._over.set()

    def _look_now_and_then(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            self.look()
