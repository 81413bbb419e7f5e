"""What stands in a hidden test for the student's modules, functions and objects, which live elsewhere."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from grader.errors import ProtocolError
from grader.sandbox.remote import Handle, Remote
from grader.suite.assertions import CheckFailed
from grader.suite.faults import StudentError
from grader.suite.recipes import SHIPPED


class Asker(Protocol):
    """Whoever passes requests on to the worker."""

    rank_patience: float

    def ask(self, what: str, action: Callable[[Remote], Any]) -> Any: ...

    def in_module(self, module: str, name: str, action: Callable[[Remote], Any]) -> Any: ...


@dataclass(frozen=True)
class Module:
    """A task's file; attributes are its functions and classes."""

    _student: Asker
    _name: str

    def __getattr__(self, name: str) -> "Function":
        if name.startswith("__"):
            raise AttributeError(name)
        return Function(self._student, self._name, name)


@dataclass(frozen=True)
class Function:
    """A function or class of a task's file."""

    _student: Asker
    _module: str
    _name: str

    def __call__(self, *args: object, **kwargs: object) -> Any:
        call = lambda remote: remote.call(self._module, [self._name], args, kwargs)  # noqa: E731
        return self._student.in_module(self._module, self._name, call)


class Kept:
    """An object that stays with the student's code. It can be called, indexed, measured, iterated and asked."""

    def __init__(self, student: Asker, handle: Handle) -> None:
        self._student = student
        self.__handle__ = handle

    @property
    def type_name(self) -> str:
        return self.__handle__.type_name

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._ask(name, lambda remote: remote.get(self.__handle__, [name]))

    def __call__(self, *args: object, **kwargs: object) -> Any:
        return self._ask("calling it", lambda remote: remote.call(self.__handle__, [], args, kwargs))

    def __getitem__(self, key: object) -> Any:
        return self._ask("indexing it", lambda remote: remote.call("operator", ["getitem"], [self, key], {}))

    def __len__(self) -> int:
        length = self._ask("len()", lambda remote: remote.call("builtins", ["len"], [self], {}))
        if type(length) is not int or length < 0:
            raise CheckFailed("len() gives a whole number", got=length)
        return length

    def __iter__(self) -> Iterator[Any]:
        items = self._ask("iterating", lambda remote: remote.call("builtins", ["iter"], [self], {}))
        done = object.__new__(object)
        while True:
            try:
                item = self._ask("iterating", lambda remote: remote.call("builtins", ["next"], [items], {}))
            except StudentError as error:
                if error.types[0] == "StopIteration":
                    return
                raise
            if item is done:
                return
            yield item

    def _ask(self, what: str, action: Callable[[Remote], Any]) -> Any:
        return self._student.ask(f"{self.type_name}.{what}", action)

    def __repr__(self) -> str:
        return f"<{self.type_name}>"


@dataclass(frozen=True)
class Tools:
    """The functions of the assignment's own recipes, called where the student's objects are: plain data comes back."""

    _student: Asker

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("__"):
            raise AttributeError(name)
        call = lambda *args, **kwargs: lambda remote: remote.call(SHIPPED, [name], args, kwargs)  # noqa: E731
        return lambda *args, **kwargs: self._student.ask(name, call(*args, **kwargs))


@dataclass(frozen=True)
class Opaque:
    """Something on a rank that is not plain data; only its type's name comes back."""

    type_name: str


@dataclass(frozen=True)
class RankResults:
    """What a call on several ranks gave: each rank's value, and its modules' state dicts after the call."""

    values: list[Any]
    modules: list[list[Mapping[str, Any]]]


@dataclass(frozen=True)
class Ranks:
    """Calls on several ranks; recipes among the arguments are built in each rank."""

    _student: Asker
    _processes: int

    def __getattr__(self, module: str) -> Any:
        if module.startswith("__"):
            raise AttributeError(module)
        return RankModule(self._student, self._processes, module)


@dataclass(frozen=True)
class RankModule:
    """A task's file on several ranks."""

    _student: Asker
    _processes: int
    _module: str

    def __getattr__(self, name: str) -> Callable[..., RankResults]:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *args, **kwargs: self._call(name, args, kwargs)

    def _call(self, name: str, args: tuple, kwargs: dict) -> RankResults:
        def action(remote: Remote) -> RankResults:
            patience = self._student.rank_patience
            replies = remote.ranks(self._processes, patience, self._module, [name], args, kwargs)
            if not all(set(reply) == {"value", "modules"} for reply in replies):
                raise ProtocolError("expected each rank's value and modules")
            return RankResults([reply["value"] for reply in replies], [reply["modules"] for reply in replies])

        return self._student.in_module(self._module, name, action)
