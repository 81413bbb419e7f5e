"""A poll loop: descriptors and what to do when one of them can be read."""

import select
from collections.abc import Callable

TICK_SECONDS = 0.005

Callback = Callable[[], None]


class Loop:
    """Calls back, one at a time, for each watched descriptor that can be read or has lost its other end."""

    def __init__(self) -> None:
        self._poll = select.poll()
        self._callbacks: dict[int, Callback] = {}
        self._ticking: list[Callback] = []

    def watch(self, descriptor: int, callback: Callback) -> None:
        self._callbacks[descriptor] = callback
        self._poll.register(descriptor, select.POLLIN)

    def forget(self, descriptor: int) -> None:
        """To be called before the descriptor is closed."""
        del self._callbacks[descriptor]
        self._poll.unregister(descriptor)

    def tick(self, callback: Callback) -> None:
        """Call back at every turn of the loop, and soon, until `untick`."""
        self._ticking.append(callback)

    def untick(self, callback: Callback) -> None:
        self._ticking.remove(callback)

    def turn(self) -> None:
        """Wait for something to happen and serve it."""
        for descriptor, _ in self._poll.poll(TICK_SECONDS * 1000 if self._ticking else None):
            if callback := self._callbacks.get(descriptor):  # an earlier callback of this turn may have forgotten it
                callback()
        for callback in list(self._ticking):
            callback()
