"""Python source as a stream of syntax: what is left of a program when names, words, layout and hints are taken away.

A renamed variable, another comment, docstring, type hint or layout gives the same stream; so do statements that do
nothing. Each function is a passage of its own, so that their order does not matter. Nothing is executed.
"""

import ast
import builtins
import re
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeGuard

from grader.cells import DEFINITIONS, UNPARSABLE

LARGEST_FILE = 256 * 1024
"""Bytes of one file; what is longer was not written by hand, and is named instead of compared."""
MOST_NODES = 60_000
"""Of one file's syntax tree."""
MOST_PARTS = 2000
"""Statements at the top of a file that are parsed one by one, where the whole cannot be."""
TOO_LARGE = "not compared: too large a syntax tree"

_KNOWN = {name: name for name in dir(builtins)}
_DECLARES = (ast.Import, ast.ImportFrom, ast.Pass, ast.Global, ast.Nonlocal)
_BEGINS = re.compile(r"@|(?:async[ \t]+def|def|class|if|for|while|try|with|import|from)\b|\w+[ \t]*[=.(\[]")
"""A line that may begin a statement at the top of a module."""


@dataclass(frozen=True)
class Passage:
    """A function's body, or what a module or a class does around its functions: tokens of syntax, and the line of each."""

    tokens: list[str]
    lines: list[int]


@dataclass(frozen=True)
class Stream:
    """One file, read: its passages, and what could not be read of it."""

    passages: list[Passage]
    problem: str = ""


def read(source: bytes) -> Stream:
    """The stream of one file; of one with a syntax error, what can be read around it, with that as its `problem`."""
    if len(source) > LARGEST_FILE:
        return Stream([], f"not compared: larger than {LARGEST_FILE // 1024} KB")
    try:
        return Stream(_passages([_parsed(source)]))
    except _TooLarge:
        return Stream([], TOO_LARGE)
    except UNPARSABLE as error:
        line = f" in line {error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        what = "a syntax error" if isinstance(error, SyntaxError) else "what Python cannot read"
    try:
        return Stream(_passages(_readable_parts(source)), f"compared only around {what}{line}")
    except (_TooLarge, *UNPARSABLE):
        return Stream([], TOO_LARGE)


class _TooLarge(Exception):
    """There are more nodes than anybody writes by hand."""


def _parsed(source: bytes | str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(source)


def _readable_parts(source: bytes) -> Iterator[ast.Module]:
    """Statements at the top that can be parsed, each by itself, on the lines where they stand."""
    lines = source.decode("utf-8", "replace").replace("\0", " ").splitlines()
    decorated = [number > 0 and lines[number - 1].startswith("@") for number in range(len(lines))]
    starts = [number for number, line in enumerate(lines) if _BEGINS.match(line) and not decorated[number]]
    for start, end in zip(starts[:MOST_PARTS], [*starts[1:], len(lines)], strict=False):
        try:
            tree = _parsed("\n".join(lines[start:end]))
        except UNPARSABLE:
            continue
        yield ast.increment_lineno(tree, start)


def _passages(trees: Iterable[ast.Module]) -> list[Passage]:
    """The passages of a file's trees.

    Raises:
        _TooLarge: there are too many nodes.
    """
    trees, names, count = list(trees), _Names(), 0
    for tree in trees:
        for node in ast.walk(tree):
            count += 1
            if count > MOST_NODES:
                raise _TooLarge
            names.note(node)
    return [passage for tree in trees for passage in _written(tree, names)]


class _Names:
    """What the names of one file stand for."""

    def __init__(self) -> None:
        self._imported: dict[str, str] = {}
        self._bound: set[str] = set()
        self._read: set[str] = set()
        self._own: set[str] = set()

    def note(self, node: ast.AST) -> None:
        """Take account of a node."""
        match node:
            case ast.Import():
                for alias in node.names:
                    whole, first = alias.name.rpartition(".")[2], alias.name.partition(".")[0]
                    self._imported[alias.asname or first] = whole if alias.asname else first
            case ast.ImportFrom():
                self._imported |= {alias.asname or alias.name: alias.name for alias in node.names}
            case ast.Name():
                (self._read if isinstance(node.ctx, ast.Load) else self._bound).add(node.id)
            case ast.Attribute(ctx=ast.Store()):
                self._own.add(node.attr)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                self._own.add(node.name)
                self._bound.add(node.name)
            case ast.arg():
                self._bound.add(node.arg)

    def meaning(self, name: str) -> str:
        """What was imported under the name, or the builtin; `name` for what the file binds itself."""
        if name in self._bound:
            return "name"
        return self._imported.get(name) or _KNOWN.get(name, "name")

    def attribute(self, name: str) -> str:
        """An attribute of somebody else's; `own` for what the file defines or sets."""
        return "own" if name in self._own else name

    def unread(self, nodes: Iterable[ast.expr]) -> bool:
        """Whether all of these are names that nobody reads."""
        return all(isinstance(node, ast.Name) and node.id not in self._read for node in nodes)


def _written(tree: ast.Module, names: _Names) -> Iterator[Passage]:
    """A tree's passages, without recursion: trees may be deep."""
    apart: list[ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef] = [tree]
    for top in apart:  # grows meanwhile
        tokens: list[str] = []
        lines: list[int] = []
        waiting: list[tuple[ast.AST, int]] = [(node, 1) for node in reversed(top.body)]
        while waiting:
            node, line = waiting.pop()
            line = getattr(node, "lineno", line)
            if isinstance(node, ast.stmt) and _does_nothing(node, names):
                continue
            if isinstance(node, DEFINITIONS):
                apart.append(node)
                continue
            if _is_guard(node):
                waiting += [(part, line) for part in reversed(node.body)]
                continue
            if token := _token(node, names):
                tokens.append(token)
                lines.append(line)
            waiting += [(part, line) for part in reversed(_parts(node))]
        if tokens:
            yield Passage(tokens, lines)


def _does_nothing(node: ast.stmt, names: _Names) -> bool:
    """Whether a statement only declares, prints, or keeps something that nobody reads."""
    match node:
        case ast.Expr(value=ast.Constant() | ast.Name()):
            return True
        case ast.Expr(value=ast.Call(func=ast.Name(id=name))):
            return names.meaning(name) == "print"
        case ast.Assign():
            calls = (ast.Call, ast.Await, ast.Yield, ast.YieldFrom)
            return names.unread(node.targets) and not any(isinstance(part, calls) for part in ast.walk(node.value))
        case ast.AnnAssign():
            return node.value is None
        case ast.If(test=ast.Constant(value=value)) | ast.While(test=ast.Constant(value=value)):
            return not value and not node.orelse
    return isinstance(node, _DECLARES)


def _is_guard(node: ast.AST) -> TypeGuard[ast.Try]:
    """Whether it is a `try` that only lets nothing out, as around the cells of a notebook."""
    match node:
        case ast.Try(handlers=handlers, orelse=[], finalbody=[]):
            return all(isinstance(part, ast.Pass) for handler in handlers for part in handler.body)
    return False


def _token(node: ast.AST, names: _Names) -> str:
    """A node's own token; nothing for what says no more than its parts do."""
    match node:
        case ast.Name():
            return names.meaning(node.id)
        case ast.Attribute():
            return f".{names.attribute(node.attr)}"
        case ast.keyword():
            return f"{node.arg}="
        case ast.Constant(value=None | True | False):
            return str(node.value)
        case ast.Constant():
            return type(node.value).__name__
        case ast.JoinedStr():
            return "str"
        case ast.AnnAssign():
            return "Assign"
        case ast.expr_context() | ast.Expr() | ast.arguments() | ast.arg():
            return ""
    return type(node).__name__


def _parts(node: ast.AST) -> list[ast.AST]:
    """What a node is made of, but for type hints and the inside of texts."""
    match node:
        case ast.JoinedStr() | ast.arg():
            return []
        case ast.AnnAssign():
            assert node.value is not None  # or it does nothing, and is not taken apart
            return [node.target, node.value]
    return list(ast.iter_child_nodes(node))
