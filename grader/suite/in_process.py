"""The student's code in the author's or the student's own process: no sandbox, for code that one trusts.

The same server answers the same requests as in a worker; only the socket is missing.
"""

import importlib
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from grader.sandbox.remote import Remote
from grader.sandbox.worker import Server
from grader.suite.faults import StudentError
from grader.suite.figures import summarise
from grader.suite.student import Student


class InProcessSeat:
    """A `Seat` without a process of its own; `looks` tells of figures, as `figures.summarise` does."""

    def __init__(
        self, folder: Path, wrap: Callable, looks: Callable[[object], tuple[str, Any] | None] = summarise
    ) -> None:
        self._folder = folder
        _settle()
        self._forget()
        sys.path.insert(0, str(folder))
        importlib.invalidate_caches()  # a helper may have been written since the folder was last looked at
        self.remote = Remote(CopyingChannel(Server(folder, looks, fatal=(KeyboardInterrupt,))), wrap)

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
        for name in [name for name, module in sys.modules.items() if self._is_ours(module)]:
            del sys.modules[name]

    def _is_ours(self, module: ModuleType | None) -> bool:
        """Whether it is a file or package of the folder's own, and none of an environment that was installed there."""
        facts = getattr(module, "__dict__", {})  # asked for attributes, some libraries' modules make them up
        places = [facts.get("__file__"), *(facts.get("__path__") or [])]
        inside = [place for place in places if isinstance(place, str) and place.startswith(f"{self._folder}{os.sep}")]
        installed = [prefix for prefix in (sys.prefix, sys.base_prefix) if prefix.startswith(f"{self._folder}{os.sep}")]
        return any(not place.startswith(tuple(installed)) for place in inside)


class CopyingChannel:
    """Hands requests to a server in this process, copying buffers as a socket would: nobody shares memory."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def exchange(self, header: bytes, buffers: list[memoryview]) -> tuple[bytes, list[bytearray]]:
        reply, reply_buffers = self._server.exchange(header, [bytearray(buffer) for buffer in buffers])
        return reply, [bytearray(buffer) for buffer in reply_buffers]


def _settle() -> None:
    """As in a worker: figures are looked at, not shown, and nothing computes with more than one thread."""
    os.environ.setdefault("MPLBACKEND", "Agg")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    import torch
    from threadpoolctl import threadpool_limits

    threadpool_limits(1)  # NumPy and SciPy, too, which may be imported already
    torch.set_num_threads(1)  # a check's two processes would wait for threads that fork left behind


def student_in(
    folder: Path,
    modules: list[str],
    shipped: str = "",
    looks: Callable[[object], tuple[str, Any] | None] = summarise,
) -> Student:
    """The submission in `folder`, run in this process; `looks` tells of its figures."""
    missing = [module for module in modules if not (folder / f"{module}.py").is_file()]
    return Student(lambda wrap: InProcessSeat(folder, wrap, looks), modules, missing=missing, shipped=shipped)


def put_in_place(
    student: Student, monkeypatch: pytest.MonkeyPatch, task: str, parts: Mapping[str, Mapping[str, object]]
) -> None:
    """Let stand-ins play other tasks until the check ends, so that these cannot fail it.

    Args:
        student: one whose code runs in this process.
        task: the task under test; what it and the student's other files have imported is exchanged as well.
        parts: module -> name -> stand-in.

    Raises:
        StudentFault: one of these files cannot be imported.
    """
    tested = _module(student, task)
    assert tested.__file__ is not None
    folder = Path(tested.__file__).parent
    modules = {name: _module(student, name) for name in parts}
    for name, stand_ins in parts.items():
        for thing, stand_in in stand_ins.items():
            own = getattr(modules[name], thing, None)
            for place in _modules_in(folder) if own is not None else ():
                if place.__dict__.get(thing) is own:
                    monkeypatch.setattr(place, thing, stand_in)


def _modules_in(folder: Path) -> list[ModuleType]:
    """The modules whose files lie in a folder."""
    files = {name: getattr(module, "__dict__", {}).get("__file__") for name, module in list(sys.modules.items())}
    return [sys.modules[name] for name, file in files.items() if isinstance(file, str) and Path(file).parent == folder]


def _module(student: Student, name: str) -> ModuleType:
    """A task's file as a module, imported in the way of any check's first question."""
    try:
        getattr(student, name).a_name_that_no_file_has()
    except StudentError:
        if name not in sys.modules:
            raise
    return sys.modules[name]
