"""A solution and its stub.

A solution marks what students are to write with two comment lines, `### BEGIN SOLUTION` and `### END SOLUTION`, each
alone on its line and inside a function. Its stub is the same file with one line in place of each such region:
`raise NotImplementedError("Task 3: write train().")`.
"""

import ast
import re
import tokenize
from dataclasses import dataclass
from io import StringIO

from grader.cells import last_line
from grader.course import Assignment, Course, Task
from grader.errors import UsageError

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
GIVEN = "main.py"
"""Handed out as it is."""

_LIKE_A_MARKER = re.compile(r"#.*\b(BEGIN|END)\b.*\bSOLUTIONS?\b", re.IGNORECASE)


@dataclass(frozen=True)
class Region:
    """Lines that students write: numbers of the two marker lines (from 1), and the function around them."""

    begin: int
    indent: str
    end: int
    function: str
    """`train`, or `LinearRegression.forward` for a method."""


def make_stub(source: str, assignment: Assignment, task: Task) -> str:
    """The student's stub of a solution file.

    Raises:
        UsageError: markers that do not pair or stand outside of functions; no region; not Python, before or after.
    """
    place = f"solutions/{assignment.name}/{task.file}"
    regions = _regions(source, place)
    if not regions:
        raise UsageError(f"{place}: expected at least one region between {BEGIN!r} and {END!r}, found none.")
    lines = source.removesuffix("\n").split("\n")
    for region in reversed(regions):
        text = f'{region.indent}raise NotImplementedError("{task.label}: write {region.function}().")'
        lines[region.begin - 1 : region.end] = [text]
    stub = "\n".join(lines) + "\n"
    _parsed(stub, f"{place}, as the stub made from it")
    return stub


def read_solution(course: Course, name: str, file: str) -> str:
    """The text of one solution file.

    Raises:
        UsageError: no such file, or not UTF-8.
    """
    path = course.solution(name) / file
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: expected UTF-8, found something else at byte {error.start}.") from None
    except OSError as error:
        raise UsageError(f"{path}: expected a solution file, cannot read it: {error.strerror}.") from None


def read_given(course: Course, name: str) -> str:
    """The text of main.py, which students receive as it is.

    Raises:
        UsageError: as `read_solution`, or something in it that is to be written.
    """
    text, place = read_solution(course, name, GIVEN), f"solutions/{name}/{GIVEN}"
    if _regions(text, place):
        raise UsageError(f"{place}: expected a file that is given as it is, found a solution region.")
    return text


def _regions(source: str, place: str) -> list[Region]:
    """The regions of a solution file, in order.

    Raises:
        UsageError: see `make_stub`.
    """
    tree = _parsed(source, place)
    regions: list[Region] = []
    begin: tuple[int, str] | None = None
    for number, indent, marker in _markers(source, place):
        if marker == BEGIN and begin:
            raise UsageError(f"{place}:{number}: expected {END!r} for line {begin[0]}, found a second {BEGIN!r}.")
        if marker == BEGIN:
            begin = number, indent
        elif begin:
            regions.append(Region(*begin, number, _function_around(tree, *begin, number, place)))
            begin = None
        else:
            raise UsageError(f"{place}:{number}: expected {BEGIN!r} before {END!r}, found none.")
    if begin:
        raise UsageError(f"{place}:{begin[0]}: expected {END!r} after {BEGIN!r}, found none.")
    return regions


def _parsed(source: str, place: str) -> ast.Module:
    try:
        return ast.parse(source)
    except SyntaxError as error:
        raise UsageError(f"{place}:{error.lineno}: expected Python, found a mistake: {error.msg}.") from None


def _markers(source: str, place: str) -> list[tuple[int, str, str]]:
    """Line number, indentation and text of each marker; only comments count, not what looks alike in a string."""
    found = []
    for token in tokenize.generate_tokens(StringIO(source).readline):
        if token.type != tokenize.COMMENT or not _LIKE_A_MARKER.match(token.string):
            continue
        line, indent = token.start[0], token.line[: token.start[1]]
        if token.string.rstrip() not in (BEGIN, END) or indent.strip():
            raise UsageError(
                f"{place}:{line}: expected {BEGIN!r} or {END!r}, alone on its line, found {token.line.strip()!r}."
            )
        found.append((line, indent, token.string.rstrip()))
    return found


def _function_around(tree: ast.Module, begin: int, indent: str, end: int, place: str) -> str:
    """Dotted name of the innermost function around the statements between two lines.

    Raises:
        UsageError: no statement, no function around them, or statements that do not stand below the markers.
    """
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.stmt)]
    inside = [node for node in nodes if begin < node.lineno and last_line(node) < end]
    if not inside:
        raise UsageError(f"{place}:{begin}: expected statements between {BEGIN!r} and {END!r}, found none.")
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    around = [node for node in nodes if isinstance(node, kinds) and node.lineno < begin <= last_line(node)]
    around.sort(key=lambda node: node.lineno)
    if not around or isinstance(around[-1], ast.ClassDef):
        where = f"class {around[-1].name}" if around else "the module"
        raise UsageError(f"{place}:{begin}: expected a solution region inside of a function, found it in {where}.")
    if min(node.col_offset for node in inside) != len(indent):
        raise UsageError(
            f"{place}:{begin}: expected the solution to be indented as its markers are, found it otherwise."
        )
    return ".".join(node.name for node in around)
