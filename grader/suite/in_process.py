"""The student's code in the author's or the student's own process: no sandbox, for code that one trusts.

The same server answers the same requests as in a worker; only the socket is missing.
"""

import sys
from collections.abc import Callable
from pathlib import Path

from grader.sandbox.remote import Remote
from grader.sandbox.worker import Server
from grader.suite.figures import summarise
from grader.suite.student import Student


class InProcessSeat:
    """A `Seat` without a process of its own."""

    def __init__(self, folder: Path, wrap: Callable) -> None:
        self._folder = folder
        self._forget()
        sys.path.insert(0, str(folder))
        self.remote = Remote(CopyingChannel(Server(folder, summarise, fatal=(KeyboardInterrupt,))), wrap)

    def begin_check(self) -> None:
        """Nothing is metered here; pytest-timeout stops what hangs."""

    def leave(self) -> str:
        if str(self._folder) in sys.path:
            sys.path.remove(str(self._folder))
        self._forget()
        return ""

    def _forget(self) -> None:
        """Drop the folder's modules, and others of the same names, so that another folder's can be imported."""
        names = {path.stem for path in self._folder.glob("*.py")}
        for name in names & set(sys.modules):
            origin = getattr(sys.modules[name], "__file__", None)
            if origin is None or Path(origin).parent == self._folder or Path(origin).parent.name == self._folder.name:
                del sys.modules[name]


class CopyingChannel:
    """Hands requests to a server in this process, copying buffers as a socket would: nobody shares memory."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def exchange(self, header: bytes, buffers: list[memoryview]) -> tuple[bytes, list[bytearray]]:
        reply, reply_buffers = self._server.exchange(header, [bytearray(buffer) for buffer in buffers])
        return reply, [bytearray(buffer) for buffer in reply_buffers]


def student_in(folder: Path, modules: list[str], shipped: str = "") -> Student:
    """The submission in `folder`, run in this process."""
    missing = [module for module in modules if not (folder / f"{module}.py").is_file()]
    return Student(lambda wrap: InProcessSeat(folder, wrap), modules, missing=missing, shipped=shipped)
