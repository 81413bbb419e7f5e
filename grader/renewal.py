"""A warm process that several gradings use at once, and that is replaced when it has died or grown."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar

from grader.errors import GraderFault

GROWTH_BYTES = 512 << 20  # a warm process that has so much more than at its start is replaced
USES_BETWEEN_LOOKS = 20


class WarmProcess(Protocol):
    """What can be replaced."""

    @property
    def alive(self) -> bool: ...

    def memory(self) -> int:
        """Bytes of resident memory that are no file's."""

    def close(self) -> None: ...


T = TypeVar("T", bound=WarmProcess)


class Renewable(Generic[T]):
    """Hands out the present process; one that was replaced is closed when its last user has let go of it."""

    def __init__(self, first: T, start: Callable[[], T]) -> None:
        self._start = start
        self._lock = threading.Lock()
        self._replacing = threading.Lock()
        self._users: dict[int, int] = {}
        self._retired: dict[int, T] = {}
        self._uses = 0
        self._closed = False
        self._install(first)

    def _install(self, process: T) -> None:
        self.present = process
        self._memory_at_start = process.memory()

    @contextmanager
    def use(self) -> Iterator[T]:
        """The present process, which stays open until the end of the `with`."""
        with self._lock:
            process = self.present
            self._users[id(process)] = self._users.get(id(process), 0) + 1
            self._uses += 1
        try:
            yield process
        finally:
            with self._lock:
                self._users[id(process)] -= 1
                last = None
                if not self._users[id(process)]:
                    del self._users[id(process)]
                    last = self._retired.pop(id(process), None)
            if last is not None:
                last.close()

    def renew_if_needed(self) -> None:
        """Replace the present process if it is dead, or at times a look finds that it has grown; others go on with it.

        Raises:
            GraderError: a new one cannot be started, or everything has been closed.
        """
        with self._replacing:
            if self._closed:
                raise GraderFault("the grading was ended")
            old = self.present
            if old.alive and not self._has_grown():
                return
            new = self._start()
            if self._closed:
                new.close()
                raise GraderFault("the grading was ended")
            with self._lock:
                self._install(new)
                in_use = self._users.get(id(old), 0)
                if in_use:
                    self._retired[id(old)] = old
            if not in_use:
                old.close()

    def close(self) -> None:
        """End what there is, in use or not."""
        self._closed = True
        for process in (self.present, *self._retired.values()):
            process.close()

    def _has_grown(self) -> bool:
        if self._uses < USES_BETWEEN_LOOKS:
            return False
        self._uses = 0
        return self.present.memory() > self._memory_at_start + GROWTH_BYTES
