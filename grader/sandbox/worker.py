"""The untrusted side: loads a submission's modules and answers calls. Nothing that it says is believed for being said.

Runs in the confined process (`serve`), or in the author's own process when a suite is tried without a sandbox.
"""

import builtins
import dataclasses
import importlib
import itertools
import os
import signal
import socket
import sys
import traceback
import types
from collections.abc import Callable
from functools import reduce
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from grader.errors import ProtocolError
from grader.sandbox.codec import Incoming, Outgoing
from grader.sandbox.frames import MAX_BUFFER_BYTES, ConnectionLost, FrameReader, send_frame
from grader.sandbox.ranks import RankFailed, RankKilled, Summarised, run_ranks

Summarise = Callable[[object], tuple[str, Any] | None]


class Server:
    """Answers request frames; `summarise(obj)` tells of objects that are neither plain data nor worth a handle.

    `folder` is where the submission's files are, or will be written; exceptions of the `fatal` kinds end the serving.
    """

    def __init__(self, folder: Path, summarise: Summarise, fatal: tuple[type[BaseException], ...] = ()) -> None:
        self._folder = folder
        self._fatal = fatal
        self._summarise = summarise
        self._objects: dict[int, object] = {}
        self._numbers = itertools.count(1)

    def exchange(self, header: bytes, buffers: list[bytearray]) -> tuple[bytes, list[memoryview]]:
        """Answer one request frame."""
        number, operation, arguments = msgspec.msgpack.decode(header)
        try:
            arguments = Incoming(buffers, self._resolve).read(arguments)
            value = OPERATIONS[operation](self, buffers, *arguments)
            outgoing = Outgoing(self._refer)
            return outgoing.header([number, "ok", value]), outgoing.buffers
        except self._fatal:
            raise
        except BaseException as error:  # a student's SystemExit or KeyboardInterrupt is an answer like any other
            outgoing = Outgoing(self._refer)
            return outgoing.header([number, "raised", account_of(error, self._folder)]), outgoing.buffers

    def _files(self, buffers: list, files: dict[str, bytes]) -> None:
        for name, content in files.items():
            path = self._folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        os.chdir(self._folder)
        self._import_from_folder()

    def _import_from_folder(self) -> None:
        sys.path.insert(0, str(self._folder))
        importlib.invalidate_caches()

    def _define(self, buffers: list, name: str, source: str) -> None:
        module = types.ModuleType(name)
        sys.modules[name] = module
        exec(compile(source, f"<{name}>", "exec"), module.__dict__)

    def _load(self, buffers: list, name: str) -> None:
        importlib.import_module(name)

    def _call(self, buffers: list, target: object, path: list, args: list, kwargs: dict) -> object:
        return self._get(buffers, target, path)(*args, **kwargs)

    def _get(self, buffers: list, target: object, path: list) -> Any:
        start = importlib.import_module(target) if isinstance(target, str) else target
        return reduce(getattr, path, start)

    def _make(self, buffers: list, built: object) -> "Kept":
        return Kept(built)

    def _ranks(self, buffers: list, processes: int, patience: float, target: str, path: list, inner: bytes) -> list:
        def call() -> dict[str, object]:
            args, kwargs = Incoming(buffers, self._resolve).value(inner)
            value = self._call(buffers, target, path, args, kwargs)
            return {"value": value, "modules": [thing.state_dict() for thing in args if _is_module(thing)]}

        return run_ranks(processes, patience, call, lambda error: account_of(error, self._folder), self._refer_opaque)

    def _resolve(self, kind: str, content: Any, read: Callable[[Any], Any]) -> object:
        if kind == "r":
            return self._objects[content]
        if kind == "q":
            name, args, kwargs = content
            module, function = name.split(":")
            return getattr(importlib.import_module(module), function)(*read(args), **read(kwargs))
        raise ProtocolError(f"unknown node {kind!r}")

    def _refer(self, value: object, write: Callable[[object], Any]) -> Any:
        if isinstance(value, Summarised):
            return {"o": [value.kind, write(value.content)]}
        if isinstance(value, Kept):
            value = value.thing
        else:
            summary = self._summarise(value)
            if summary is not None:
                return {"o": [summary[0], write(summary[1])]}
        number = next(self._numbers)
        self._objects[number] = value
        return {"r": [number, type(value).__name__]}

    def _refer_opaque(self, value: object, write: Callable[[object], Any]) -> Any:
        """In a rank, whose objects end with it: a dataclass leaves as its fields, what else is not plain is only named."""
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return write({field.name: getattr(value, field.name, None) for field in dataclasses.fields(value)})
        summary = self._summarise(value)
        return {"o": [summary[0], write(summary[1])]} if summary else {"o": ["opaque", type(value).__name__]}


def _is_module(thing: object) -> bool:
    """Whether it has weights; loaders and optimizers have a `state_dict`, too."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(thing, torch.nn.Module)


class Kept:
    """Marks an object that is to stay in the worker although it may be plain data."""

    def __init__(self, thing: object) -> None:
        self.thing = thing


OPERATIONS: dict[str, Callable[..., object]] = {
    "files": Server._files,
    "define": Server._define,
    "load": Server._load,
    "call": Server._call,
    "get": Server._get,
    "make": Server._make,
    "ranks": Server._ranks,
}


def account_of(error: BaseException, folder: Path) -> dict[str, object]:
    """An exception as plain data: class names, text, and where in the student's files it came from."""
    if isinstance(error, RankFailed) and error.account:
        return error.account
    if isinstance(error, SyntaxError) and error.filename:
        where = [f"{Path(error.filename).name}:{error.lineno}"]
    else:
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if Path(frame.filename).is_relative_to(folder)]
        where = [f"{Path(frame.filename).relative_to(folder)}:{frame.lineno} in {frame.name}" for frame in own]
    try:
        text = str(error)
    except Exception:
        text = "(its text could not be made)"
    return {
        "types": [_class_name(kind) for kind in type(error).__mro__][:20],
        "text": text[:8000],
        "where": where[-20:],
    }


def _class_name(kind: type) -> str:
    """A class's name; a namesake of a built-in one is called by its module, too."""
    namesake = getattr(builtins, kind.__name__, kind)
    return kind.__name__ if namesake is kind else f"{kind.__module__}.{kind.__name__}"


def serve(connection: socket.socket, folder: Path, summarise: Summarise) -> NoReturn:
    """Answer requests until the connection closes, then end the process."""
    server = Server(folder, summarise, fatal=(RankKilled,))
    reader = FrameReader(connection, max_header=MAX_BUFFER_BYTES)  # the trusted side may send much, files above all
    try:
        while True:
            send_frame(connection, *server.exchange(*reader.receive()))
    except ConnectionLost:
        os._exit(0)
    except RankKilled:
        os.kill(os.getpid(), signal.SIGKILL)  # whoever grades sees how it ended, and may try again
        raise  # not reached
