"""The trusted side's view of a worker: calls go out, plain data and opaque handles come back."""

import itertools
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeGuard

from grader.errors import ProtocolError
from grader.sandbox.codec import Incoming, Outgoing
from grader.sandbox.frames import FrameReader, Tick, send_frame

MAX_TEXT = 8000


@dataclass(frozen=True)
class Recipe:
    """Something to be built in the worker by code that the grader ships there: `module:function` and its arguments."""

    name: str
    args: tuple = ()
    kwargs: Mapping[str, object] | None = None


@dataclass(frozen=True)
class Handle:
    """An object that stays in the worker; `number` is what it is called by, `type_name` what the worker says it is."""

    number: int
    type_name: str


@dataclass(frozen=True)
class Summary:
    """What the worker's summariser said of an object that does not travel (a figure); plain data throughout."""

    kind: str
    content: Any


class Raised(Exception):
    """The call raised in the worker. All of it is the worker's word.

    Attributes:
        types: class names from the exception's own to `BaseException`.
        text: its text.
        where: `file:line in function` of the frames in the student's files, outermost first.
    """

    def __init__(self, types: tuple[str, ...], text: str, where: tuple[str, ...]) -> None:
        super().__init__(f"{types[0]}: {text}")
        self.types = types
        self.text = text
        self.where = where


class Channel(Protocol):
    """Carries one request frame to the worker and brings its reply."""

    def exchange(self, header: bytes, buffers: list[memoryview]) -> tuple[bytes, list[bytearray]]: ...


class SocketChannel:
    """A channel over a connected stream socket; `tick` runs while it waits and raises to give up."""

    def __init__(self, sock: socket.socket, tick: Tick) -> None:
        self._sock = sock
        self._reader = FrameReader(sock)
        self._tick = tick

    @property
    def received(self) -> int:
        """Bytes that the worker has sent so far."""
        return self._reader.received

    def exchange(self, header: bytes, buffers: list[memoryview]) -> tuple[bytes, list[bytearray]]:
        send_frame(self._sock, header, buffers, self._tick)
        return self._reader.receive(self._tick)


class Remote:
    """Requests to one worker. Every reply that is not a well-formed answer to the request is a `ProtocolError`."""

    def __init__(self, channel: Channel, wrap: Callable[[Handle | Summary], object] = lambda thing: thing) -> None:
        self._channel = channel
        self._wrap = wrap
        self._numbers = itertools.count(1)

    def write_files(self, files: Mapping[str, bytes]) -> None:
        """Put files into the worker's scratch, where the submission lives."""
        self._request("files", dict(files))

    def define(self, module: str, source: str) -> None:
        """Ship code of the grader's own; its functions can be named by recipes as `module:function`."""
        self._request("define", module, source)

    def load(self, module: str) -> None:
        """Import one of the submission's modules."""
        self._request("load", module)

    def call(self, target: str | Handle, path: Sequence[str], args: Sequence, kwargs: Mapping[str, object]) -> Any:
        """Call `target.path(*args, **kwargs)`; `target` is a module's name or a handle.

        Raises:
            Raised: the call raised.
            ProtocolError, ConnectionLost: the worker misbehaved or died.
        """
        return self._request("call", target, list(path), list(args), dict(kwargs))

    def get(self, target: str | Handle, path: Sequence[str]) -> Any:
        """The attribute `target.path`."""
        return self._request("get", target, list(path))

    def make(self, recipe: Recipe) -> Any:
        """Build a recipe and keep it in the worker; its handle comes back even for plain data."""
        return self._request("make", recipe)

    def ranks(
        self, processes: int, patience: float, target: str, path: Sequence[str], args: Sequence, kwargs: Mapping
    ) -> list[dict[str, Any]]:
        """Call on that many gloo ranks forked from the worker; recipes are built in each rank.

        Gives, for each rank, `{"value": …, "modules": [state dict of each module among the arguments]}`. Ranks that
        wait for each other for more than `patience` seconds raise `TimeoutError` there.
        """
        buffers = Outgoing(_refer)
        inner = buffers.header([list(args), dict(kwargs)])
        replies = self._request("ranks", processes, patience, target, list(path), inner, buffers=buffers.buffers)
        if not (isinstance(replies, list) and len(replies) == processes and all(isinstance(r, dict) for r in replies)):
            raise ProtocolError(f"expected {processes} ranks' results")
        return replies

    def _request(self, operation: str, *arguments: object, buffers: list[memoryview] | None = None) -> Any:
        number = next(self._numbers)
        outgoing = Outgoing(_refer)
        outgoing.buffers = buffers or []
        header = outgoing.header([number, operation, list(arguments)])
        reply_header, reply_buffers = self._channel.exchange(header, outgoing.buffers)
        reply = Incoming(reply_buffers, self._resolve).value(reply_header)
        if not (isinstance(reply, list) and len(reply) == 3 and type(reply[0]) is int and reply[0] == number):
            raise ProtocolError("the reply does not answer the request")
        _, outcome, value = reply
        if not isinstance(outcome, str):  # an array would answer a comparison with an array
            raise ProtocolError(f"expected an outcome, found a {type(outcome).__name__}")
        if outcome == "raised":
            raise _raised(value)
        if outcome != "ok":
            raise ProtocolError(f"unknown outcome {outcome[:40]!r}")
        return value

    def _resolve(self, kind: str, content: Any, read: Callable[[Any], Any]) -> object:
        if kind == "r":
            number, type_name = content
            if type(number) is int and isinstance(type_name, str):
                return self._wrap(Handle(number, type_name[:80]))
        if kind == "o":
            name, summary = content
            if isinstance(name, str):
                return self._wrap(Summary(name, read(summary)))
        raise ProtocolError(f"unknown node {kind!r}")


def _refer(value: object, write: Callable[[object], Any]) -> Any:
    """The nodes that only the trusted side writes: its handles and its recipes."""
    if isinstance(value, Recipe):
        return {"q": [value.name, write(list(value.args)), write(dict(value.kwargs or {}))]}
    handle = getattr(value, "__handle__", value)
    if isinstance(handle, Handle):
        return {"r": handle.number}
    raise TypeError(f"cannot send a {type(value).__name__} to the worker: send plain data, a handle or a recipe")


def _raised(value: Any) -> Raised:
    """Check the worker's account of an exception; its texts are cut to a bounded length."""
    if not isinstance(value, dict):
        raise ProtocolError("expected an account of an exception")
    types, text, where = (value.get(key) for key in ("types", "text", "where"))
    if not (_are_texts(types) and types and isinstance(text, str) and _are_texts(where)):
        raise ProtocolError("expected an account of an exception")
    return Raised(tuple(name[:80] for name in types[:20]), text[:MAX_TEXT], tuple(frame[:200] for frame in where[-20:]))


def _are_texts(value: object) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)
