"""Code cells as Python: magics taken out, statements told apart, with the text that they were written as."""

import ast
import keyword
import re
import symtable
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import TypeGuard

_LINE_MAGIC = re.compile(r"[%!?]|[\w.\[\], \t]+=[ \t]*[%!]|[\w.]+\?{1,2}$")
_DEFINES = re.compile(r"^(?:async[ \t]+)?(?:def|class)[ \t]+(\w+)", re.MULTILINE)
_TOKEN = re.compile(
    r'"""(?:[^\\]|\\.?)*?(?:"""|\Z)' r"|'''(?:[^\\]|\\.?)*?(?:'''|\Z)"
    r'|"(?:[^"\\\n]|\\.)*"?' r"|'(?:[^'\\\n]|\\.)*'?"
    r"|\#[^\n]*|\\\n|[()\[\]{}\n]",
    re.DOTALL,
)  # fmt: skip

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
UNPARSABLE = (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError)
"""What Python's own parser raises for text that it cannot take."""


class Kind(Enum):
    """What a top-level statement is for."""

    DEFINITION = auto()
    """A function or a class, or an `if` or `try` around one."""
    IMPORT = auto()
    FUTURE = auto()
    ASSIGNMENT = auto()
    OTHER = auto()


@dataclass(frozen=True, eq=False)
class Statement:
    """One top-level statement of a cell."""

    kind: Kind
    text: str
    """As it was written."""
    guarded: str
    """The same in a `try` that lets nothing out."""
    defines: frozenset[str]
    assigns: frozenset[str]
    """Names that it assigns, and those whose items or attributes it assigns."""
    calls: frozenset[str]
    """Names that it calls, and those whose methods it calls."""
    uses: frozenset[str]
    """All names in it; of a definition, those that it needs when it is made."""


@dataclass(frozen=True)
class Cell:
    """One code cell: its statements, or its syntax error."""

    number: int
    file: str
    """The file that its section stands for; "" before any."""
    text: str
    statements: Sequence[Statement] = ()
    reads: frozenset[str] = frozenset()
    """Global names that its functions and classes read."""
    error: str = ""


def read_cell(number: int, file: str, text: str) -> Cell:
    """Parse one code cell: as it is, else without magics, else without its first line's margin, as Jupyter does."""
    plain = _without_magics(text)
    first = plain.lstrip("\n")
    margin = first[: len(first) - len(first.lstrip(" \t"))]
    for candidate in dict.fromkeys([text, plain, re.sub(f"^{margin}", "", plain, flags=re.MULTILINE)]):
        try:
            statements, reads = _parse(candidate)
        except UNPARSABLE as error:
            failure = error
        else:
            return Cell(number, file, candidate, statements, reads)
    line = f", line {failure.lineno}" if isinstance(failure, SyntaxError) and failure.lineno else ""
    what = failure.msg if isinstance(failure, SyntaxError) else str(failure) or "too complex"
    return Cell(number, file, plain, error=f"{what} (cell {number} of the notebook{line})")


def stand_ins(cell: Cell, defined: set[str]) -> Iterable[str]:
    """A function that raises the cell's syntax error, for each name that the cell would define and no other does."""
    for name in dict.fromkeys(_DEFINES.findall(cell.text)):
        if name not in defined and name.isidentifier() and not keyword.iskeyword(name):
            yield f"def {name}(*_, **__):\n    raise SyntaxError({cell.error!r})"


def last_line(node: ast.stmt | ast.expr) -> int:
    """The number of a node's last line, which the parser always tells."""
    assert node.end_lineno is not None
    return node.end_lineno


def _parse(text: str) -> tuple[list[Statement], frozenset[str]]:
    """Statements that a module can hold (Jupyter alone allows `await` outside of a function), and global names read."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = compile(text, "cell", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
        compile(tree, "cell", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
        table = symtable.symtable(text, "cell", "exec")
    lines = [line.encode() for line in text.split("\n")]
    statements = [_statement(node, _source(node, lines)) for node in tree.body if not _awaits(node)]
    return statements, frozenset(_global_reads(table))


def _statement(node: ast.stmt, text: str) -> Statement:
    parts = list(ast.walk(node))
    definition = isinstance(node, DEFINITIONS)
    defined = [part for part in ([node] if definition else parts) if isinstance(part, DEFINITIONS)]
    stored = [part for part in parts if isinstance(getattr(part, "ctx", None), ast.Store)]
    used = [inner for part in _evaluated(node) for inner in ast.walk(part)]
    return Statement(
        kind=_kind(node, parts),
        text=text,
        guarded=f"try:\n{_indented(node, text)}\nexcept Exception:\n    pass",
        defines=frozenset(part.name for part in defined),
        assigns=frozenset() if definition else frozenset(map(_root, stored)) - {""},
        calls=frozenset(_root(part.func) for part in parts if isinstance(part, ast.Call)),
        uses=frozenset(part.id for part in used if isinstance(part, ast.Name)),
    )


def _kind(node: ast.stmt, parts: Iterable[ast.AST]) -> Kind:
    if isinstance(node, ast.ImportFrom) and node.module == "__future__":
        return Kind.FUTURE
    if any(isinstance(part, DEFINITIONS) for part in parts):
        return Kind.DEFINITION
    if any(isinstance(part, (ast.Import, ast.ImportFrom)) for part in parts):
        return Kind.IMPORT
    return Kind.ASSIGNMENT if isinstance(node, (ast.Assign, ast.AnnAssign)) else Kind.OTHER


def _evaluated(node: ast.stmt) -> list[ast.AST]:
    """What is evaluated when a statement is run: of a definition all but the body."""
    if isinstance(node, ast.ClassDef):
        return [*node.decorator_list, *node.bases, *node.keywords]
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return [*node.decorator_list, node.args]
    return [node]


def _root(node: ast.AST) -> str:
    """The name that `a.b[c].d(e)` starts from; "" where it starts from none."""
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Call, ast.Starred)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def _indented(node: ast.stmt, text: str) -> str:
    """The text inside of a block; lines that begin within a string stay as they are."""
    strings = [part for part in _parts(node, closed=(ast.JoinedStr,)) if _is_text(part)]
    inside = {line for part in strings for line in range(part.lineno + 1, last_line(part) + 1)}
    lines = text.split("\n")
    first = last_line(node) - len(lines) + 1
    return "\n".join(line if number in inside else f"    {line}" for number, line in enumerate(lines, first))


def _is_text(node: ast.AST) -> TypeGuard[ast.JoinedStr | ast.Constant]:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes)))


def _awaits(node: ast.AST) -> bool:
    functions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    waits = (ast.Await, ast.AsyncFor, ast.AsyncWith)
    return any(isinstance(part, waits) or getattr(part, "is_async", 0) for part in _parts(node, closed=functions))


def _parts(node: ast.AST, closed: tuple[type, ...]) -> Iterable[ast.AST]:
    """A node and everything in it, but nothing inside of the `closed` kinds."""
    waiting = [node]
    while waiting:
        part = waiting.pop()
        yield part
        if not isinstance(part, closed):
            waiting.extend(ast.iter_child_nodes(part))


def _global_reads(table: symtable.SymbolTable) -> Iterable[str]:
    for child in table.get_children():
        yield from (name.get_name() for name in child.get_symbols() if name.is_global() and name.is_referenced())
        yield from _global_reads(child)


def _source(node: ast.stmt, lines: Sequence[bytes]) -> str:
    """A statement as it was written, decorators included; positions count bytes."""
    first = min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", []))])
    last = last_line(node)
    parts = [*lines[first - 1 : last - 1], lines[last - 1][: node.end_col_offset]]
    if first == node.lineno:
        parts[0] = parts[0][node.col_offset :]
    return b"\n".join(parts).decode()


def _without_magics(text: str) -> str:
    """The text with `pass` for each line that is IPython's alone; the number of lines stays."""
    kept, place = [], 0
    while place < len(text):
        end = text.find("\n", place) + 1 or len(text)
        line = text[place:end]
        if _LINE_MAGIC.match(line.strip()):
            while line.endswith("\\\n") and end < len(text):
                place, end = end, text.find("\n", end) + 1 or len(text)
                line += text[place:end]
            indent = line[: len(line) - len(line.lstrip(" \t"))]
            kept.append(indent + "pass" + "\n" * line.count("\n"))
        else:
            end = _logical_end(text, place)
            kept.append(text[place:end])
        place = end
    return "".join(kept)


def _logical_end(text: str, place: int) -> int:
    """Where the logical line ends that starts at `place`: past brackets, strings and continued lines."""
    depth = 0
    for token in _TOKEN.finditer(text, place):
        if token[0] == "\n" and depth == 0:
            return token.end()
        depth = max(0, depth + (token[0] in "([{") - (token[0] in ")]}"))
    return len(text)
